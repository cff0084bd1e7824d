//! The scope of a span: the context that is attached while its body runs, and its recording.
//!
//! Each thread keeps a few that are over, with their recordings, and uses them again: to allocate and
//! free them would cost as much as all else that is done for a span.

use std::cell::RefCell;
use std::mem;
use std::sync::Arc;

use opentelemetry::trace::{SpanContext, TraceContextExt as _, TraceId};
use opentelemetry::{Context, KeyValue};

use crate::backend::Record;
use crate::recording::{Ending, Open, Policy, Recording};
use crate::site::Site;

pub(crate) struct Scope {
    pub(crate) site: &'static Site,
    /// What is attached: with the span as the current one, but for a leaf, which never is.
    pub(crate) context: Context,
    state: State,
    /// The recording of a span that is over, for the next use.
    spare: Option<Arc<Recording>>,
}

enum State {
    Unrecorded,
    /// Only this scope knows of it: a leaf that has given no handle.
    Private(Open, Policy),
    Shared(Arc<Recording>),
}

/// Scopes that a thread keeps.
const MOST_SPARE: usize = 64;

thread_local! {
    #[expect(clippy::vec_box, reason = "it is the boxes that are used again")]
    static SPARE: RefCell<Vec<Box<Scope>>> = const { RefCell::new(Vec::new()) };
}

impl Scope {
    /// A scope in which nothing is recorded.
    pub(crate) fn unrecorded(site: &'static Site, context: Context) -> Box<Self> {
        let mut scope = Scope::spare(site);
        scope.context = context;
        scope
    }

    #[inline]
    fn spare(site: &'static Site) -> Box<Self> {
        let spare = SPARE.try_with(|spare| spare.borrow_mut().pop());
        match spare {
            Ok(Some(mut scope)) => {
                scope.site = site;
                scope
            }
            _ => Scope::new(site),
        }
    }

    #[cold]
    fn new(site: &'static Site) -> Box<Self> {
        Box::new(Scope {
            site,
            context: Context::new(),
            state: State::Unrecorded,
            spare: None,
        })
    }

    /// The scope of a span that has started below `parent`.
    #[inline]
    pub(crate) fn recorded(
        site: &'static Site,
        record: Box<dyn Record>,
        policy: Policy,
        parent: &Context,
    ) -> Box<Self> {
        let mut scope = Scope::spare(site);
        let open = Open::new(record);
        if site.is_leaf() {
            scope.context = parent.clone();
            scope.state = State::Private(open, policy);
        } else {
            let recording = scope.recording_of(open, policy);
            scope.context = recording.below(parent);
            scope.state = State::Shared(recording);
        }
        scope
    }

    #[inline]
    fn recording_of(&mut self, open: Open, policy: Policy) -> Arc<Recording> {
        if let Some(mut spare) = self.spare.take() {
            if let Some(recording) = Arc::get_mut(&mut spare) {
                recording.reuse(open, policy);
                return spare;
            }
        }
        Arc::new(Recording::new(open, policy))
    }

    /// The scope of one that is not recorded, if it says anything that its parent does not.
    pub(crate) fn of_identity(
        site: &'static Site,
        identity: SpanContext,
        parent: &Context,
    ) -> Option<Box<Self>> {
        says_more_than(parent, &identity)
            .then(|| Scope::unrecorded(site, parent.with_remote_span_context(identity)))
    }

    /// Its recording, if it has one, for others to know as well.
    pub(crate) fn share(&mut self) -> Option<&Arc<Recording>> {
        if let State::Private(..) = self.state {
            let private = mem::replace(&mut self.state, State::Unrecorded);
            if let State::Private(open, policy) = private {
                self.state = State::Shared(self.recording_of(open, policy));
            }
        }
        match &self.state {
            State::Shared(recording) => Some(recording),
            State::Unrecorded | State::Private(..) => None,
        }
    }

    /// The trace of a span that is recorded.
    #[inline]
    pub(crate) fn trace_id(&self) -> TraceId {
        match &self.state {
            State::Unrecorded => TraceId::INVALID,
            State::Private(open, _) => open.identity().trace_id(),
            State::Shared(recording) => recording.identity().trace_id(),
        }
    }

    /// A second one of the same span.
    pub(crate) fn again(&mut self) -> Box<Self> {
        let mut scope = Scope::unrecorded(self.site, self.context.clone());
        if let Some(recording) = self.share() {
            scope.state = State::Shared(Arc::clone(recording));
        }
        scope
    }

    /// Whether no span was made, and what is attached is another one's.
    pub(crate) fn is_absent(&self) -> bool {
        let current = self.context.span();
        !self.is_recorded() && (current.is_recording() || current.span_context().is_remote())
    }

    #[inline]
    pub(crate) fn is_recorded(&self) -> bool {
        !matches!(self.state, State::Unrecorded)
    }

    /// `None` if nothing is recorded.
    pub(crate) fn policy(&self) -> Option<Policy> {
        match &self.state {
            State::Unrecorded => None,
            State::Private(_, policy) => Some(*policy),
            State::Shared(recording) => Some(recording.policy()),
        }
    }

    #[inline]
    pub(crate) fn set_attribute(&mut self, attribute: KeyValue) {
        match &mut self.state {
            State::Unrecorded => {}
            State::Private(open, _) => open.set_attribute(attribute),
            State::Shared(recording) => recording.set_attribute(attribute),
        }
    }

    /// Once only: whoever comes second finds it closed.
    #[inline]
    pub(crate) fn end(&mut self, ending: Ending) {
        match mem::replace(&mut self.state, State::Unrecorded) {
            State::Unrecorded => {}
            State::Private(open, policy) => open.end(None, ending, policy),
            State::Shared(recording) => {
                recording.end(ending);
                self.spare = Some(recording);
            }
        }
    }

    /// Keeps one that is over for its next use.
    #[inline(never)]
    pub(crate) fn recycle(mut scope: Box<Self>) {
        // Outside of the list: what else the context holds is the user's.
        scope.context = Context::new();
        scope.state = State::Unrecorded;
        // A dying thread has no next use.
        let _ = SPARE.try_with(|spare| {
            if let Ok(mut spare) = spare.try_borrow_mut() {
                if spare.len() < MOST_SPARE {
                    spare.push(scope);
                }
            }
        });
    }
}

/// A span that is not recorded is attached only if headers and children must learn from it that
/// the trace is not sampled: at the root, below a remote parent, below one that is sampled.
fn says_more_than(parent: &Context, identity: &SpanContext) -> bool {
    let above = parent.span();
    let same = identity.span_id() == above.span_context().span_id();
    identity.is_valid() && !same && !is_known_unsampled(parent)
}

/// Whether everything below `parent` knows already that it is in a trace that is not sampled.
#[inline]
pub(crate) fn is_known_unsampled(parent: &Context) -> bool {
    let above = parent.span();
    let parent = above.span_context();
    parent.is_valid() && !parent.is_remote() && !parent.is_sampled() && !above.is_recording()
}
