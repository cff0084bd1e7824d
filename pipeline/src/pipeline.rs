//! What the application holds of a running pipeline.

use std::borrow::Cow;
use std::fmt;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use enter_span::Tracer;
use enter_span::native::{self, InstallCall, Installation, RecordConfig, SpanLimits};
use opentelemetry::metrics::MeterProvider;
use opentelemetry_sdk::Resource;

use crate::diagnosis::Informant;
use crate::error::Error;
use crate::export::control::{Answer, Desk, End};
use crate::export::export_thread::Lane;
use crate::export::exporter::Export;
use crate::export::worker::Worker;
use crate::host::clock::Clock;
use crate::host::unwind::silenced;
use crate::metrics;
use crate::queue::limit::Limits;
use crate::queue::span_queue::Queue;
use crate::record::core::{Core, HandOver};
use crate::record::native_backend::Native;
use crate::record::provider::PipelineProvider;
use crate::sampling::muting::Muting;
use crate::sampling::sampler::Sampler;
use crate::stats::counts::{Counts, ExporterCounts};
use crate::stats::declined::Declined;
use crate::stats::drop_warnings::{Notices, Warn};
use crate::stats::ledgers::Accounts;

/// A running pipeline: what an application keeps for as long as it wants spans.
///
/// Dropped, it shuts down, and waits for that for at most five seconds, unless it was shut down before.
/// A `static` is never dropped, and `std::process::exit` drops nothing: call
/// [`shutdown`](Pipeline::shutdown) before.
#[must_use = "the pipeline shuts down when this is dropped, and `let _ =` drops it at once; write `let pipeline = ..`"]
pub struct Pipeline {
    core: Arc<Core>,
    resource: Resource,
    informant: Arc<Informant>,
    accounts: Arc<Accounts>,
    desk: Arc<Desk>,
    limits: Limits,
    place: Mutex<Option<Place>>,
    /// What sees the pipeline from afar sees that its handle is gone.
    alive: Arc<()>,
    /// It was shut down by a call, which has waited as long as it was to.
    is_shut_down: AtomicBool,
}

/// What holds, be it from the code, from the environment, or by default.
pub(crate) struct Settled {
    pub(crate) is_disabled: bool,
    pub(crate) resource: Resource,
    pub(crate) exporters: Vec<Box<dyn Export>>,
    pub(crate) sampler: Sampler,
    pub(crate) sampler_by: &'static str,
    pub(crate) muting: Muting,
    pub(crate) limits: Limits,
    pub(crate) span_limits: SpanLimits,
    pub(crate) tells_place: bool,
    pub(crate) warnings: Vec<String>,
    pub(crate) warn: Warn,
}

impl Pipeline {
    pub(crate) fn of(settled: Settled) -> Result<Self, Error> {
        let (limits, exporters) = (settled.limits, settled.exporters);
        let desk = Arc::new(Desk::default());
        let bell = Arc::clone(&desk);
        let accounts = Arc::new(Accounts {
            queue: Queue::new(limits, move |call| bell.call(call)),
            all: Arc::default(),
            each: exporters.iter().map(|_| Arc::default()).collect(),
            is_installed: AtomicBool::new(false),
        });
        let clock = Arc::new(Clock::new());
        let sink = HandOver {
            queue: Arc::clone(&accounts.queue),
            clock: Arc::clone(&clock),
        };
        let config = RecordConfig {
            limits: settled.span_limits,
            tells_place: settled.tells_place,
            sink: Box::new(sink),
        };
        let core = Arc::new(Core {
            config: Arc::new(config),
            queue: Arc::clone(&accounts.queue),
            clock,
            sampler: settled.sampler,
            muting: settled.muting,
            declined: Declined::default(),
        });
        let informant = Informant {
            core: Arc::clone(&core),
            accounts: Arc::clone(&accounts),
            exporters: exporters.iter().map(|one| one.description()).collect(),
            is_disabled: settled.is_disabled,
            sampler_by: settled.sampler_by,
            warnings: settled.warnings,
        };
        let pipeline = Pipeline {
            core,
            informant: Arc::new(informant),
            resource: settled.resource,
            accounts,
            desk,
            limits,
            place: Mutex::new(None),
            alive: Arc::new(()),
            is_shut_down: AtomicBool::new(false),
        };
        if settled.is_disabled {
            pipeline.stay_off()
        } else {
            pipeline.start(exporters, settled.warn)?
        }
        Ok(pipeline)
    }

    /// Makes it the process's, in the place that was taken for it.
    pub(crate) fn install(&self, mut place: Place, caller: &'static Location<'static>) {
        if !self.is_disabled() {
            opentelemetry::global::set_tracer_provider(self.provider());
            place.installation = Some(native::install_native(self.native()));
        }
        self.accounts.is_installed.store(true, Ordering::Relaxed);
        native::remember(InstallCall {
            name: "PipelineBuilder::install",
            place: caller,
            mark: Some(self.core.mark()),
            generation: place.installation.as_ref().map(Installation::generation),
            source: Some(self.informant.clone()),
        });
        *self.place() = Some(place);
    }

    fn place(&self) -> MutexGuard<'_, Option<Place>> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stay_off(&self) {
        self.accounts.queue.close();
        self.desk.end(End::Down);
    }

    /// What was started goes down with the pipeline where one of the threads is not given.
    fn start(&self, exporters: Vec<Box<dyn Export>>, warn: Warn) -> Result<(), Error> {
        let (desk, accounts, limits) = (&self.desk, &self.accounts, self.limits);
        let share = limits.share(exporters.len());
        let mut lanes = Vec::new();
        for (mut exporter, ledger) in exporters.into_iter().zip(&accounts.each) {
            if silenced(|| exporter.set_resource(&self.resource)).is_none() {
                desk.set_last_error("the exporter panicked at the resource".to_owned());
            }
            let lane = Lane::new(exporter.into(), desk, ledger, share, limits.export_timeout);
            lanes.push(lane);
        }
        let worker = Worker {
            desk: Arc::clone(desk),
            accounts: Arc::clone(accounts),
            lanes,
            limits,
            notices: Notices::new(warn),
            clock: Arc::clone(&self.core.clock),
            text: self.core.config.limits.text,
            next: None,
        };
        let started = worker.start_lanes();
        let started = started.and_then(|()| {
            let thread = thread::Builder::new().name("enter_span".to_owned());
            thread.spawn(move || worker.run())
        });
        match started {
            Ok(_) => Ok(()),
            Err(error) => Err(Error::NoThread(error)),
        }
    }

    /// The provider, for code that takes one.
    pub fn provider(&self) -> PipelineProvider {
        PipelineProvider::new(Arc::clone(&self.core))
    }

    /// A tracer for the library of this name whose spans, and all below them, are recorded here,
    /// whatever the process has: for a tenant, or for a part of a program.
    pub fn tracer(&self, library: impl Into<Cow<'static, str>>) -> Tracer {
        native::tracer(self.native(), library.into())
    }

    fn native(&self) -> Arc<Native> {
        Arc::new(Native(Arc::clone(&self.core)))
    }

    /// Whether `OTEL_SDK_DISABLED` turned it off: then it records nothing.
    pub fn is_disabled(&self) -> bool {
        self.informant.is_disabled
    }

    /// What the spans are of: for the providers of logs and metrics beside it.
    pub fn resource(&self) -> &Resource {
        &self.resource
    }

    /// What each exporter is, and where it exports to, as
    /// `otlp http/protobuf http://localhost:4318/v1/traces`. Never with credentials.
    pub fn exporters(&self) -> &[String] {
        &self.informant.exporters
    }

    /// Waits until all spans that have ended are exported or dropped.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`] if that takes longer; it goes on all the same. [`Error::Forked`] in a forked
    /// child.
    pub fn flush(&self, timeout: Duration) -> Result<(), Error> {
        if self.accounts.queue.is_forked() {
            Err(Error::Forked)
        } else {
            answered(self.desk.flush(timeout), timeout)
        }
    }

    /// Exports all spans that have ended until now, and shuts the exporters down. Spans that end
    /// later are counted and dropped. A second call waits for the first.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`] if that takes longer; [`Error::Forked`] in a forked child.
    pub fn shutdown(&self, timeout: Duration) -> Result<(), Error> {
        self.is_shut_down.store(true, Ordering::Relaxed);
        let is_forked = self.accounts.queue.is_forked();
        self.accounts.queue.close();
        let place = self.place().take();
        drop(place);
        if is_forked {
            Err(Error::Forked)
        } else {
            answered(self.desk.shut_down(timeout), timeout)
        }
    }

    /// What became of the spans.
    pub fn counts(&self) -> Counts {
        self.accounts.counts()
    }

    /// What became of the spans at each exporter, in the order in which they were given.
    pub fn exporter_counts(&self) -> Vec<ExporterCounts> {
        self.accounts.exporters()
    }

    /// Reports the pipeline's own state to this provider of meters, as the `otel.sdk.*` metrics of
    /// OpenTelemetry's conventions: the queue, and what was exported or dropped and why. Call it once,
    /// with the application's own provider, or with `opentelemetry::global::meter_provider()` after
    /// that is set. When the pipeline is gone, nothing is reported any more.
    pub fn report_to(&self, meters: &dyn MeterProvider) {
        let meter = meters.meter(env!("CARGO_PKG_NAME"));
        metrics::register(&meter, &self.accounts, self.limits, &self.alive);
    }

    /// What an exporter said that failed last, at an export, a flush or its shutdown; also that it
    /// panicked, or gave no answer in time. Nothing in a forked child.
    pub fn last_export_error(&self) -> Option<String> {
        if self.accounts.queue.is_forked() {
            None
        } else {
            self.desk.last_error()
        }
    }
}

fn answered(answer: Answer, timeout: Duration) -> Result<(), Error> {
    match answer {
        Answer::Done => Ok(()),
        Answer::TimedOut => Err(Error::TimedOut(timeout)),
        Answer::Died => Err(Error::Died),
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        // Nobody is there to be told. Whoever has waited by a call does not wait again.
        if !self.is_shut_down.load(Ordering::Relaxed) {
            let _ = self.shutdown(Duration::from_secs(5));
        }
    }
}

static INSTALLED: AtomicBool = AtomicBool::new(false);

/// The place of the one that is installed, which the next may take when this drops.
pub(crate) struct Place {
    installation: Option<Installation>,
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(self.installation.take());
        INSTALLED.store(false, Ordering::Relaxed);
    }
}

impl Place {
    pub(crate) fn take() -> Result<Self, Error> {
        if INSTALLED.swap(true, Ordering::Relaxed) {
            Err(Error::AlreadyInstalled)
        } else {
            Ok(Place { installation: None })
        }
    }
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Pipeline")
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}
