//! A span that other instrumentation starts, attaches and ends: by calls of its own, in any order and on any
//! thread.
//!
//! It starts, is recorded and ends as every other span. Where nothing is recorded, it keeps what was current at
//! its start, so that work which is moved elsewhere stays in its trace.

use std::borrow::Cow;
use std::error::Error;
use std::sync::Arc;

use opentelemetry::trace::{SpanKind, Status, TraceContextExt as _};
use opentelemetry::{Context, ContextGuard, KeyValue};

use crate::attribute::value::{ToAttribute, Value};
use crate::backend::process_backend::{self, ThreadBackend};
use crate::backend::site::Site;
use crate::context::identity::SpanContext;
use crate::context::{stack, unwind};
use crate::outcome::failure::{ErrorDetail, Failure, FailureReport};
use crate::span::active::ActiveSpan;
use crate::span::builder::SpanBuilder;
use crate::span::recording::Recording;
use crate::span::recording_state::Ending;
use crate::span::scope::Scope;
use crate::span::start;
use crate::span::unsampled;

/// A span whose maker holds it, or the place of one that is not recorded.
pub struct BridgedSpan(Content);

enum Content {
    Active(ActiveSpan),
    /// What was current at the start of a span that is off, or of a mirror.
    Place(Context),
}

/// Where a bridged span starts.
#[derive(Clone, Debug)]
pub enum BridgedParent {
    /// Below what is current.
    Current,
    /// As a root.
    Root,
    /// Below the span of this context.
    Context(Context),
}

/// Where the description of a span goes: into its start, or into what is recorded already.
pub struct BridgedFields<'a>(Target<'a>);

enum Target<'a> {
    Start(&'a mut SpanBuilder),
    Recording(&'a Recording),
}

impl BridgedSpan {
    /// The place of a span that starts here, if that is known to be off whatever the span is: below one that is not
    /// sampled, and where telemetry is suppressed.
    #[inline]
    pub fn off_here() -> Option<Self> {
        let thread_backend = ThreadBackend::find()?;
        let place = stack::map_current(|current| {
            let is_off = current.is_telemetry_suppressed()
                || (thread_backend.follows_parent && unsampled::is_known_unsampled(current));
            is_off.then(|| BridgedSpan(Content::Place(current.clone())))
        });
        place.flatten()
    }

    /// The place of a mirror, which shows the span that is current here.
    pub fn mirror_here() -> Self {
        BridgedSpan(Content::Place(stack::current().unwrap_or_default()))
    }

    /// Starts a span. `describe` runs once, and not if the span is not recorded: before the start if the sampler
    /// may look at it, else after.
    pub fn start(
        site: &'static Site,
        parent: BridgedParent,
        describe: &mut dyn FnMut(&mut BridgedFields<'_>),
    ) -> Self {
        let follows = ThreadBackend::find().is_some_and(|backend| backend.follows_parent);
        let mut is_described = true;
        let mut fill = |builder: &mut SpanBuilder| {
            describe(&mut BridgedFields(Target::Start(builder)));
        };
        let active = match parent {
            // Samplers that follow the parent look at nothing else.
            BridgedParent::Current if follows => {
                is_described = false;
                start::enter(site)
            }
            BridgedParent::Current => start::enter_with(site, &mut [], &mut [&mut fill]),
            BridgedParent::Root => {
                start::enter_with(site, &mut [&mut SpanBuilder::root], &mut [&mut fill])
            }
            BridgedParent::Context(parent) => start::enter_with(
                site,
                &mut [&mut |builder| builder.parent(&parent)],
                &mut [&mut fill],
            ),
        };
        let span = if active.is_off() {
            BridgedSpan(Content::Place(stack::current().unwrap_or_default()))
        } else {
            BridgedSpan(Content::Active(active))
        };
        if let (false, Some(recording)) = (is_described, span.recorded()) {
            let mut fields = BridgedFields(Target::Recording(recording));
            let _ = unwind::shielded(|| describe(&mut fields));
        }
        span
    }

    /// The context in which it is current; where it is not recorded, that of its parent.
    pub fn context(&self) -> Context {
        match &self.0 {
            Content::Active(active) => active.scope().map(Scope::context).unwrap_or_default(),
            Content::Place(context) => context.clone(),
        }
    }

    /// The context to attach on this thread, which then knows its root. `None` if it is not recorded, and what is
    /// current here says the same.
    pub fn context_to_attach(&self) -> Option<Context> {
        match &self.0 {
            Content::Active(active) => {
                let scope = active.scope()?;
                scope.remember_root();
                Some(scope.context())
            }
            Content::Place(context) => {
                let is_here = |current: &Context| is_same_place(current, context);
                let is_current = stack::map_current(is_here).unwrap_or(true);
                (!is_current).then(|| context.clone())
            }
        }
    }

    /// What is recorded, if it is: to add to it without holding the span.
    pub fn recording(&self) -> Option<BridgedRecording> {
        let detail = self.scope()?.detail()?;
        let recording = Arc::clone(self.recorded()?);
        Some(BridgedRecording { recording, detail })
    }

    fn recorded(&self) -> Option<&Arc<Recording>> {
        self.scope()?.shared()
    }

    fn scope(&self) -> Option<&Scope> {
        match &self.0 {
            Content::Active(active) => active.scope(),
            Content::Place(_) => None,
        }
    }

    /// Ends the span.
    pub fn end(self) {
        if let Content::Active(mut active) = self.0 {
            // First: it knows the recording too, which can then be used again.
            active.drop_context();
            active.end_with(Ending::Silent);
        }
    }
}

impl BridgedFields<'_> {
    /// Sets an attribute.
    pub fn set<T: ToAttribute + ?Sized>(&mut self, key: &'static str, value: &T) {
        match &mut self.0 {
            Target::Start(builder) => builder.attribute_with(key, &mut |slot| slot.set(value)),
            Target::Recording(recording) => set(recording, key, value),
        }
    }

    /// The same for a value that is moved.
    pub fn value(&mut self, key: &'static str, Value(value): Value) {
        match &mut self.0 {
            Target::Start(builder) => builder.set_value(key, Value(value)),
            Target::Recording(recording) => recording.state().set_attribute(key, value),
        }
    }

    /// Text that is not copied.
    pub fn text(&mut self, key: &'static str, value: &'static str) {
        match &mut self.0 {
            Target::Start(builder) => builder.text(key, value),
            Target::Recording(recording) => recording.state().set_attribute(key, value),
        }
    }

    /// Gives the span another name.
    pub fn name(&mut self, name: String) {
        match &mut self.0 {
            Target::Start(builder) => builder.set_name(Cow::Owned(name)),
            Target::Recording(recording) => recording.state().update_name(Cow::Owned(name)),
        }
    }
}

fn set<T: ToAttribute + ?Sized>(recording: &Recording, key: &'static str, value: &T) {
    if let Some(scalar) = value.to_scalar() {
        recording.state().set_scalar(key, scalar);
    } else if let Some(Value(value)) = value.to_attribute() {
        recording.state().set_attribute(key, value);
    }
}

/// What is recorded of a bridged span. After its end, every call does nothing.
pub struct BridgedRecording {
    recording: Arc<Recording>,
    detail: ErrorDetail,
}

impl BridgedRecording {
    /// Where to add attributes, and a name.
    pub fn fields(&self) -> BridgedFields<'_> {
        BridgedFields(Target::Recording(&self.recording))
    }

    /// Another role, where the pipeline records; other providers take it at the start only.
    pub fn set_kind(&self, kind: SpanKind) {
        self.recording.state().set_kind(kind);
    }

    /// Links it to a span.
    pub fn add_link(&self, SpanContext(linked): SpanContext) {
        if linked.is_valid() {
            self.recording.state().add_link(linked, Vec::new());
        }
    }

    /// Sets the status.
    pub fn set_ok(&self) {
        self.recording.state().set_status(Status::Ok);
    }

    /// Sets the status to an error; without a description, one that it has stays.
    pub fn set_error(&self, description: Option<String>) {
        self.recording.state().mark_failed(description);
    }

    /// Marks it as failed: an `exception` event, `error.type` and the status, at the detail that is allowed. A
    /// status that was set stays.
    pub fn fail(&self, failure: &Failure<'_>) {
        let report = FailureReport::of(failure, self.detail);
        self.recording.state().fail(report, None);
    }
}

/// A failure by an error of which only the trait is known.
pub fn failure_of<'a>(error: &'a (dyn Error + 'static), fallback: &'static str) -> Failure<'a> {
    Failure::of_dyn(error, fallback)
}

/// What a failure says of itself on the span of a context.
#[derive(Debug)]
pub struct BridgedFailure {
    /// The value of `error.type`.
    pub kind: String,
    /// For the status.
    pub description: Option<String>,
    /// Of an `exception` event, if there is to be one.
    pub exception: Option<Vec<KeyValue>>,
}

impl BridgedFailure {
    /// At the detail that is allowed below this context. `None` if nothing records there.
    pub fn below(context: &Context, failure: &Failure<'_>) -> Option<Self> {
        let policy = process_backend::for_context(context)?.policy();
        let report = FailureReport::of(failure, policy.detail);
        let has_event = policy.exception_events && report.event;
        Some(BridgedFailure {
            exception: has_event.then(|| report.exception()),
            kind: report.kind,
            description: report.message,
        })
    }
}

/// A value as OpenTelemetry has it.
pub fn otel_value(Value(value): Value) -> opentelemetry::Value {
    value
}

/// The current context; `None` on a thread that is being torn down.
pub fn current_context() -> Option<Context> {
    unwind::shielded(stack::current).flatten()
}

/// Makes a context current until the guard drops, which [`detach`] is to do. `None` where that cannot be: on a
/// thread that is being torn down, and where other code borrows the context.
pub fn attach(context: Context) -> Option<ContextGuard> {
    unwind::shielded(|| stack::attach(context)).flatten()
}

/// Detaches, and does not panic.
pub fn detach(guard: ContextGuard) {
    let _ = unwind::shielded(|| drop(guard));
}

/// Whether two contexts are of one span, and of one mind about silence.
fn is_same_place(one: &Context, other: &Context) -> bool {
    let (above, below) = (one.span(), other.span());
    let (above, below) = (above.span_context(), below.span_context());
    above.span_id() == below.span_id()
        && above.trace_id() == below.trace_id()
        && one.is_telemetry_suppressed() == other.is_telemetry_suppressed()
}
