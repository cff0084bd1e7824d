//! The recorder, and what it has recorded.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use opentelemetry::KeyValue;

use super::alone::Tenant;
use super::provider::RecorderProvider;
use super::{alone, lost, tree};
use crate::context::{Context, SpanContext, SpanId};
use crate::foreign::Provided;
use crate::installed::{Observer, Override};
use crate::outcome::ErrorDetail;
use crate::recording::Policy;
use crate::span::Status;
use crate::thread;
use crate::value::Value;

/// Records the spans of what it runs, and of nothing else.
///
/// It is carried by the context, so it follows futures and everything that carries the context. It
/// works whether or not the process has a provider, and hides that one from what it runs. It does not
/// hide the provider of a [`Tracer`](crate::Tracer) that has its own: give such a tracer
/// [`tracer_provider`](Recorder::tracer_provider) in tests.
#[derive(Clone)]
pub struct Recorder {
    shared: Arc<Shared>,
    policy: Policy,
    below: Override,
}

/// What all clones of a recorder share, and its provider.
pub(crate) struct Shared {
    record: Mutex<Trace>,
    sample: Box<dyn Fn(&str) -> bool + Send + Sync>,
    _tenant: Tenant,
}

impl Shared {
    fn new(sample: impl Fn(&str) -> bool + Send + Sync + 'static) -> Arc<Self> {
        let shared = Arc::new(Shared {
            record: Mutex::default(),
            sample: Box::new(sample),
            _tenant: Tenant::move_in(),
        });
        lost::register(&shared);
        shared
    }

    pub(super) fn record(&self) -> MutexGuard<'_, Trace> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn samples(&self, root: &str) -> bool {
        (self.sample)(root)
    }

    pub(super) fn add_orphan(&self, name: &str) {
        self.record().orphans.push(name.to_owned());
    }
}

impl Observer for Shared {
    fn hidden(&self, leaf: &'static str, name: &str) {
        self.record().hidden.push((leaf, name.to_owned()));
    }
}

impl Recorder {
    /// A recorder that samples every trace, with the default detail of errors.
    pub fn new() -> Self {
        let policy = Policy {
            detail: ErrorDetail::default(),
            exception_events: true,
        };
        Recorder::with(Shared::new(|_| true), policy)
    }

    /// Samples the traces whose root's name `sample` accepts. Call it before anything runs.
    #[must_use]
    pub fn sampled_by(self, sample: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        let policy = self.policy;
        // The process may be waiting to be alone: make room first.
        drop(self);
        Recorder::with(Shared::new(sample), policy)
    }

    /// Records errors in this detail, as [`set_error_detail`](crate::set_error_detail) would.
    #[must_use]
    pub fn error_detail(self, detail: ErrorDetail) -> Self {
        let policy = Policy {
            detail,
            ..self.policy
        };
        Recorder::with(self.shared, policy)
    }

    /// Records errors without `exception` events, as `OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN=logs`
    /// would have it.
    #[must_use]
    pub fn without_exception_events(self) -> Self {
        let policy = Policy {
            exception_events: false,
            ..self.policy
        };
        Recorder::with(self.shared, policy)
    }

    fn with(shared: Arc<Shared>, policy: Policy) -> Self {
        let provider = RecorderProvider::new(Arc::clone(&shared));
        let backend = Provided::new(provider);
        Recorder {
            below: Override::observed(backend, policy, Arc::clone(&shared) as Arc<dyn Observer>),
            shared,
            policy,
        }
    }

    /// Runs `work` and gives what has been recorded so far.
    pub fn run<R>(&self, work: impl FnOnce() -> R) -> Trace {
        drop(self.enter(work));
        self.trace()
    }

    /// Runs a future and gives what has been recorded so far.
    pub async fn run_async<F: Future>(&self, work: F) -> Trace {
        drop(self.enter_async(work).await);
        self.trace()
    }

    /// Runs `work` and gives its value.
    pub fn enter<R>(&self, work: impl FnOnce() -> R) -> R {
        let _attached = thread::attach(self.context().0);
        work()
    }

    /// Runs a future and gives its value.
    pub async fn enter_async<F: Future>(&self, work: F) -> F::Output {
        let mut work = pin!(work);
        poll_fn(|cx| self.enter(|| work.as_mut().poll(cx))).await
    }

    /// A context without a span, below which everything is recorded here. It can be attached
    /// through OpenTelemetry, or be given as `parent`, where work starts without any context.
    pub fn context(&self) -> Context {
        Context(opentelemetry::Context::new().with_value(self.below.clone()))
    }

    /// A provider for code that speaks OpenTelemetry by hand, which records here as well.
    pub fn tracer_provider(&self) -> RecorderProvider {
        RecorderProvider::new(Arc::clone(&self.shared))
    }

    /// What has been recorded so far, spans that are still open included.
    pub fn trace(&self) -> Trace {
        self.shared.record().clone()
    }
}

impl Default for Recorder {
    fn default() -> Self {
        Recorder::new()
    }
}

/// What a recorder has seen: spans in the order of their start.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    pub(super) spans: Vec<RecordedSpan>,
    pub(super) orphans: Vec<String>,
    pub(super) hidden: Vec<(&'static str, String)>,
}

/// A span as it stands in the record.
#[derive(Clone, Debug)]
pub struct RecordedSpan {
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) library: (String, Option<String>),
    pub(super) identity: SpanContext,
    pub(super) parent: SpanContext,
    pub(super) attributes: Vec<KeyValue>,
    pub(super) events: Vec<Event>,
    pub(super) links: Vec<SpanContext>,
    pub(super) status: Status,
    pub(super) start: SystemTime,
    pub(super) end: Option<SystemTime>,
}

/// An event of a recorded span.
#[derive(Clone, Debug)]
pub struct Event {
    pub(super) name: String,
    pub(super) attributes: Vec<KeyValue>,
}

fn find(attributes: &[KeyValue], key: &str) -> Option<Value> {
    let found = attributes.iter().find(|a| a.key.as_str() == key)?;
    Some(Value(found.value.clone()))
}

impl Trace {
    /// All spans, in the order in which they started.
    pub fn spans(&self) -> &[RecordedSpan] {
        &self.spans
    }

    /// The first span of this name.
    ///
    /// # Panics
    ///
    /// If there is none; the message shows the tree.
    #[track_caller]
    #[expect(clippy::panic, reason = "this is an assertion of a test")]
    pub fn find(&self, name: &str) -> &RecordedSpan {
        match self.spans.iter().find(|span| span.name == name) {
            Some(span) => span,
            None => panic!("no span `{name}` in\n{}", self.tree()),
        }
    }

    /// The spans as an indented tree, in the order in which they started.
    ///
    /// A line holds the name; the kind, unless it is internal; the attributes, without `code.*`, and
    /// with text in quotes where it holds spaces;
    /// `!Type` for an error; `~cancelled` for a future that was dropped; `^name` for a link, `^?` if
    /// the other span was not recorded here; `(open)` for a span that has not ended. Spans that lost their context stand at the end as `orphan name`, and calls
    /// that a leaf hid as `under leaf: name`.
    pub fn tree(&self) -> String {
        tree::draw(self)
    }

    /// Compares the tree with an indented text, whose common indentation does not count.
    ///
    /// # Panics
    ///
    /// If they differ; the message shows both, line by line.
    #[track_caller]
    #[expect(clippy::panic, reason = "this is an assertion of a test")]
    pub fn assert_tree(&self, expected: &str) {
        if let Some(difference) = tree::difference(&tree::normal(expected), &self.tree()) {
            panic!("the trace is not as expected (-), but so (+)\n{difference}");
        }
    }

    /// Checks that no span lost its context on this recorder's own thread.
    ///
    /// Other threads may be a neighbour's: they are looked at only in a test that is
    /// [`exclusive`](super::exclusive).
    ///
    /// # Panics
    ///
    /// If a span started on the recorder's own thread without the recorder's context; and, if the
    /// test is [`exclusive`](super::exclusive), on any other thread.
    #[track_caller]
    pub fn assert_no_orphans(&self) {
        let mut orphans = self.orphans.clone();
        if alone::holds_it() {
            orphans.extend(lost::unclaimed());
        }
        assert!(
            orphans.is_empty(),
            "spans that started without a context: {}",
            orphans.join(", ")
        );
    }
}

impl RecordedSpan {
    /// The span's name at its end.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `internal`, `server`, `client`, `producer` or `consumer`.
    pub fn kind(&self) -> &str {
        self.kind
    }

    /// The instrumentation scope: the name and version of the crate that made the span.
    pub fn library(&self) -> (&str, Option<&str>) {
        (&self.library.0, self.library.1.as_deref())
    }

    /// The span's identity.
    pub fn span_context(&self) -> &SpanContext {
        &self.identity
    }

    /// The span's own id.
    pub fn span_id(&self) -> SpanId {
        self.identity.span_id()
    }

    /// The id of the parent, or `None` for a root.
    pub fn parent_id(&self) -> Option<SpanId> {
        self.parent.is_valid().then(|| self.parent.span_id())
    }

    /// An attribute.
    pub fn attribute(&self, key: &str) -> Option<Value> {
        find(&self.attributes, key)
    }

    /// The keys of all attributes, as they were exported: one that stands there twice shows twice.
    pub fn keys(&self) -> Vec<&str> {
        self.attributes.iter().map(|a| a.key.as_str()).collect()
    }

    /// The events, in order.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The spans that it is linked to.
    pub fn links(&self) -> &[SpanContext] {
        &self.links
    }

    /// The status.
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// Whether the span has ended.
    pub fn is_ended(&self) -> bool {
        self.end.is_some()
    }

    /// When it started.
    pub fn start_time(&self) -> SystemTime {
        self.start
    }

    /// When it ended, or `None` if it is still open.
    pub fn end_time(&self) -> Option<SystemTime> {
        self.end
    }

    /// How long it took, or `None` if it is still open.
    pub fn duration(&self) -> Option<Duration> {
        self.end?.duration_since(self.start).ok()
    }
}

impl Event {
    /// The event's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// An attribute of the event.
    pub fn attribute(&self, key: &str) -> Option<Value> {
        find(&self.attributes, key)
    }
}
