//! Where spans go: the trait that the runtime talks to, and any OpenTelemetry provider behind it.

use std::borrow::Cow;
use std::sync::{Arc, PoisonError, RwLock};

use opentelemetry::global::{self, ObjectSafeTracer, ObjectSafeTracerProvider};
use opentelemetry::trace::{Link, SpanBuilder, SpanContext, TraceContextExt as _, TracerProvider};
use opentelemetry::{Context, InstrumentationScope, Key, KeyValue};

use crate::recording::{Clock, Current, Policy, ProviderSpan, Recording};
use crate::site::{Library, Site};

/// Everything about a span that is known before it starts.
pub(crate) struct Start {
    pub(crate) site: &'static Site,
    pub(crate) library: Library,
    pub(crate) name: Cow<'static, str>,
    /// Seen by samplers, with the `code.*` of the site.
    pub(crate) attributes: Vec<KeyValue>,
    pub(crate) links: Vec<SpanContext>,
}

/// A span that has started: the context to attach, and the recording, if it is recorded.
pub(crate) struct Live {
    pub(crate) context: Context,
    pub(crate) recording: Option<Arc<Recording>>,
}

/// Something that makes spans.
pub(crate) trait Backend: Send + Sync {
    /// Starts a span below `parent`. `None` says that nothing is to be attached: there is no span,
    /// or one that says nothing its parent does not say.
    fn start(&self, start: Start, parent: &Context, policy: Policy) -> Option<Live>;
}

/// Gives the tracer of a library.
pub(crate) trait Tracers: Send + Sync {
    fn start(&self, library: &Library, builder: SpanBuilder, parent: &Context) -> ProviderSpan;
}

impl<T: Tracers> Backend for T {
    fn start(&self, start: Start, parent: &Context, policy: Policy) -> Option<Live> {
        let clock = Clock::start();
        let library = start.library.clone();
        let (builder, started_with) = builder(start, clock);
        let span = Tracers::start(self, &library, builder, parent);
        if span.is_recording() {
            return Some(recorded(span, parent, clock, policy, started_with));
        }
        let identity = span.span_context();
        says_more_than(parent, identity).then(|| Live {
            context: parent.with_remote_span_context(identity.clone()),
            recording: None,
        })
    }
}

fn builder(start: Start, clock: Clock) -> (SpanBuilder, Vec<Key>) {
    let mut attributes = start.attributes;
    let started_with = attributes.iter().map(|a| a.key.clone()).collect();
    attributes.extend(start.site.code().into_iter().flatten());
    let links: Vec<Link> = start.links.into_iter().map(Link::with_context).collect();
    let builder = SpanBuilder {
        span_kind: Some(start.site.kind.into()),
        name: start.name,
        start_time: Some(clock.start),
        attributes: Some(attributes),
        events: None,
        links: (!links.is_empty()).then_some(links),
    };
    (builder, started_with)
}

fn recorded(
    span: ProviderSpan,
    parent: &Context,
    clock: Clock,
    policy: Policy,
    started_with: Vec<Key>,
) -> Live {
    let is_valid = span.span_context().is_valid();
    let recording = Arc::new(Recording::new(span, clock, policy, started_with));
    // An invalid identity would poison the children, so such a span is recorded without them.
    let context = match is_valid {
        true => parent.with_span(Current(Arc::clone(&recording))),
        false => parent.clone(),
    };
    Live {
        context,
        recording: Some(recording),
    }
}

/// A span that is not recorded is attached only if headers and children must learn from it that
/// the trace is not sampled: at the root, below a remote parent, below one that is sampled.
fn says_more_than(parent: &Context, identity: &SpanContext) -> bool {
    let above = parent.span();
    let parent = above.span_context();
    let same = identity.span_id() == parent.span_id();
    let known =
        parent.is_valid() && !parent.is_remote() && !parent.is_sampled() && !above.is_recording();
    identity.is_valid() && !same && !known
}

/// Tracers that are kept. With more libraries than this, as where names are made up at run time, the
/// further ones are made anew for each span.
const MOST_TRACERS: usize = 1024;

type CachedTracer = Arc<dyn ObjectSafeTracer + Send + Sync>;

/// A provider of its own, with one tracer for each library.
pub(crate) struct Provided<P> {
    provider: P,
    tracers: RwLock<Vec<(Library, CachedTracer)>>,
}

impl<P: ObjectSafeTracerProvider + Send + Sync> Provided<P> {
    pub(crate) fn new(provider: P) -> Self {
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

    /// The provider is asked outside of the lock; of two threads at once, one asks in vain.
    #[cold]
    fn new_tracer(&self, library: &Library) -> CachedTracer {
        let tracer: CachedTracer = Arc::from(self.provider.boxed_tracer(scope(library)));
        let mut known = self.tracers.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() < MOST_TRACERS && !known.iter().any(|(known, _)| known == library) {
            known.push((library.clone(), Arc::clone(&tracer)));
        }
        tracer
    }
}

impl<P: ObjectSafeTracerProvider + Send + Sync> Tracers for Provided<P> {
    fn start(&self, library: &Library, builder: SpanBuilder, parent: &Context) -> ProviderSpan {
        self.tracer(library)
            .build_with_context_boxed(builder, parent)
    }
}

/// Whatever provider OpenTelemetry has at the moment. It cannot be told when that changes, so each
/// span asks again.
pub(crate) struct Global;

impl Tracers for Global {
    fn start(&self, library: &Library, builder: SpanBuilder, parent: &Context) -> ProviderSpan {
        let tracer = global::tracer_provider().tracer_with_scope(scope(library));
        tracer.build_with_context_boxed(builder, parent)
    }
}

fn scope(library: &Library) -> InstrumentationScope {
    let scope = InstrumentationScope::builder(library.name.clone());
    match library.version.clone() {
        Some(version) => scope.with_version(version).build(),
        None => scope.build(),
    }
}
