//! Makes a pipeline: by the code, by the environment for what that leaves open, else by default.

use std::borrow::Cow;
use std::env::VarError;
use std::fmt;
use std::io::{self, Write as _};
use std::panic::Location;

use enter_span::native::{Extras, SpanLimits};
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanExporter;

use crate::diagnosis::KeepText;
use crate::environment::{Environment, ExporterName, Variables};
use crate::error::Error;
use crate::export::exporter::Export;
use crate::export::named_exporters;
use crate::export::overflow::OpenOverflow;
#[cfg(feature = "spool")]
use crate::export::spool::{self, settings::Spool};
use crate::host::unwind::silenced;
use crate::keep::Keep;
use crate::pipeline::{InstallSlot, Pipeline, PipelineConfig};
use crate::propagation::Propagation;
use crate::queue::limit::Limits;
use crate::sampling::id;
use crate::sampling::muting::{Muting, Rule};
use crate::sampling::sampler::Sampler;
use crate::stats::warning_queue::Warn;

/// Makes a [`Pipeline`].
///
/// ```
/// use enter_span_pipeline::{Console, Limits, Pipeline, Sampler, SpanLimits};
/// use opentelemetry_sdk::Resource;
///
/// let resource = Resource::builder().with_service_name("shop").build();
/// let pipeline = Pipeline::builder()
///     .with_exporter(Console::new())
///     .with_sampler(Sampler::ParentBasedRatio(0.1))
///     .with_resource(resource)
///     .with_span_limits(SpanLimits::default())
///     .with_limits(Limits::default())
///     // Only the spans of the crate `shop`.
///     .with_muted_scope("*")
///     .with_enabled_scope("shop")
///     .without_code_attributes()
///     .with_baggage_keys(["tenant"])
///     .with_warnings(|warning| eprintln!("telemetry: {warning}"))
///     // Ignores the variables of the process.
///     .with_environment(|_| None)
///     .build()?;
/// assert!(!pipeline.is_disabled());
/// # Ok::<(), enter_span_pipeline::Error>(())
/// ```
#[must_use = "a builder does nothing until it builds"]
pub struct PipelineBuilder {
    exporters: Vec<Box<dyn Export>>,
    named: Vec<ExporterName>,
    // What is `None` comes from the environment.
    sampler: Option<Sampler>,
    resource: Option<Resource>,
    span_limits: Option<SpanLimits>,
    extras: Extras,
    limits: Option<Limits>,
    muting: Muting,
    environment: Box<Variables>,
    warn: Warn,
    propagation: Propagation,
    baggage_keys: Vec<Cow<'static, str>>,
    overflow: Option<OpenOverflow>,
    keep: Option<Keep>,
}

impl Default for PipelineBuilder {
    fn default() -> Self {
        PipelineBuilder {
            exporters: Vec::new(),
            named: Vec::new(),
            sampler: None,
            resource: None,
            span_limits: None,
            extras: Extras::PLACE,
            limits: None,
            muting: Muting::default(),
            environment: Box::new(|variable| std::env::var(variable)),
            warn: Box::new(|warning| {
                // Without a stderr there is nobody to warn.
                let line = format!("enter_span: {warning}\n");
                let _ = io::stderr().write_all(line.as_bytes());
            }),
            propagation: Propagation::Open,
            baggage_keys: Vec::new(),
            overflow: None,
            keep: None,
        }
    }
}

impl PipelineBuilder {
    /// Exports to this one too, and not to those that `OTEL_TRACES_EXPORTER` names. Each gets all spans,
    /// on a thread of its own.
    ///
    /// ```
    /// use enter_span_pipeline::{Console, HtmlFiles, Pipeline};
    ///
    /// # let folder = std::env::temp_dir().join("enter-span-doc-exporters");
    /// let builder = Pipeline::builder()
    ///     .with_exporter(Console::new())
    ///     .with_exporter(HtmlFiles::in_folder(folder));
    /// let pipeline = builder.build()?;
    /// assert_eq!(pipeline.exporters().len(), 2);
    /// # Ok::<(), enter_span_pipeline::Error>(())
    /// ```
    pub fn with_exporter(mut self, exporter: impl SpanExporter + 'static) -> Self {
        self.exporters.push(Box::new(exporter));
        self
    }

    /// Exports by OTLP too, whatever `OTEL_TRACES_EXPORTER` names. `OTEL_EXPORTER_OTLP_*` configure it.
    ///
    /// ```
    /// # #[cfg(feature = "otlp-http")] {
    /// use enter_span_pipeline::{Console, Pipeline};
    ///
    /// let builder = Pipeline::builder().with_otlp().with_exporter(Console::new());
    /// let pipeline = builder.with_environment(|_| None).build()?;
    /// let otlp = "otlp http/protobuf http://localhost:4318/v1/traces";
    /// assert!(pipeline.exporters().contains(&otlp.to_owned()));
    /// # }
    /// # Ok::<(), enter_span_pipeline::Error>(())
    /// ```
    #[cfg(any(feature = "otlp-http", feature = "otlp-grpc"))]
    pub fn with_otlp(mut self) -> Self {
        self.named = vec![ExporterName::Otlp];
        self
    }

    /// Records what this sampler decides.
    pub fn with_sampler(mut self, sampler: Sampler) -> Self {
        self.sampler = Some(sampler);
        self
    }

    /// Decides at the end of each local trace whether it is exported. Takes precedence over `ENTER_SPAN_KEEP`, which
    /// is read as `errors,slower=500ms,with=debug,rest=0.05`. Without both, all is exported.
    ///
    /// What the sampler does not record never comes to the policy, and the sampled flag that goes to other
    /// services is the sampler's: each service keeps its own part of a trace.
    ///
    /// ```
    /// use enter_span_pipeline::{Console, Keep, Pipeline};
    ///
    /// let builder = Pipeline::builder().with_exporter(Console::new());
    /// let pipeline = builder.with_keep(Keep::errors().or_fraction(0.05)).build()?;
    /// # drop(pipeline);
    /// # Ok::<(), enter_span_pipeline::Error>(())
    /// ```
    pub fn with_keep(mut self, keep: Keep) -> Self {
        self.keep = Some(keep);
        self
    }

    /// Sets the resource: service name and attributes. By default they come from `OTEL_SERVICE_NAME` and
    /// `OTEL_RESOURCE_ATTRIBUTES`.
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

    /// Leaves out where a span was made: `code.function.name`, `code.file.path`, `code.line.number`.
    pub fn without_code_attributes(mut self) -> Self {
        self.extras = Extras::NONE;
        self
    }

    /// How much waits, and how long.
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = Some(limits);
        self
    }

    /// Keeps in files what cannot wait in memory, and sends it later: what does not fit the queue, and what has not
    /// left at a shutdown. For exporters of OTLP. If the folder cannot be used, the pipeline warns and
    /// goes on without a spool.
    ///
    /// ```
    /// use enter_span_pipeline::{Pipeline, Spool};
    ///
    /// # let folder = std::env::temp_dir().join(format!("enter-span-builder-{}", std::process::id()));
    /// let builder = Pipeline::builder().with_otlp();
    /// let pipeline = builder.with_spool(Spool::in_folder(&folder)).build()?;
    /// # drop(pipeline);
    /// # drop(std::fs::remove_dir_all(&folder));
    /// # Ok::<(), enter_span_pipeline::Error>(())
    /// ```
    #[cfg(feature = "spool")]
    #[cfg_attr(docsrs, doc(cfg(feature = "spool")))]
    pub fn with_spool(mut self, spool: Spool) -> Self {
        self.overflow = Some(Box::new(|exporters| spool::open(spool, exporters)));
        self
    }

    /// Reads variables through this instead of the process's environment: for tests, and for settings
    /// that come from elsewhere.
    pub fn with_environment(mut self, get: impl Fn(&str) -> Option<String> + 'static) -> Self {
        self.environment = Box::new(move |variable| get(variable).ok_or(VarError::NotPresent));
        self
    }

    /// Sends warnings of wrong values in the environment, and of dropped spans, here instead of to stderr.
    ///
    /// Warnings of drops come from a thread of their own: the first soon, the next at most once a minute, and one
    /// when a shutdown times out. A function that blocks delays no spans. A few warnings wait; the next one counts
    /// those that found no place. A flush or a shutdown waits for the function, for at most a second.
    pub fn with_warnings(mut self, warn: impl Fn(&str) + Send + 'static) -> Self {
        self.warn = Box::new(warn);
        self
    }

    /// Carries spans and baggage between processes by this one: it becomes OpenTelemetry's global
    /// propagator when the pipeline is [installed](PipelineBuilder::install), and, if it is an
    /// [`enter_span::propagation::Propagator`], that of [`enter_span::inject`] and
    /// [`enter_span::extract`] too, which else stay by W3C's.
    ///
    /// Without it, it is such a one, as `OTEL_PROPAGATORS` says; the default are W3C's trace context and
    /// baggage.
    ///
    /// OpenTelemetry does not tell whether there is a global propagator already. One that the
    /// application sets itself stays if it is set after the installation, if `OTEL_PROPAGATORS` is
    /// `none`, or [without](PipelineBuilder::without_propagator) one.
    ///
    /// ```
    /// use enter_span_pipeline::{Console, Pipeline};
    /// use opentelemetry_sdk::propagation::TraceContextPropagator;
    ///
    /// let pipeline = Pipeline::builder()
    ///     .with_exporter(Console::new())
    ///     .with_propagator(TraceContextPropagator::new())
    ///     .install()?;
    /// # Ok::<(), enter_span_pipeline::Error>(())
    /// ```
    pub fn with_propagator(
        mut self,
        propagator: impl TextMapPropagator + Send + Sync + 'static,
    ) -> Self {
        self.propagation = Propagation::by(propagator);
        self
    }

    /// Leaves all propagators as they are.
    ///
    /// ```
    /// use enter_span_pipeline::{Console, Pipeline};
    /// use opentelemetry_sdk::propagation::TraceContextPropagator;
    ///
    /// opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    /// let builder = Pipeline::builder().with_exporter(Console::new());
    /// let pipeline = builder.without_propagator().install()?;
    /// # Ok::<(), enter_span_pipeline::Error>(())
    /// ```
    pub fn without_propagator(mut self) -> Self {
        self.propagation = Propagation::Untouched;
        self
    }

    /// What may leave of the baggage, where `OTEL_PROPAGATORS` chooses: the entries of these keys. The
    /// default is nothing, since baggage is the application's, and goes to everybody who is called.
    pub fn with_baggage_keys(
        mut self,
        keys: impl IntoIterator<Item = impl Into<Cow<'static, str>>>,
    ) -> Self {
        self.baggage_keys = keys.into_iter().map(Into::into).collect();
        self
    }

    /// Starts a pipeline that nothing uses yet: for [`Pipeline::provider`], as that of a tenant.
    ///
    /// ```
    /// use enter_span_pipeline::{Console, Pipeline};
    ///
    /// let tenant = Pipeline::builder().with_exporter(Console::new()).build()?;
    /// tenant.tracer("shop").enter_span("order", |_| {});
    /// # Ok::<(), enter_span_pipeline::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the operating system gives no thread.
    pub fn build(self) -> Result<Pipeline, Error> {
        self.start(Vec::new())
    }

    /// Tells these warnings too.
    fn start(self, warnings: Vec<String>) -> Result<Pipeline, Error> {
        id::begin_anew();
        let mut config = self.resolve();
        config.warnings.extend(warnings);
        for warning in &config.warnings {
            silenced(|| (config.warn)(warning));
        }
        Pipeline::of(config)
    }

    /// Reads the environment for what the code leaves open.
    fn resolve(self) -> PipelineConfig {
        let mut environment = Environment::new(&*self.environment);
        environment.check_exception_signal();
        let is_disabled = environment.is_disabled();
        let resource = self.resource.unwrap_or_else(|| environment.resource());
        let mut exporters = self.exporters;
        if !is_disabled {
            let named = named_exporters::exporters(self.named, &exporters, &mut environment);
            exporters.extend(named);
        }
        let open = self.overflow.filter(|_| !is_disabled);
        let overflow = open.and_then(|open| {
            let opened = open(&exporters);
            opened
                .map_err(|warning| environment.add_warning(warning))
                .ok()
        });
        let (sampler, sampler_by) = match self.sampler {
            Some(sampler) => (sampler, "the code"),
            None => environment.sampler(),
        };
        let muting = environment.muting().overruled_by(self.muting);
        let limits = self.limits.unwrap_or_else(|| environment.limits());
        let keep = resolve_keep(self.keep, &mut environment);
        let span_limits = self.span_limits;
        let span_limits = span_limits.unwrap_or_else(|| environment.span_limits());
        PipelineConfig {
            is_disabled,
            resource,
            exporters,
            sampler,
            sampler_by,
            muting,
            limits,
            span_limits,
            extras: self.extras,
            warnings: environment.into_warnings(),
            warn: self.warn,
            overflow,
            keep,
        }
    }

    /// Starts a pipeline and records through it: our spans, and those of all code that uses
    /// OpenTelemetry's global provider.
    ///
    /// ```
    /// use enter_span::enter_span;
    /// use enter_span_pipeline::{Console, Pipeline};
    ///
    /// #[enter_span]
    /// fn work() {}
    ///
    /// // Shuts down when it is dropped.
    /// let pipeline = Pipeline::builder().with_exporter(Console::new()).install()?;
    /// work();
    /// # Ok::<(), enter_span_pipeline::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::AlreadyInstalled`] while another one is; [`Error::NoThread`] if the operating system
    /// gives no thread.
    #[track_caller]
    pub fn install(mut self) -> Result<Pipeline, Error> {
        let slot = InstallSlot::take()?;
        let (propagation, warnings) = self.resolve_propagation();
        let pipeline = self.start(warnings)?;
        // Also where it is disabled: that is of spans, and not of what others have sent.
        propagation.install();
        pipeline.install(slot, Location::caller());
        Ok(pipeline)
    }

    /// With what is wrong with the variable.
    fn resolve_propagation(&mut self) -> (Propagation, Vec<String>) {
        let mut environment = Environment::new(&*self.environment);
        let propagation = std::mem::take(&mut self.propagation);
        let keys = std::mem::take(&mut self.baggage_keys);
        let config = propagation.resolve(keys, &mut environment);
        (config, environment.into_warnings())
    }
}

/// The policy, with the words that `diagnose` has for it.
fn resolve_keep(
    by_code: Option<Keep>,
    environment: &mut Environment<'_>,
) -> Option<(Keep, KeepText)> {
    let (keep, source) = match by_code {
        Some(keep) => (keep, "the code"),
        None => (environment.keep()?, "`ENTER_SPAN_KEEP`"),
    };
    let text = keep.to_string();
    Some((keep, (text, source)))
}

impl Pipeline {
    /// A pipeline with the defaults. Without an exporter in the code, it exports to what
    /// `OTEL_TRACES_EXPORTER` names.
    pub fn builder() -> PipelineBuilder {
        PipelineBuilder::default()
    }
}

impl fmt::Debug for PipelineBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Builder")
            .field("exporters", &self.exporters.len())
            .field("sampler", &self.sampler)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
