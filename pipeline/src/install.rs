//! Builds a pipeline, installs it, and is what the application holds of it.

use std::borrow::Cow;
use std::env::VarError;
use std::fmt;
use std::io::{self, Write as _};
use std::panic::Location;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use enter_span::Tracer;
use enter_span::native::{self, Call, Installation};
use opentelemetry::metrics::MeterProvider;
use opentelemetry::propagation::{TextMapCompositePropagator, TextMapPropagator};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanExporter;

use crate::account::Accounts;
use crate::buffer::Queue;
use crate::choice;
use crate::clock::Clock;
use crate::core::Core;
use crate::count::{Counts, ExporterCounts};
use crate::declined::Declined;
use crate::desk::{Answer, Desk, End};
use crate::diagnosis::Informant;
use crate::environment::{Environment, Named, Variables};
use crate::exporter::Export;
use crate::id;
use crate::lane::Lane;
use crate::limit::{Limits, SpanLimits};
use crate::metrics;
use crate::muting::{Muting, Rule};
use crate::native::Native;
use crate::notice::{Notices, Warn};
use crate::provider::Provider;
use crate::sampling::Sampler;
use crate::worker::Worker;

/// A running pipeline: what an application keeps for as long as it wants spans.
///
/// Dropped, it shuts down, and waits for that for at most five seconds. A `static` is never dropped,
/// and `std::process::exit` drops nothing: call [`shutdown`](Pipeline::shutdown) before.
#[must_use = "the pipeline shuts down when this is dropped"]
pub struct Pipeline {
    core: Arc<Core>,
    resource: Resource,
    informant: Arc<Informant>,
    accounts: Arc<Accounts>,
    desk: Arc<Desk>,
    limits: Limits,
    place: Mutex<Option<Place>>,
}

/// Makes a [`Pipeline`].
#[must_use = "a builder does nothing until it builds"]
pub struct Builder {
    exporters: Vec<Box<dyn Export>>,
    named: Vec<Named>,
    // What is `None` comes from the environment.
    sampler: Option<Sampler>,
    resource: Option<Resource>,
    span_limits: Option<SpanLimits>,
    limits: Option<Limits>,
    muting: Muting,
    environment: Box<Variables>,
    warn: Warn,
    propagator: Option<TextMapCompositePropagator>,
}

/// What holds, be it from the code, from the environment, or by default.
struct Settled {
    is_disabled: bool,
    resource: Resource,
    exporters: Vec<Box<dyn Export>>,
    sampler: Sampler,
    sampler_by: &'static str,
    muting: Muting,
    limits: Limits,
    span_limits: SpanLimits,
    warnings: Vec<String>,
    warn: Warn,
}

impl Default for Builder {
    fn default() -> Self {
        Builder {
            exporters: Vec::new(),
            named: Vec::new(),
            sampler: None,
            resource: None,
            span_limits: None,
            limits: None,
            muting: Muting::default(),
            environment: Box::new(|variable| std::env::var(variable)),
            warn: Box::new(|warning| {
                // Without a stderr there is nobody to warn.
                let _ = writeln!(io::stderr(), "enter_span: {warning}");
            }),
            propagator: None,
        }
    }
}

impl Builder {
    /// Exports to this one too, and not to those that `OTEL_TRACES_EXPORTER` names. Each gets all spans,
    /// on a thread of its own.
    pub fn with_exporter(mut self, exporter: impl SpanExporter + 'static) -> Self {
        self.exporters.push(Box::new(exporter));
        self
    }

    /// Exports by OTLP too, whatever `OTEL_TRACES_EXPORTER` names, as `OTEL_EXPORTER_OTLP_*` say.
    #[cfg(any(feature = "otlp-http", feature = "otlp-grpc"))]
    pub fn with_otlp(mut self) -> Self {
        self.named = vec![Named::Otlp];
        self
    }

    /// Records what this sampler decides.
    pub fn with_sampler(mut self, sampler: Sampler) -> Self {
        self.sampler = Some(sampler);
        self
    }

    /// What the spans are of. Without it, what the environment says (`OTEL_SERVICE_NAME`,
    /// `OTEL_RESOURCE_ATTRIBUTES`).
    pub fn with_resource(mut self, resource: Resource) -> Self {
        self.resource = Some(resource);
        self
    }

    /// How many attributes, events and links a span keeps; the rest is counted.
    pub fn with_span_limits(mut self, limits: SpanLimits) -> Self {
        self.span_limits = Some(limits);
        self
    }

    /// Mutes the instrumentation scope of this name, a crate: its spans are not made, and what they
    /// would hold is their parents'. `*` stands for all that have no rule of their own. The last rule
    /// for a name holds, and stands before that of `ENTER_SPAN_SCOPES`.
    pub fn with_muted_scope(mut self, name: impl Into<String>) -> Self {
        self.muting.set(name.into(), Rule::Muted);
        self
    }

    /// Has the instrumentation scope of this name make spans, where `*` is muted, or where
    /// `ENTER_SPAN_SCOPES` mutes it.
    pub fn with_enabled_scope(mut self, name: impl Into<String>) -> Self {
        self.muting.set(name.into(), Rule::Enabled);
        self
    }

    /// How much waits, and how long.
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = Some(limits);
        self
    }

    /// Reads variables through this instead of the process's environment: for tests, and for settings
    /// that come from elsewhere.
    pub fn with_environment(mut self, get: impl Fn(&str) -> Option<String> + 'static) -> Self {
        self.environment = Box::new(move |variable| get(variable).ok_or(VarError::NotPresent));
        self
    }

    /// Tells of wrong values in the environment, and of dropped spans, here instead of on stderr. Of
    /// drops it is told from the pipeline's own thread, at once and then at most once a minute.
    pub fn with_warnings(mut self, warn: impl Fn(&str) + Send + 'static) -> Self {
        self.warn = Box::new(warn);
        self
    }

    /// Carries spans and baggage between processes by this one: it becomes OpenTelemetry's global
    /// propagator when the pipeline is [installed](Builder::install). Without it, what
    /// `OTEL_PROPAGATORS` says; the default are W3C's trace context and baggage.
    ///
    /// OpenTelemetry does not tell whether there is a global propagator already. One that the
    /// application sets itself stays if it is set after the installation, or if `OTEL_PROPAGATORS` is
    /// `none`.
    pub fn with_propagator(
        mut self,
        propagator: impl TextMapPropagator + Send + Sync + 'static,
    ) -> Self {
        let all: Vec<Box<dyn TextMapPropagator + Send + Sync>> = vec![Box::new(propagator)];
        self.propagator = Some(TextMapCompositePropagator::new(all));
        self
    }

    /// Starts a pipeline that nothing uses yet: for [`Pipeline::provider`], as that of a tenant.
    ///
    /// # Errors
    ///
    /// If the operating system gives no thread.
    pub fn build(self) -> Result<Pipeline, Error> {
        id::begin_anew();
        let settled = self.settle();
        for warning in &settled.warnings {
            (settled.warn)(warning);
        }
        Pipeline::of(settled)
    }

    /// Reads the environment for what the code leaves open.
    fn settle(self) -> Settled {
        let mut environment = Environment::new(&*self.environment);
        environment.check_exception_signal();
        let is_disabled = environment.is_disabled();
        let resource = self.resource.unwrap_or_else(|| environment.resource());
        let mut exporters = self.exporters;
        if !is_disabled {
            let named = choice::exporters(self.named, &exporters, &mut environment);
            exporters.extend(named);
        }
        let sampler_by = match self.sampler {
            Some(_) => "the code",
            None => environment.sampler_by(),
        };
        let sampler = self.sampler.unwrap_or_else(|| environment.sampler());
        let muting = environment.muting().overruled_by(self.muting);
        let limits = self.limits.unwrap_or_else(|| environment.limits());
        let span_limits = self.span_limits;
        let span_limits = span_limits.unwrap_or_else(|| environment.span_limits());
        Settled {
            is_disabled,
            resource,
            exporters,
            sampler,
            sampler_by,
            muting,
            limits,
            span_limits,
            warnings: environment.into_warnings(),
            warn: self.warn,
        }
    }

    /// Starts a pipeline and records through it: our spans, and those of all code that uses
    /// OpenTelemetry's global provider.
    ///
    /// # Errors
    ///
    /// [`Error::AlreadyInstalled`] while another one is; [`Error::NoThread`] if the operating system
    /// gives no thread.
    #[track_caller]
    pub fn install(mut self) -> Result<Pipeline, Error> {
        if INSTALLED.swap(true, Ordering::Relaxed) {
            return Err(Error::AlreadyInstalled);
        }
        let mut place = Place { installation: None };
        let propagator = self.take_propagator();
        let mut pipeline = self.build()?;
        // Also where it is disabled: that is of spans, and not of what others have sent.
        if let Some(propagator) = propagator {
            opentelemetry::global::set_text_map_propagator(propagator);
        }
        if !pipeline.is_disabled() {
            opentelemetry::global::set_tracer_provider(pipeline.provider());
            place.installation = Some(native::install_native(pipeline.native()));
        }
        let generation = place.installation.as_ref().map(Installation::generation);
        native::remember(Call {
            name: "Builder::install",
            place: Location::caller(),
            mark: Some(pipeline.core.mark()),
            generation,
            informant: Some(pipeline.informant.clone()),
        });
        pipeline.place = Mutex::new(Some(place));
        Ok(pipeline)
    }

    fn take_propagator(&mut self) -> Option<TextMapCompositePropagator> {
        if self.propagator.is_some() {
            return self.propagator.take();
        }
        let mut environment = Environment::new(&*self.environment);
        let propagator = environment.propagator();
        for warning in environment.into_warnings() {
            (self.warn)(&warning);
        }
        propagator
    }
}

static INSTALLED: AtomicBool = AtomicBool::new(false);

/// The place of the one that is installed, which the next may take when this drops.
struct Place {
    installation: Option<Installation>,
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(self.installation.take());
        INSTALLED.store(false, Ordering::Relaxed);
    }
}

impl Pipeline {
    fn of(settled: Settled) -> Result<Self, Error> {
        let (limits, exporters) = (settled.limits, settled.exporters);
        let desk = Arc::new(Desk::default());
        let bell = Arc::clone(&desk);
        let accounts = Arc::new(Accounts {
            queue: Queue::new(limits, move || bell.wake()),
            all: Arc::default(),
            each: exporters.iter().map(|_| Arc::default()).collect(),
        });
        let core = Arc::new(Core {
            queue: Arc::clone(&accounts.queue),
            sampler: settled.sampler,
            muting: settled.muting,
            declined: Declined::default(),
            limits: settled.span_limits,
            clock: Arc::new(Clock::new()),
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
        };
        match settled.is_disabled {
            true => pipeline.stay_off(),
            false => pipeline.start(exporters, limits, settled.warn)?,
        }
        Ok(pipeline)
    }

    fn stay_off(&self) {
        self.accounts.queue.close();
        self.desk.end(End::Down);
    }

    /// What was started goes down with the pipeline where one of the threads is not given.
    fn start(
        &self,
        exporters: Vec<Box<dyn Export>>,
        limits: Limits,
        warn: Warn,
    ) -> Result<(), Error> {
        let (desk, accounts) = (&self.desk, &self.accounts);
        let share = limits.share(exporters.len());
        let mut lanes = Vec::new();
        for (mut exporter, ledger) in exporters.into_iter().zip(&accounts.each) {
            exporter.set_resource(&self.resource);
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

    /// A pipeline with the defaults. Without an exporter in the code, it exports to what
    /// `OTEL_TRACES_EXPORTER` names.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The provider, for code that takes one.
    pub fn provider(&self) -> Provider {
        Provider::new(Arc::clone(&self.core))
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
        match self.accounts.queue.is_forked() {
            true => Err(Error::Forked),
            false => answered(self.desk.flush(timeout), timeout),
        }
    }

    /// Exports all spans that have ended until now, and shuts the exporters down. Spans that end
    /// later are counted and dropped. A second call waits for the first.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`] if that takes longer; [`Error::Forked`] in a forked child.
    pub fn shutdown(&self, timeout: Duration) -> Result<(), Error> {
        let is_forked = self.accounts.queue.is_forked();
        self.accounts.queue.close();
        drop(
            self.place
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        match is_forked {
            true => Err(Error::Forked),
            false => answered(self.desk.shut_down(timeout), timeout),
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
        metrics::register(&meter, &self.accounts, self.limits);
    }

    /// What the last export that failed said.
    pub fn last_export_error(&self) -> Option<String> {
        self.desk.last_error()
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
        // Nobody is there to be told.
        let _ = self.shutdown(Duration::from_secs(5));
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

impl fmt::Debug for Builder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Builder")
            .field("exporters", &self.exporters.len())
            .field("sampler", &self.sampler)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// Why a pipeline could not do what it was asked to.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// Another pipeline is installed; shut it down, or drop it, before.
    AlreadyInstalled,
    /// The operating system gave no thread.
    NoThread(io::Error),
    /// It was not done in this time.
    TimedOut(Duration),
    /// This is a forked child, where the pipeline of the parent is off.
    Forked,
    /// The pipeline's own thread has panicked. What it had was dropped, and all that came later.
    Died,
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::AlreadyInstalled => formatter.write_str(
                "a pipeline is installed already; drop its handle before installing another one",
            ),
            Error::NoThread(error) => write!(formatter, "no thread for the pipeline: {error}"),
            Error::TimedOut(time) => write!(formatter, "not done within {time:?}"),
            Error::Forked => formatter.write_str("the pipeline is its parent process's"),
            Error::Died => formatter.write_str("the pipeline's thread has panicked"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::NoThread(error) => Some(error),
            Error::AlreadyInstalled | Error::TimedOut(_) | Error::Forked | Error::Died => None,
        }
    }
}
