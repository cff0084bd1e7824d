//! The scope of a span: the context that is attached while its body runs, and its recording.
//!
//! Each thread keeps a few that are over, with their recordings, and uses them again: to allocate and
//! free them would cost as much as all else that is done for a span.

use std::cell::RefCell;
use std::sync::Arc;

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, TraceContextExt as _};

use crate::backend::Record;
use crate::recording::{Policy, Recording};
use crate::site::Site;

pub(crate) struct Scope {
    pub(crate) site: &'static Site,
    /// What is attached: with the span as the current one, but for a leaf, which never is.
    pub(crate) context: Context,
    /// If it is recorded.
    pub(crate) recording: Option<Arc<Recording>>,
    /// One that is over, for the next use.
    spare: Option<Arc<Recording>>,
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
        let spare = SPARE.try_with(|spare| spare.borrow_mut().pop());
        match spare.ok().flatten() {
            Some(mut scope) => {
                scope.site = site;
                scope.context = context;
                scope
            }
            None => Box::new(Scope {
                site,
                context,
                recording: None,
                spare: None,
            }),
        }
    }

    /// The scope of a span that has started below `parent`.
    pub(crate) fn recorded(
        site: &'static Site,
        identity: SpanContext,
        record: Box<dyn Record>,
        policy: Policy,
        parent: &Context,
    ) -> Box<Self> {
        let mut scope = Scope::unrecorded(site, Context::new());
        let recording = Recording::new(identity, record, policy);
        let recording = match scope.spare.take() {
            Some(mut spare) => match Arc::get_mut(&mut spare) {
                Some(place) => {
                    *place = recording;
                    spare
                }
                None => Arc::new(recording),
            },
            None => Arc::new(recording),
        };
        scope.context = match site.is_leaf() {
            true => parent.clone(),
            false => recording.below(parent),
        };
        scope.recording = Some(recording);
        scope
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

    /// A second one of the same span.
    pub(crate) fn again(&self) -> Box<Self> {
        let mut scope = Scope::unrecorded(self.site, self.context.clone());
        scope.recording.clone_from(&self.recording);
        scope
    }

    /// Keeps one that is over for its next use.
    #[cold]
    #[inline(never)]
    pub(crate) fn recycle(mut scope: Box<Self>) {
        // Outside of the list: what else the context holds is the user's.
        scope.context = Context::new();
        if let Some(recording) = scope.recording.take() {
            scope.spare = Some(recording);
        }
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
pub(crate) fn is_known_unsampled(parent: &Context) -> bool {
    let above = parent.span();
    let parent = above.span_context();
    parent.is_valid() && !parent.is_remote() && !parent.is_sampled() && !above.is_recording()
}
