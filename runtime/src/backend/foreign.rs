//! Any OpenTelemetry provider as a backend. Correct, at that provider's price.
//!
//! Samplers must see the attributes of `start(..)` and `code.*`, so the provider has them from the start. The
//! SDK appends where the specification overwrites, and two values under one key are invalid. So a later
//! value for such a key is dropped; the pipeline keeps the last one.
//!
//! A root inside another span is shown to the provider in a context with the baggage alone: the SDK's
//! `ParentBased` takes an invalid span for a parent that is not sampled, and OpenTelemetry's context cannot be
//! without its span.
//!
//! A span ends on a living thread: while a thread's locals are torn down, a provider may find its own gone.

use std::borrow::Cow;
use std::mem;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use opentelemetry::baggage::{Baggage, BaggageExt as _};
use opentelemetry::global::{self, ObjectSafeSpan, ObjectSafeTracer, ObjectSafeTracerProvider};
use opentelemetry::trace::{
    Link, SpanBuilder, SpanContext, Status, TraceContextExt as _, TracerProvider,
};
use opentelemetry::{Context, Key, KeyValue, Value};

use crate::backend::record::Record;
use crate::backend::site::{Library, Site};
use crate::backend::{Backend, ForeignSpan, Start, StartResult};
use crate::context::clock::{self, Monotonic};
use crate::context::identity::has_span;
use crate::context::stack;
use crate::context::unwind;

type ProviderSpan = Box<dyn ObjectSafeSpan + Send + Sync>;

/// Keys that are upserted. A span with more hands the further ones straight to its provider,
/// which counts them against its own limit (128 unless configured otherwise).
const MOST_UPSERTED: usize = 1024;

/// Gives the tracer of a library.
pub(crate) trait Tracers: Send + Sync + 'static {
    fn start(&self, library: &Library, builder: SpanBuilder, parent: &Context) -> ProviderSpan;
}

impl<T: Tracers> Backend for T {
    fn start(&self, mut start: Start<'_>, parent: &Context, record: &mut Record) -> StartResult {
        let clock = Clock::start();
        let (builder, started_with) = builder(&mut start, clock);
        let span = match without_invalid_span(parent) {
            Some(root) => Tracers::start(self, start.library(), builder, &root),
            None => Tracers::start(self, start.library(), builder, parent),
        };
        if span.is_recording() {
            StartResult::Foreign(Box::new(ProvidedSpan {
                identity: span.span_context().clone(),
                span,
                clock,
                attributes: Vec::new(),
                started_with,
            }))
        } else {
            record.decline(span.span_context().clone());
            StartResult::Unrecorded
        }
    }
}

/// A context without any span in place of one whose span is not valid, which the SDK's `Sampler::ParentBased`
/// would take for one that is not sampled. No more than the baggage can be taken over. `None` if `parent`
/// will do.
fn without_invalid_span(parent: &Context) -> Option<Context> {
    if !parent.has_active_span() || has_span(parent) {
        return None;
    }
    let mut root = Context::new();
    if !parent.baggage().is_empty() {
        let entries = parent.baggage().into_iter();
        let baggage: Baggage = entries
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        root = root.with_baggage(baggage);
    }
    if parent.is_telemetry_suppressed() {
        root = root.with_telemetry_suppressed();
    }
    Some(root)
}

fn builder(start: &mut Start<'_>, clock: Clock) -> (SpanBuilder, Vec<Key>) {
    let name = start.take_name();
    let (mut attributes, links) = match &mut start.options {
        Some(options) => (
            mem::take(&mut options.attributes),
            mem::take(&mut options.links),
        ),
        None => Default::default(),
    };
    let started_with = attributes.iter().map(|a| a.key.clone()).collect();
    start.site.each_code(|pair| attributes.push(pair));
    let links: Vec<Link> = links.into_iter().map(Link::with_context).collect();
    let builder = SpanBuilder {
        span_kind: Some(start.site.role().into()),
        name,
        start_time: Some(clock.start),
        attributes: Some(attributes),
        events: None,
        links: (!links.is_empty()).then_some(links),
    };
    (builder, started_with)
}

/// One reading of the wall clock and a monotonic one beside it: a span never ends before it starts.
#[derive(Clone, Copy)]
struct Clock {
    start: SystemTime,
    running: Monotonic,
}

impl Clock {
    fn start() -> Self {
        Clock {
            start: clock::wall_now(),
            running: Monotonic::now(),
        }
    }

    fn now(&self) -> SystemTime {
        self.start + self.running.elapsed_until(Monotonic::now())
    }
}

/// A provider's span. Attributes are kept here and handed to it once, at the end: the OpenTelemetry
/// SDK appends where the specification says that the last value wins.
struct ProvidedSpan {
    identity: SpanContext,
    span: ProviderSpan,
    clock: Clock,
    attributes: Vec<KeyValue>,
    /// Keys that went into the start, where the provider keeps them.
    started_with: Vec<Key>,
}

impl ProvidedSpan {
    fn has_started_with(&self, key: &Key) -> bool {
        Site::CODE_KEYS.contains(&key.as_str()) || self.started_with.contains(key)
    }

    fn hand_over(mut self, time: SystemTime, status: Option<Status>) {
        for attribute in self.attributes {
            self.span.set_attribute(attribute);
        }
        if let Some(status) = status {
            self.span.set_status(status);
        }
        self.span.end_with_timestamp(time);
    }
}

impl ForeignSpan for ProvidedSpan {
    fn identity(&self) -> SpanContext {
        self.identity.clone()
    }

    fn set_attribute(&mut self, attribute: KeyValue) {
        let known = self.attributes.iter().position(|a| a.key == attribute.key);
        match known {
            Some(known) => self.attributes[known] = attribute,
            // The provider has it already and may append: two values under one key are invalid.
            None if self.has_started_with(&attribute.key) => {}
            None if self.attributes.len() < MOST_UPSERTED => self.attributes.push(attribute),
            // One that panics costs the attribute.
            None => {
                let _ = unwind::shielded(|| self.span.set_attribute(attribute));
            }
        }
    }

    fn set_default(&mut self, key: &'static str, value: Value) {
        let attribute = KeyValue::new(key, value);
        let known = self.attributes.iter().any(|a| a.key == attribute.key);
        if !known && !self.has_started_with(&attribute.key) {
            self.attributes.insert(0, attribute);
        }
    }

    fn add_event(
        &mut self,
        name: Cow<'static, str>,
        time: Option<SystemTime>,
        attributes: Vec<KeyValue>,
    ) {
        let time = time.unwrap_or_else(|| self.clock.now());
        let _ = unwind::shielded(|| self.span.add_event_with_timestamp(name, time, attributes));
    }

    fn add_link(&mut self, linked: SpanContext, attributes: Vec<KeyValue>) {
        let _ = unwind::shielded(|| self.span.add_link(linked, attributes));
    }

    fn update_name(&mut self, name: Cow<'static, str>) {
        let _ = unwind::shielded(|| self.span.update_name(name));
    }

    fn end(self: Box<Self>, time: Option<SystemTime>, status: Option<Status>) {
        let time = time.unwrap_or_else(|| self.clock.now());
        // The provider's processors and exporters run here; one that panics costs its span.
        let _ = unwind::shielded(|| stack::alive(|| self.hand_over(time, status)));
    }
}

/// Tracers that are kept. With more libraries than this, as where names are made up at run time, the
/// further ones are made anew for each span.
const MOST_TRACERS: usize = 1024;

type CachedTracer = Arc<dyn ObjectSafeTracer + Send + Sync>;

/// A provider, as all versions of this crate know it that use the same OpenTelemetry.
pub type SharedProvider = Arc<dyn ObjectSafeTracerProvider + Send + Sync>;

/// A provider of its own, with one tracer for each library.
pub(crate) struct Provided {
    provider: SharedProvider,
    tracers: RwLock<Vec<(Library, CachedTracer)>>,
}

impl Provided {
    pub(crate) fn new(provider: SharedProvider) -> Self {
        Provided {
            provider,
            tracers: RwLock::new(Vec::new()),
        }
    }

    fn tracer(&self, library: &Library) -> CachedTracer {
        let known = self.tracers.read().unwrap_or_else(PoisonError::into_inner);
        let found = known.iter().find(|(known, _)| known == library);
        if let Some((_, tracer)) = found {
            return Arc::clone(tracer);
        }
        drop(known);
        self.new_tracer(library)
    }

    /// The provider is asked outside of the lock; of two threads that race, one discards its result.
    #[cold]
    fn new_tracer(&self, library: &Library) -> CachedTracer {
        let tracer: CachedTracer = Arc::from(self.provider.boxed_tracer(library.scope()));
        let mut known = self.tracers.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() < MOST_TRACERS && !known.iter().any(|(known, _)| known == library) {
            known.push((library.clone(), Arc::clone(&tracer)));
        }
        tracer
    }
}

impl Tracers for Provided {
    fn start(&self, library: &Library, builder: SpanBuilder, parent: &Context) -> ProviderSpan {
        self.tracer(library)
            .build_with_context_boxed(builder, parent)
    }
}

/// Whatever provider OpenTelemetry has at the moment. It cannot be told when that changes, so each
/// span asks again.
pub(crate) struct GlobalTracers;

impl Tracers for GlobalTracers {
    fn start(&self, library: &Library, builder: SpanBuilder, parent: &Context) -> ProviderSpan {
        let tracer = global::tracer_provider().tracer_with_scope(library.scope());
        tracer.build_with_context_boxed(builder, parent)
    }
}
