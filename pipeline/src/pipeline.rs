//! The handle of a running pipeline: flush, shutdown, counts, and its place in the process.

#[cfg(all(test, not(enter_span_loom)))]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::mem;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use enter_span::Tracer;
use enter_span::native::{self, Extras, InstallCall, Installation, RecordConfig, SpanLimits};
use opentelemetry::metrics::MeterProvider;
use opentelemetry_sdk::Resource;
use tracing_core::callsite::rebuild_interest_cache;
use tracing_core::subscriber::NoSubscriber;
use tracing_core::{Dispatch, LevelFilter, dispatcher};

use crate::diagnosis::{KeepText, PipelineDiagnosis};
use crate::error::{Error, wait_result};
use crate::export::async_wait::AsyncWaits;
use crate::export::control::Control;
use crate::export::exporter::Export;
use crate::export::overflow::Overflow;
use crate::export::pipeline_threads::{PipelineThreads, ThreadsConfig};
use crate::host::clock::Clock;
use crate::host::unwind::shielded;
use crate::keep::Keep;
use crate::metrics;
use crate::queue::limit::Limits;
use crate::queue::span_queue::SpanQueue;
use crate::record::core::{Core, QueueSink};
use crate::record::native_backend::NativeBackend;
use crate::record::provider::PipelineProvider;
use crate::sampling::muting::Muting;
use crate::sampling::sampler::Sampler;
use crate::stats::counts::{Counts, ExporterCounts};
use crate::stats::declined::Declined;
use crate::stats::keep_counts::KeepLedger;
use crate::stats::ledgers::Ledgers;
use crate::stats::warning_queue::Warn;

/// A running pipeline: what an application keeps for as long as it wants spans.
///
/// Dropped, it shuts down, and waits for that for at most five seconds, unless it was shut down before.
/// A `static` is never dropped, and `std::process::exit` drops nothing: call
/// [`shutdown`](Pipeline::shutdown) before.
///
/// ```
/// use std::time::Duration;
///
/// use enter_span_pipeline::{Console, Pipeline};
///
/// let pipeline = Pipeline::builder().with_exporter(Console::new()).build()?;
/// for exporter in pipeline.exporters() {
///     println!("exports to {exporter}");
/// }
/// if pipeline.is_disabled() {
///     println!("OTEL_SDK_DISABLED is true");
/// }
/// println!("{:?}", pipeline.resource());
///
/// pipeline.tracer("shop").enter_span("order", |_| {});
/// pipeline.flush(Duration::from_secs(5))?;
/// let counts = pipeline.counts();
/// # if !pipeline.is_disabled() {
/// assert_eq!((counts.exported, counts.dropped.total()), (1, 0));
/// assert_eq!(pipeline.exporter_counts()[0].exported, 1);
/// # }
/// if let Some(error) = pipeline.last_export_error() {
///     eprintln!("the last export failed: {error}");
/// }
/// pipeline.shutdown(Duration::from_secs(5))?;
/// # Ok::<(), enter_span_pipeline::Error>(())
/// ```
#[must_use = "the pipeline shuts down when this is dropped, and `let _ =` drops it immediately; write `let pipeline = ..`"]
pub struct Pipeline {
    core: Arc<Core>,
    resource: Resource,
    diagnosis: Arc<PipelineDiagnosis>,
    ledgers: Arc<Ledgers>,
    limits: Limits,
    threads: Arc<PipelineThreads>,
    waits: Arc<AsyncWaits>,
    slot: Mutex<Option<InstallSlot>>,
    /// Lets the metrics see that the handle is gone.
    alive: Arc<()>,
    /// A call has shut it down, and has waited for it.
    is_shut_down: AtomicBool,
}

/// What the code, the environment and the defaults come to.
pub(crate) struct PipelineConfig {
    pub(crate) is_disabled: bool,
    pub(crate) resource: Resource,
    pub(crate) exporters: Vec<Box<dyn Export>>,
    pub(crate) sampler: Sampler,
    pub(crate) sampler_by: &'static str,
    pub(crate) muting: Muting,
    pub(crate) limits: Limits,
    pub(crate) span_limits: SpanLimits,
    pub(crate) extras: Extras,
    pub(crate) warnings: Vec<String>,
    pub(crate) warn: Warn,
    pub(crate) overflow: Option<Arc<dyn Overflow>>,
    /// The policy, with the words that `diagnose` has for it.
    pub(crate) keep: Option<(Keep, KeepText)>,
}

impl PipelineConfig {
    /// Takes the warnings out.
    fn diagnosis(
        &mut self,
        core: &Arc<Core>,
        ledgers: &Arc<Ledgers>,
        exporters: &[Box<dyn Export>],
    ) -> PipelineDiagnosis {
        PipelineDiagnosis {
            core: Arc::clone(core),
            ledgers: Arc::clone(ledgers),
            exporters: exporters.iter().map(|one| one.description()).collect(),
            is_disabled: self.is_disabled,
            sampler_by: self.sampler_by,
            warnings: mem::take(&mut self.warnings),
            keep: self.keep.as_ref().map(|(_, text)| text.clone()),
        }
    }

    /// Takes the sampler and the muting out.
    fn core(&mut self, queue: &Arc<SpanQueue>) -> Arc<Core> {
        let clock = Arc::new(Clock::new());
        let sink = QueueSink {
            queue: Arc::clone(queue),
            clock: Arc::clone(&clock),
        };
        let extras = match &self.keep {
            // Only a policy asks for the root.
            Some(_) => self.extras.and(Extras::ROOT),
            None => self.extras,
        };
        let config = RecordConfig::new(self.span_limits, extras, Box::new(sink));
        Arc::new(Core {
            config: Arc::new(config),
            queue: Arc::clone(queue),
            clock,
            is_parent_based: self.sampler.is_parent_based(),
            sampler: mem::take(&mut self.sampler),
            muting: mem::take(&mut self.muting),
            declined: Declined::default(),
        })
    }
}

/// As an application writes it.
const INSTALL: &str = "PipelineBuilder::install";

impl Pipeline {
    pub(crate) fn of(mut config: PipelineConfig) -> Result<Self, Error> {
        let (limits, exporters) = (config.limits, mem::take(&mut config.exporters));
        let control = Arc::new(Control::default());
        let ledgers = ledgers(limits, exporters.len(), &control);
        let core = config.core(&ledgers.queue);
        let diagnosis = config.diagnosis(&core, &ledgers, &exporters);
        let threads = Arc::new(if config.is_disabled {
            PipelineThreads::off(control, Arc::clone(&ledgers), config.warn)
        } else {
            let config = ThreadsConfig {
                exporters,
                resource: &config.resource,
                limits,
                warn: config.warn,
                clock: Arc::clone(&core.clock),
                text: core.config.limits.text,
                overflow: config.overflow,
                keep: config.keep.map(|(keep, _)| keep),
            };
            let started = PipelineThreads::start(control, Arc::clone(&ledgers), config);
            started.map_err(Error::NoThread)?
        });
        Ok(Pipeline {
            core,
            resource: config.resource,
            diagnosis: Arc::new(diagnosis),
            ledgers,
            limits,
            waits: AsyncWaits::new(&threads),
            threads,
            slot: Mutex::new(None),
            alive: Arc::new(()),
            is_shut_down: AtomicBool::new(false),
        })
    }

    /// Makes it the process's, in the place that was taken for it.
    pub(crate) fn install(&self, mut slot: InstallSlot, caller: &'static Location<'static>) {
        if !self.is_disabled() {
            let provider = self.provider();
            // OpenTelemetry makes an event of it, which is no news to a caller that installs a pipeline.
            dispatcher::with_default(&Dispatch::none(), || {
                opentelemetry::global::set_tracer_provider(provider);
            });
            let provider = Arc::new(self.provider());
            let installation = native::install_native(self.native(), provider, INSTALL, caller);
            slot.installation = Some(installation);
        }
        self.ledgers.is_installed.store(true, Ordering::Relaxed);
        native::remember(InstallCall {
            name: INSTALL,
            place: caller,
            mark: Some(self.core.mark()),
            generation: slot.installation.as_ref().map(Installation::generation),
            source: Some(self.diagnosis.clone()),
        });
        *self.slot() = Some(slot);
        ask_filters_again();
    }

    fn slot(&self) -> MutexGuard<'_, Option<InstallSlot>> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The provider, for code that takes one.
    ///
    /// ```
    /// use enter_span_pipeline::{Console, Pipeline};
    /// use opentelemetry::trace::{Tracer as _, TracerProvider as _};
    ///
    /// let pipeline = Pipeline::builder().with_exporter(Console::new()).build()?;
    /// let tracer = pipeline.provider().tracer("other-instrumentation");
    /// tracer.in_span("order", |_| {});
    /// # Ok::<(), enter_span_pipeline::Error>(())
    /// ```
    pub fn provider(&self) -> PipelineProvider {
        PipelineProvider::new(Arc::clone(&self.core))
    }

    /// A tracer for the library of this name whose spans, and all below them, are recorded here,
    /// whatever the process has: for a tenant, or for a part of a program.
    pub fn tracer(&self, library: impl Into<Cow<'static, str>>) -> Tracer {
        native::tracer(self.native(), Arc::new(self.provider()), library.into())
    }

    fn native(&self) -> Arc<NativeBackend> {
        Arc::new(NativeBackend(Arc::clone(&self.core)))
    }

    /// Whether `OTEL_SDK_DISABLED` turned it off: then it records nothing.
    pub fn is_disabled(&self) -> bool {
        self.diagnosis.is_disabled
    }

    /// The resource: service name and attributes. For the providers of logs and metrics beside it.
    pub fn resource(&self) -> &Resource {
        &self.resource
    }

    /// What each exporter is, and where it exports to, as
    /// `otlp http/protobuf http://localhost:4318/v1/traces`. Never with credentials.
    pub fn exporters(&self) -> &[String] {
        &self.diagnosis.exporters
    }

    /// Waits until all spans that have ended are exported, dropped, or written to the spool. A batch that waits to
    /// be sent again is waited for. What is in the spool is not.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`] if that takes longer; it goes on all the same. [`Error::Forked`] in a forked
    /// child.
    pub fn flush(&self, timeout: Duration) -> Result<(), Error> {
        if self.ledgers.queue.buffers.is_forked() {
            Err(Error::Forked)
        } else {
            wait_result(self.threads.flush(timeout), timeout)
        }
    }

    /// Exports all spans that have ended until now, and shuts the exporters down. Spans that end
    /// later are counted and dropped. What waits to be sent again is tried once more, without a pause. A second
    /// call waits for the first.
    ///
    /// If that takes longer, spans that are not exported by then are dropped and counted
    /// ([`Dropped::shutdown_timed_out`](crate::Dropped::shutdown_timed_out)), and the application is
    /// [warned](crate::PipelineBuilder::with_warnings) before this returns, which may take a second more. With a
    /// spool they are written to it, in the last quarter of the time and at most two seconds, and this succeeds if
    /// all of them are. With a [`Keep`], what is undecided is exported. If a rule of the policy still runs when the
    /// time is over, its spans stay `queued` or `undecided`, and the warning gives their number.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`] if that takes longer; [`Error::Forked`] in a forked child.
    pub fn shutdown(&self, timeout: Duration) -> Result<(), Error> {
        self.is_shut_down.store(true, Ordering::Relaxed);
        self.close()?;
        wait_result(self.threads.shut_down(timeout), timeout)
    }

    /// Awaits what [`flush`](Pipeline::flush) waits for, with the same results, and blocks no thread of the
    /// application: for `async` code, above all where an exporter needs the runtime of the caller. It begins at
    /// the first poll, and needs no Tokio: a thread of the pipeline's waits, also for the end of the time. Drop
    /// the future, and only the waiting ends.
    ///
    /// # Errors
    ///
    /// As [`flush`](Pipeline::flush); and [`Error::NoThread`] if there is no thread that could wait.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use enter_span_pipeline::Pipeline;
    /// # use enter_span_pipeline::Console;
    ///
    /// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    /// # runtime.block_on(async {
    /// let pipeline = Pipeline::builder().with_exporter(Console::new()).build()?;
    /// pipeline.tracer("docs").enter_span("work", |_| {});
    /// pipeline.flush_async(Duration::from_secs(5)).await?;
    /// assert_eq!(pipeline.counts().exported, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn flush_async(&self, timeout: Duration) -> Result<(), Error> {
        wait_result(self.waits.flush(timeout).await, timeout)
    }

    /// Awaits what [`shutdown`](Pipeline::shutdown) waits for, with the same results, and blocks no thread of
    /// the application. It begins at the first poll. Drop the future after that, and the shutdown goes on until
    /// its time is over; the drop of the handle then waits for it as it always does.
    ///
    /// # Errors
    ///
    /// As [`shutdown`](Pipeline::shutdown); and [`Error::NoThread`] if there is no thread that could wait: the
    /// shutdown goes on.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use enter_span_pipeline::Pipeline;
    /// # use enter_span_pipeline::Console;
    ///
    /// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    /// # runtime.block_on(async {
    /// let pipeline = Pipeline::builder().with_exporter(Console::new()).install()?;
    /// // .. the service runs, until it is asked to stop
    /// pipeline.shutdown_async(Duration::from_secs(5)).await?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn shutdown_async(&self, timeout: Duration) -> Result<(), Error> {
        self.close()?;
        let result = self.waits.shut_down(timeout).await;
        self.is_shut_down.store(true, Ordering::Relaxed);
        wait_result(result, timeout)
    }

    /// Nothing is recorded any more.
    fn close(&self) -> Result<(), Error> {
        let is_forked = self.ledgers.queue.buffers.is_forked();
        self.ledgers.queue.buffers.close();
        let slot = self.slot().take();
        drop(slot);
        if is_forked {
            Err(Error::Forked)
        } else {
            Ok(())
        }
    }

    /// What became of the spans.
    pub fn counts(&self) -> Counts {
        self.ledgers.counts()
    }

    /// What became of the spans at each exporter, in the order in which they were given.
    pub fn exporter_counts(&self) -> Vec<ExporterCounts> {
        self.ledgers.exporters()
    }

    /// Reports the pipeline's own state to this provider of meters, as the `otel.sdk.*` metrics of
    /// OpenTelemetry's conventions: the queue, and what was exported or dropped and why. Call it once,
    /// with the application's own provider, or with `opentelemetry::global::meter_provider()` after
    /// that is set. When the pipeline is gone, nothing is reported any more.
    ///
    /// ```
    /// use enter_span_pipeline::{Console, Pipeline};
    ///
    /// let pipeline = Pipeline::builder().with_exporter(Console::new()).install()?;
    /// pipeline.report_to(&*opentelemetry::global::meter_provider());
    /// # Ok::<(), enter_span_pipeline::Error>(())
    /// ```
    pub fn report_to(&self, meters: &dyn MeterProvider) {
        let meter = meters.meter(env!("CARGO_PKG_NAME"));
        metrics::register(&meter, &self.ledgers, self.limits, &self.alive);
    }

    /// What an exporter said that failed last, at an export, a flush or its shutdown; also that it
    /// panicked, or gave no answer in time. Nothing in a forked child.
    pub fn last_export_error(&self) -> Option<String> {
        if self.ledgers.queue.buffers.is_forked() {
            None
        } else {
            self.threads.last_error()
        }
    }
}

fn ledgers(limits: Limits, exporters: usize, control: &Arc<Control>) -> Arc<Ledgers> {
    let control = Arc::clone(control);
    Arc::new(Ledgers {
        queue: SpanQueue::new(limits, move |call| control.call(call)),
        all: Arc::default(),
        each: (0..exporters).map(|_| Arc::default()).collect(),
        keep: Arc::new(KeepLedger::default()),
        is_installed: AtomicBool::new(false),
    })
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        // A call of `shutdown` has waited already.
        if self.is_shut_down.load(Ordering::Relaxed) {
            return;
        }
        // There is nobody to return an error to.
        self.threads
            .shut_down_unwatched(|| match self.shutdown(Duration::from_secs(5)) {
                Err(error @ Error::TimedOut(_)) => Some(format!("the shutdown failed: {error}")),
                _ => None,
            });
    }
}

static INSTALLED: AtomicBool = AtomicBool::new(false);

/// The place of the installed pipeline. The next one may take it when this drops.
pub(crate) struct InstallSlot {
    installation: Option<Installation>,
}

impl Drop for InstallSlot {
    fn drop(&mut self) {
        drop(self.installation.take());
        INSTALLED.store(false, Ordering::Relaxed);
        ask_filters_again();
    }
}

/// Filters of `tracing` may ask whether anything is installed, and their answers are kept.
fn ask_filters_again() {
    // Where there is none, `tracing` would take its silence for a wish to see all levels, and look at each callsite.
    let is_subscriber = |dispatch: &Dispatch| !dispatch.is::<NoSubscriber>();
    if LevelFilter::current() != LevelFilter::OFF || dispatcher::get_default(is_subscriber) {
        let _ = shielded(rebuild_interest_cache);
    }
}

impl InstallSlot {
    pub(crate) fn take() -> Result<Self, Error> {
        if INSTALLED.swap(true, Ordering::Relaxed) {
            Err(Error::AlreadyInstalled)
        } else {
            Ok(InstallSlot { installation: None })
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
