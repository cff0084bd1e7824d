//! Who makes spans, and who changes things meanwhile.

use std::error::Error;
use std::mem;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use enter_span_pipeline::{Counts, Limits, Pipeline};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use tokio::runtime::Runtime;

use crate::book::Book;
use crate::receiver::{Mood, Receiver};

const THREADS: u64 = 8;

pub(crate) struct Stage {
    shared: Arc<Shared>,
    receiver: Receiver,
    random: SmallRng,
    runtime: Runtime,
    totals: Totals,
}

struct Shared {
    pipeline: RwLock<Pipeline>,
    book: Arc<Book>,
    is_over: AtomicBool,
}

/// Of all pipelines together.
#[derive(Default)]
pub(crate) struct Totals {
    pub(crate) counts: Sums,
    pub(crate) pipelines: u64,
    pub(crate) flushes: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Sums {
    pub(crate) recorded: u64,
    pub(crate) exported: u64,
    pub(crate) dropped: u64,
    pub(crate) shutdown_timed_out: u64,
    pub(crate) queued: u64,
    pub(crate) retried: u64,
    pub(crate) given_up: u64,
}

impl Sums {
    fn add(&mut self, counts: Counts) {
        self.recorded += counts.recorded;
        self.exported += counts.exported;
        self.dropped += counts.dropped.total();
        self.shutdown_timed_out += counts.dropped.shutdown_timed_out;
        self.queued += counts.queued;
        self.retried += counts.retried;
        self.given_up += counts.given_up;
    }
}

/// A pipeline that is short of room and of patience. A spool has its place here.
fn pipeline(address: SocketAddr) -> Result<Pipeline, enter_span_pipeline::Error> {
    let limits = Limits::default()
        .with_queue_spans(8 * 1024)
        .with_retry_time(Duration::from_secs(10))
        .with_interval(Duration::from_millis(50));
    let builder = Pipeline::builder().with_limits(limits);
    let builder = builder.with_environment(move |name| match name {
        "OTEL_EXPORTER_OTLP_ENDPOINT" => Some(format!("http://{address}")),
        "OTEL_EXPORTER_OTLP_TIMEOUT" => Some("3000".to_owned()),
        _ => None,
    });
    builder.with_otlp().with_warnings(|_| {}).build()
}

impl Stage {
    pub(crate) fn new(
        receiver: Receiver,
        book: Arc<Book>,
        random: SmallRng,
    ) -> Result<Self, Box<dyn Error>> {
        let shared = Shared {
            pipeline: RwLock::new(pipeline(receiver.address)?),
            book,
            is_over: AtomicBool::new(false),
        };
        Ok(Stage {
            shared: Arc::new(shared),
            receiver,
            random,
            runtime: tokio::runtime::Builder::new_current_thread().build()?,
            totals: Totals::default(),
        })
    }

    pub(crate) fn start_threads(&self, seed: u64) -> Vec<JoinHandle<()>> {
        let start = |number| {
            let shared = Arc::clone(&self.shared);
            let random = SmallRng::seed_from_u64(seed.wrapping_add(number));
            thread::spawn(move || shared.make_spans(random))
        };
        (0..THREADS).map(start).collect()
    }

    /// Changes things at random until then.
    pub(crate) fn act_until(&mut self, end: Instant) {
        while Instant::now() < end {
            match self.random.random_range(0..40) {
                0 => self.replace(),
                1..12 => self.flush(),
                _ => self.receiver.change(),
            }
            let pause = Duration::from_millis(self.random.random_range(10..600));
            thread::sleep(pause.min(end.saturating_duration_since(Instant::now())));
        }
    }

    fn time(&mut self, most: u64) -> Duration {
        Duration::from_millis(self.random.random_range(1..most))
    }

    fn flush(&mut self) {
        let timeout = self.time(500);
        let is_async = self.random.random();
        let pipeline = self.shared.pipeline.read();
        let pipeline = pipeline.unwrap_or_else(PoisonError::into_inner);
        // What is not flushed in time is exported later.
        let _ = if is_async {
            self.runtime.block_on(pipeline.flush_async(timeout))
        } else {
            pipeline.flush(timeout)
        };
        self.totals.flushes += 1;
    }

    /// Another pipeline takes its place.
    fn replace(&mut self) {
        let timeout = self.time(5_000);
        if let Ok(next) = pipeline(self.receiver.address) {
            let before = mem::replace(&mut *self.shared.write(), next);
            self.shut_down(&before, timeout);
        }
    }

    /// No thread has spans of it any more.
    fn shut_down(&mut self, pipeline: &Pipeline, timeout: Duration) {
        // What is not exported in time is counted.
        let _ = if self.random.random() {
            self.runtime.block_on(pipeline.shutdown_async(timeout))
        } else {
            pipeline.shutdown(timeout)
        };
        self.totals.counts.add(pipeline.counts());
        self.totals.pipelines += 1;
    }

    pub(crate) fn stop(&self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        self.receiver.set(Mood::Well);
    }

    /// The receiver is well, so all that is left arrives.
    pub(crate) fn end(mut self) -> Result<Totals, Box<dyn Error>> {
        let next = pipeline(self.receiver.address)?;
        let last = mem::replace(&mut *self.shared.write(), next);
        last.flush(Duration::from_secs(60))?;
        self.shut_down(&last, Duration::from_secs(60));
        Ok(self.totals)
    }
}

impl Shared {
    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Pipeline> {
        self.pipeline
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// At most so many that the book has room for all.
    fn make_spans(&self, mut random: SmallRng) {
        while !self.is_over.load(Ordering::Relaxed) {
            let pipeline = self.pipeline.read();
            let pipeline = pipeline.unwrap_or_else(PoisonError::into_inner);
            let tracer = pipeline.tracer("soak");
            for _ in 0..random.random_range(1..10) {
                let Some(number) = self.book.next() else {
                    return;
                };
                tracer.enter_span("work", |span| {
                    span.set_attribute("number", number.cast_signed());
                });
            }
            drop(pipeline);
            thread::sleep(Duration::from_millis(random.random_range(5..20)));
        }
    }
}
