//! The layer: what it does when a span is made, entered, exited and closed, and at an event.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use enter_span::SpanContext;
use enter_span::native::{self, BridgedParent, BridgedSpan, Kind};
use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt as _;
use tracing_core::dispatcher::WeakDispatch;
use tracing_core::span::{Attributes, Id, Record};
use tracing_core::{Dispatch, Event, LevelFilter, Subscriber};
use tracing_subscriber::layer::{Context as LayerContext, Layer};
use tracing_subscriber::registry::{LookupSpan as _, Registry, SpanData as _};

use crate::callsite;
use crate::entered::{self, SpanKey};
use crate::event;
use crate::fields::FieldVisitor;
#[cfg(feature = "logs")]
use crate::log_record::LogEmitter;
use crate::metadata_fields::MetadataFields;
use crate::other_layers::OtherLayers;
use crate::span_table::SpanTable;
use crate::special_fields;

/// A layer that records the spans and events of `tracing` with `enter-span`: see [`layer`](crate::layer()).
///
/// ```
/// use enter_span_tracing::layer;
/// use tracing_subscriber::layer::SubscriberExt as _;
/// use tracing_subscriber::filter::LevelFilter;
///
/// let layer = layer()
///     .with_location(false)
///     .with_span_events(LevelFilter::WARN);
/// let subscriber = tracing_subscriber::registry().with(layer);
/// ```
#[must_use = "the layer does nothing until it is part of a subscriber"]
pub struct SpanLayer {
    /// Tells the spans of several layers apart.
    number: u64,
    spans: SpanTable,
    shown: MetadataFields,
    span_events: LevelFilter,
    #[cfg(feature = "logs")]
    logs: Option<LogEmitter>,
    dispatch: OnceLock<WeakDispatch>,
    other_layers: OtherLayers,
}

static LAYERS: AtomicU64 = AtomicU64::new(0);

impl SpanLayer {
    pub(crate) fn new() -> Self {
        SpanLayer {
            number: LAYERS.fetch_add(1, Ordering::Relaxed),
            spans: SpanTable::new(),
            shown: MetadataFields {
                level: None,
                target: None,
                location: true,
            },
            span_events: LevelFilter::TRACE,
            #[cfg(feature = "logs")]
            logs: None,
            dispatch: OnceLock::new(),
            other_layers: OtherLayers::new(),
        }
    }

    /// Whether spans and events have the attribute `level`, such as `INFO`. By default events have it, and spans have
    /// not.
    pub fn with_level(mut self, level: bool) -> Self {
        self.shown.level = Some(level);
        self
    }

    /// Whether spans and events have the attribute `target`. By default events have it, and spans have not: their
    /// instrumentation scope is the crate of the target, and most targets are the module of their place.
    pub fn with_target(mut self, target: bool) -> Self {
        self.shown.target = Some(target);
        self
    }

    /// Whether spans and events have their place in source: `code.file.path`, `code.line.number`, and the module
    /// as `code.function.name`. They have by default.
    pub fn with_location(mut self, location: bool) -> Self {
        self.shown.location = location;
        self
    }

    /// Which events become events of the innermost span: those up to this level. By default all that the filters
    /// let pass; none with `LevelFilter::OFF`.
    pub fn with_span_events(mut self, most: LevelFilter) -> Self {
        self.span_events = most;
        self
    }

    /// Sends each event up to this level, also outside of spans, as a log record to a logger provider of
    /// OpenTelemetry, with the ids of the innermost span.
    ///
    /// They are sent with nothing installed too. To have each event once, switch
    /// [span events](SpanLayer::with_span_events) off.
    ///
    /// ```
    /// use enter_span_tracing::layer;
    /// use opentelemetry_sdk::logs::SdkLoggerProvider;
    /// use tracing_subscriber::filter::LevelFilter;
    ///
    /// let provider = SdkLoggerProvider::builder().build();
    /// let layer = layer()
    ///     .with_span_events(LevelFilter::OFF)
    ///     .with_log_records(&provider, LevelFilter::INFO);
    /// ```
    #[cfg(feature = "logs")]
    #[cfg_attr(docsrs, doc(cfg(feature = "logs")))]
    pub fn with_log_records<P>(mut self, provider: &P, most: LevelFilter) -> Self
    where
        P: opentelemetry::logs::LoggerProvider,
        P::Logger: Send + Sync + 'static,
    {
        self.logs = Some(LogEmitter::new(provider, most));
        self
    }

    fn key(&self, id: &Id) -> SpanKey {
        SpanKey {
            layer: self.number,
            span: id.into_u64(),
        }
    }

    /// `None` for one of OpenTelemetry's own.
    fn start(&self, attributes: &Attributes<'_>) -> Option<BridgedSpan> {
        let callsite = callsite::of(attributes.metadata());
        if callsite.is_internal {
            return None;
        }
        if callsite.is_mirror {
            return Some(BridgedSpan::mirror_here());
        }
        let kind = if callsite.has_kind {
            special_fields::kind_at_start(attributes)
        } else {
            Kind::Internal
        };
        let site = callsite.site(kind, self.shown.location);
        let parent = self.parent_of(attributes);
        let shown = self.shown;
        let span = BridgedSpan::start(site, parent, &mut |fields| {
            shown.describe(attributes.metadata(), fields);
            attributes.record(&mut FieldVisitor(fields));
        });
        if callsite.has_special {
            if let Some(recording) = span.recording() {
                special_fields::apply(&recording, |visitor| attributes.record(visitor));
            }
        }
        Some(span)
    }

    fn parent_of(&self, attributes: &Attributes<'_>) -> BridgedParent {
        match attributes.parent() {
            Some(parent) => self
                .context_of(parent)
                .map_or(BridgedParent::Root, BridgedParent::Context),
            None if attributes.is_root() => BridgedParent::Root,
            None => BridgedParent::Current,
        }
    }

    /// The context of a span; of one that a filter of this layer left out, that of the nearest around it.
    fn context_of(&self, id: &Id) -> Option<Context> {
        let context = self.spans.with(id, BridgedSpan::context);
        context.or_else(|| self.context_above(id))
    }

    #[cold]
    fn context_above(&self, id: &Id) -> Option<Context> {
        let dispatch = self.dispatch.get()?.upgrade()?;
        let registry = dispatch.downcast_ref::<Registry>()?;
        let mut id = registry.span_data(id)?.parent()?.clone();
        loop {
            if let Some(context) = self.spans.with(&id, BridgedSpan::context) {
                return Some(context);
            }
            id = registry.span_data(&id)?.parent()?.clone();
        }
    }

    /// Where an event happens.
    fn place_of(&self, event: &Event<'_>) -> Option<Context> {
        match event.parent() {
            Some(parent) => self.context_of(parent),
            None if event.is_root() => None,
            None => native::current_context(),
        }
    }
}

impl fmt::Debug for SpanLayer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut layer = formatter.debug_struct("SpanLayer");
        layer.field("span_events", &self.span_events);
        layer.finish_non_exhaustive()
    }
}

impl<S: Subscriber> Layer<S> for SpanLayer {
    fn on_register_dispatch(&self, subscriber: &Dispatch) {
        let _ = self.dispatch.set(subscriber.downgrade());
    }

    fn on_layer(&mut self, _: &mut S) {
        self.other_layers.see::<S>();
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, _: LayerContext<'_, S>) {
        if !native::is_on() {
            return;
        }
        let off = if attributes.is_contextual() {
            BridgedSpan::off_here()
        } else {
            None
        };
        let span = match off {
            Some(off) => off,
            None => match self.start(attributes) {
                Some(span) => span,
                None => return,
            },
        };
        // Outside of the lock.
        drop(self.spans.insert(id, span));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: LayerContext<'_, S>) {
        if !self.spans.is_used() {
            return;
        }
        // Taken out: what formats must not run under the lock.
        let recording = self.spans.with(id, BridgedSpan::recording);
        if let Some(recording) = recording.flatten() {
            values.record(&mut FieldVisitor(&mut recording.fields()));
            special_fields::apply(&recording, |visitor| values.record(visitor));
        }
    }

    fn on_follows_from(&self, id: &Id, follows: &Id, _: LayerContext<'_, S>) {
        let recording = self.spans.with(id, BridgedSpan::recording).flatten();
        if let (Some(recording), Some(context)) = (recording, self.context_of(follows)) {
            recording.add_link(SpanContext::from(context.span().span_context().clone()));
        }
    }

    fn on_event(&self, event: &Event<'_>, _: LayerContext<'_, S>) {
        let level = event.metadata().level();
        let is_span_event = *level <= self.span_events && native::is_on();
        #[cfg(feature = "logs")]
        let logs = self.logs.as_ref().filter(|logs| logs.takes(level));
        #[cfg(not(feature = "logs"))]
        let logs = None::<()>;
        if !is_span_event && logs.is_none() || callsite::of(event.metadata()).is_internal {
            return;
        }
        let place = self.place_of(event);
        #[cfg(feature = "logs")]
        if let Some(logs) = logs {
            logs.emit(event, place.as_ref(), self.shown);
        }
        if let (true, Some(context)) = (is_span_event, place) {
            event::add_to_span(event, &context, self.shown);
        }
    }

    fn on_enter(&self, id: &Id, _: LayerContext<'_, S>) {
        if !self.spans.is_used() {
            return;
        }
        let context = self.spans.with(id, BridgedSpan::context_to_attach);
        if let Some(context) = context {
            entered::enter(self.key(id), context);
        }
    }

    fn on_exit(&self, id: &Id, _: LayerContext<'_, S>) {
        if !self.spans.is_used() {
            return;
        }
        let key = self.key(id);
        if let Some(guard) = entered::exit(key) {
            let context = || self.spans.with(id, BridgedSpan::context);
            self.other_layers.watch(key, context);
            native::detach(guard);
        }
    }

    fn on_close(&self, id: Id, _: LayerContext<'_, S>) {
        if !self.spans.is_used() {
            return;
        }
        if let Some(span) = self.spans.remove(&id) {
            span.end();
        }
    }
}
