//! How a pipeline is made: short of room and of patience.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use enter_span_pipeline::{Limits, Pipeline, Spool, WhenFull};
use rand::Rng as _;
use rand::rngs::SmallRng;

pub(crate) struct Recipe {
    address: SocketAddr,
    /// All pipelines share it.
    folder: Option<PathBuf>,
}

/// Of the exporter, in milliseconds.
const TIMEOUT: u64 = 3_000;

impl Recipe {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Recipe {
            address,
            folder: None,
        }
    }

    /// In a folder below `target`, which the first pipeline creates for this user alone.
    pub(crate) fn with_spool(self) -> Self {
        let folder = Path::new("target").join(format!("soak-spool-{}", std::process::id()));
        // Of an earlier process with this id.
        fs::remove_dir_all(&folder).ok();
        Recipe {
            folder: Some(folder),
            ..self
        }
    }

    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_millis(TIMEOUT)
    }

    pub(crate) fn pipeline(
        &self,
        random: &mut SmallRng,
    ) -> Result<Pipeline, enter_span_pipeline::Error> {
        let limits = Limits::default()
            .with_queue_spans(8 * 1024)
            .with_retry_time(Duration::from_secs(10))
            .with_interval(Duration::from_millis(50));
        let address = self.address;
        let builder = Pipeline::builder().with_limits(limits).with_otlp();
        let builder = builder.with_environment(move |name| match name {
            "OTEL_EXPORTER_OTLP_ENDPOINT" => Some(format!("http://{address}")),
            "OTEL_EXPORTER_OTLP_TIMEOUT" => Some(TIMEOUT.to_string()),
            _ => None,
        });
        let builder = match &self.folder {
            Some(folder) => builder.with_spool(spool(folder, random)),
            None => builder,
        };
        builder.with_warnings(warn).build()
    }

    /// Files in the folder of the spool.
    pub(crate) fn files(&self) -> usize {
        let entries = self.folder.as_ref().map(fs::read_dir);
        entries.into_iter().flatten().flatten().count()
    }

    /// It stays if a file is left.
    pub(crate) fn clean(&self) {
        if let Some(folder) = &self.folder {
            fs::remove_dir(folder).ok();
        }
    }
}

/// Dropped spans are in the counts. Anything else, as a spool that is off, would prove nothing.
fn warn(warning: &str) {
    if !warning.starts_with("spans were dropped") {
        eprintln!("{warning}");
    }
}

/// So small, and of so short an age, that both limits are met.
fn spool(folder: &Path, random: &mut SmallRng) -> Spool {
    let when_full = if random.random() {
        WhenFull::DropOldest
    } else {
        WhenFull::DropNewest
    };
    Spool::in_folder(folder)
        .with_max_bytes(2 << 20)
        .with_max_age(Duration::from_secs(10))
        .with_when_full(when_full)
}
