//! The handle of a running pipeline: flush, shutdown, counts, and its place in the process.

use std::borrow::Cow;
use std::fmt;
use std::mem;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use enter_span::Tracer;
use enter_span::native::{self, InstallCall, Installation, RecordConfig, SpanLimits};
use opentelemetry::metrics::MeterProvider;
use opentelemetry_sdk::Resource;
use tracing_core::callsite::rebuild_interest_cache;
use tracing_core::{Dispatch, dispatcher};

use crate::diagnosis::PipelineDiagnosis;
use crate::error::Error;
use crate::export::control::{Control, WaitResult, WorkerEnd};
use crate::export::export_thread::ExportThread;
use crate::export::exporter::Export;
use crate::export::worker::Worker;
use crate::host::clock::Clock;
use crate::host::unwind::{shielded, silenced};
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
use crate::stats::drop_warnings::{DropWarnings, Warn};
use crate::stats::ledgers::Ledgers;

/// A running pipeline: what an application keeps for as long as it wants spans.
///
/// Dropped, it shuts down, and waits for that for at most five seconds, unless it was shut down before.
/// A `static` is never dropped, and `std::process::exit` drops nothing: call
/// [`shutdown`](Pipeline::shutdown) before.
#[must_use = "the pipeline shuts down when this is dropped, and `let _ =` drops it at once; write `let pipeline = ..`"]
pub struct Pipeline {
    core: Arc<Core>,
    resource: Resource,
    diagnosis: Arc<PipelineDiagnosis>,
    ledgers: Arc<Ledgers>,
    control: Arc<Control>,
    limits: Limits,
    slot: Mutex<Option<InstallSlot>>,
    /// Lets the metrics see that the handle is gone.
    alive: Arc<()>,
    /// A call has shut it down, and has waited already.
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
    pub(crate) tells_place: bool,
    pub(crate) warnings: Vec<String>,
    pub(crate) warn: Warn,
}

impl PipelineConfig {
    /// Takes the sampler and the muting out.
    fn core(&mut self, queue: &Arc<SpanQueue>) -> Arc<Core> {
        let clock = Arc::new(Clock::new());
        let sink = QueueSink {
            queue: Arc::clone(queue),
            clock: Arc::clone(&clock),
        };
        let config = RecordConfig {
            limits: self.span_limits,
            tells_place: self.tells_place,
            sink: Box::new(sink),
        };
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
        let worker_control = Arc::clone(&control);
        let ledgers = Arc::new(Ledgers {
            queue: SpanQueue::new(limits, move |call| worker_control.call(call)),
            all: Arc::default(),
            each: exporters.iter().map(|_| Arc::default()).collect(),
            is_installed: AtomicBool::new(false),
        });
        let core = config.core(&ledgers.queue);
        let diagnosis = PipelineDiagnosis {
            core: Arc::clone(&core),
            ledgers: Arc::clone(&ledgers),
            exporters: exporters.iter().map(|one| one.description()).collect(),
            is_disabled: config.is_disabled,
            sampler_by: config.sampler_by,
            warnings: config.warnings,
        };
        let pipeline = Pipeline {
            core,
            diagnosis: Arc::new(diagnosis),
            resource: config.resource,
            ledgers,
            control,
            limits,
            slot: Mutex::new(None),
            alive: Arc::new(()),
            is_shut_down: AtomicBool::new(false),
        };
        if config.is_disabled {
            pipeline.stay_off()
        } else {
            pipeline.start(exporters, config.warn)?
        }
        Ok(pipeline)
    }

    /// Makes it the process's, in the place that was taken for it.
    pub(crate) fn install(&self, mut slot: InstallSlot, caller: &'static Location<'static>) {
        if !self.is_disabled() {
            let provider = self.provider();
            // OpenTelemetry makes an event of it, which is no news to whoever installs a pipeline.
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

    fn stay_off(&self) {
        self.ledgers.queue.buffers.close();
        self.control.end(WorkerEnd::Down);
    }

    /// If a thread cannot be spawned, the threads that were end with the pipeline.
    fn start(&self, exporters: Vec<Box<dyn Export>>, warn: Warn) -> Result<(), Error> {
        let (control, ledgers, limits) = (&self.control, &self.ledgers, self.limits);
        let share = limits.share(exporters.len());
        let mut export_threads = Vec::new();
        for (mut exporter, ledger) in exporters.into_iter().zip(&ledgers.each) {
            if silenced(|| exporter.set_resource(&self.resource)).is_none() {
                control.set_last_error("the exporter panicked at the resource".to_owned());
            }
            exporter.count_in(ledger);
            let export_thread = ExportThread::new(
                exporter.into(),
                control,
                ledger,
                share,
                limits.export_timeout,
            );
            export_threads.push(export_thread);
        }
        let worker = Worker {
            control: Arc::clone(control),
            ledgers: Arc::clone(ledgers),
            export_threads,
            limits,
            drop_warnings: DropWarnings::new(warn),
            clock: Arc::clone(&self.core.clock),
            text: self.core.config.limits.text,
            next: None,
        };
        let started = worker.start_export_threads().and_then(|()| {
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
        native::tracer(self.native(), Arc::new(self.provider()), library.into())
    }

    fn native(&self) -> Arc<NativeBackend> {
        Arc::new(NativeBackend(Arc::clone(&self.core)))
    }

    /// Whether `OTEL_SDK_DISABLED` turned it off: then it records nothing.
    pub fn is_disabled(&self) -> bool {
        self.diagnosis.is_disabled
    }

    /// What the spans are of: for the providers of logs and metrics beside it.
    pub fn resource(&self) -> &Resource {
        &self.resource
    }

    /// What each exporter is, and where it exports to, as
    /// `otlp http/protobuf http://localhost:4318/v1/traces`. Never with credentials.
    pub fn exporters(&self) -> &[String] {
        &self.diagnosis.exporters
    }

    /// Waits until all spans that have ended are exported or dropped.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`] if that takes longer; it goes on all the same. [`Error::Forked`] in a forked
    /// child.
    pub fn flush(&self, timeout: Duration) -> Result<(), Error> {
        if self.ledgers.queue.buffers.is_forked() {
            Err(Error::Forked)
        } else {
            wait_result(self.control.flush(timeout), timeout)
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
        let is_forked = self.ledgers.queue.buffers.is_forked();
        self.ledgers.queue.buffers.close();
        let slot = self.slot().take();
        drop(slot);
        if is_forked {
            Err(Error::Forked)
        } else {
            wait_result(self.control.shut_down(timeout), timeout)
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
            self.control.last_error()
        }
    }
}

fn wait_result(result: WaitResult, timeout: Duration) -> Result<(), Error> {
    match result {
        WaitResult::Done => Ok(()),
        WaitResult::TimedOut => Err(Error::TimedOut(timeout)),
        WaitResult::Died => Err(Error::Died),
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        // There is nobody to return an error to. A call of `shutdown` has waited already.
        if !self.is_shut_down.load(Ordering::Relaxed) {
            let _ = self.shutdown(Duration::from_secs(5));
        }
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
    let _ = shielded(rebuild_interest_cache);
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
