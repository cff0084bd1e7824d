//! The scope of a span: the context that is attached while its body runs, and its recording.
//!
//! Each thread keeps a few that are over, with their recordings, and uses them again: to allocate and
//! free them would cost as much as all else that is done for a span. The last one is used first, since it is
//! still in the cache of the processor. What others still have, as a captured context has its recording, is
//! not used again; so a stale handle needs no generation number.

use std::mem;
use std::sync::Arc;

use opentelemetry::Context;
use opentelemetry::trace::{SpanId, TraceContextExt as _, TraceId};

use crate::attribute::value::Scalar;
use crate::backend::site::Site;
use crate::backend::size::{Content, Name};
use crate::context::stack;
use crate::outcome::failure::ErrorDetail;
use crate::span::context_span;
use crate::span::recording::Recording;
use crate::span::recording_place::{RecordingPlace, State};
use crate::span::recording_state::{Ending, RecordingState};
use crate::span::root_slot::Origin;
use crate::span::root_table::{self, OpenRoot};
use crate::span::scope_mirror::{EnteredMirror, ScopeMirror};
use crate::span::spare_list::SpareList;
use crate::span::unsampled;

pub(crate) struct Scope {
    pub(crate) site: &'static Site,
    /// What is attached: with the span as the current one, but for a leaf, which never is. `None` for a leaf
    /// that has only its site: it is in what is current where it starts.
    context: Option<Context>,
    state: State,
    /// The most that the process lets errors say.
    detail: ErrorDetail,
    /// The local root, which this is below, or is. `None` for a leaf, and for a span that is not recorded.
    root: SpanId,
    /// Keeps the root known, if this is the first of ours below it, or is it.
    open_root: Option<OpenRoot>,
    /// Used by a span that is private.
    own: RecordingState,
    /// Used by a span that is shared; else that of one that is over, which nobody else knows.
    shared: Option<Arc<Recording>>,
    pub(crate) mirror: ScopeMirror,
}

/// Scopes that a thread keeps.
const MOST_SPARE: usize = 64;

thread_local! {
    static SPARE: SpareList<Scope> = const { SpareList::new(MOST_SPARE) };
}

impl Scope {
    /// A scope in which nothing is recorded.
    pub(crate) fn unrecorded(site: &'static Site, context: Context) -> Box<Self> {
        let mut scope = Scope::spare(site);
        scope.context = Some(context);
        scope
    }

    /// One in which nothing is recorded yet, and nothing is attached.
    #[inline]
    pub(crate) fn spare(site: &'static Site) -> Box<Self> {
        let spare = SPARE.try_with(SpareList::take);
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
            context: None,
            state: State::Unrecorded,
            detail: ErrorDetail::Status,
            root: SpanId::INVALID,
            open_root: None,
            own: RecordingState::empty(),
            shared: None,
            mirror: ScopeMirror::empty(),
        })
    }

    /// The place to start a span in. For a leaf, it is not shared.
    #[inline(always)]
    pub(crate) fn place(&mut self) -> RecordingPlace<'_> {
        if !self.site.is_leaf() {
            let empty = || Arc::new(Recording::empty());
            // Nobody else knows of a spare one.
            if let Some(recording) = Arc::get_mut(self.shared.get_or_insert_with(empty)) {
                return RecordingPlace::Shared(recording);
            }
        }
        RecordingPlace::Private(&mut self.own)
    }

    /// The span has started in its place, below `parent`.
    #[inline(always)]
    pub(crate) fn activate(&mut self, state: State, detail: ErrorDetail, parent: &Context) {
        self.detail = detail;
        self.state = state;
        if let (State::Shared, Some(recording)) = (state, &self.shared) {
            self.mirror.join();
            self.context = Some(context_span::below(parent, recording));
        }
    }

    /// Keeps the parent's context where the span is not current in one of its own.
    pub(crate) fn keep_context(&mut self, parent: &Context) {
        if self.context.is_none() {
            self.context = Some(parent.clone());
        }
    }

    /// What is attached; of a leaf, what it is in.
    pub(crate) fn context(&self) -> Context {
        let here = || stack::current().unwrap_or_default();
        self.context.clone().unwrap_or_else(here)
    }

    /// The same, moved out: nothing asks for it any more.
    #[inline]
    pub(crate) fn take_context(&mut self) -> Context {
        self.context.take().unwrap_or_default()
    }

    pub(crate) fn set_context(&mut self, context: Context) {
        self.context = Some(context);
    }

    /// Attaches the identity of a span that is not recorded, if its children need it.
    #[cold]
    pub(crate) fn decline(mut self: Box<Self>, parent: &Context) -> Option<Box<Self>> {
        let identity = self.place().record().take_declined();
        if unsampled::must_be_attached(parent, &identity) {
            self.context = Some(parent.with_remote_span_context(identity));
            Some(self)
        } else {
            Scope::recycle(self);
            None
        }
    }

    /// Its recording, if others may know it already.
    #[inline]
    pub(crate) fn shared(&self) -> Option<&Arc<Recording>> {
        self.shared.as_ref().filter(|_| self.state == State::Shared)
    }

    /// Its recording, if it has one, for others to know as well.
    pub(crate) fn share(&mut self) -> Option<&Arc<Recording>> {
        if self.state == State::Private {
            let open = mem::replace(&mut self.own, RecordingState::empty());
            self.shared = Some(Arc::new(Recording::of(open)));
            self.state = State::Shared;
        }
        self.shared()
    }

    /// The trace of a span that is recorded.
    #[inline]
    pub(crate) fn trace_id(&self) -> TraceId {
        match (self.state, &self.shared) {
            (State::Private, _) => self.own.trace_id(),
            (State::Shared, Some(recording)) => recording.identity().trace_id(),
            _ => TraceId::INVALID,
        }
    }

    fn span_id(&self) -> SpanId {
        let recording = self.shared();
        recording.map_or(SpanId::INVALID, |recording| recording.ids().1)
    }

    /// It is below this local root.
    #[inline]
    pub(crate) fn set_root(&mut self, root: SpanId) {
        self.root = root;
        root_table::remember(self.span_id(), root);
    }

    /// It is the first of ours below this local root, and keeps it known.
    pub(crate) fn open_root(&mut self, root: SpanId, origin: Origin, context: &Context) {
        self.set_root(root);
        self.open_root = OpenRoot::open(self.trace_id(), root, origin, context);
    }

    /// It is a local root.
    pub(crate) fn open_own_root(&mut self) {
        if let (Some(recording), Some(context)) = (self.shared(), &self.context) {
            let (trace_id, own) = recording.ids();
            if own != SpanId::INVALID {
                self.open_root = OpenRoot::open(trace_id, own, Origin::Ours, context);
                root_table::remember(own, own);
                self.root = own;
            }
        }
    }

    /// Has this thread know its root, for what starts below it.
    #[inline]
    pub(crate) fn remember_root(&self) {
        if self.state == State::Shared && self.root != SpanId::INVALID {
            root_table::remember(self.span_id(), self.root);
        }
    }

    #[inline]
    pub(crate) fn close_root(&mut self) {
        // Asked first: most spans are no roots, and dropping takes a call.
        if self.open_root.is_some() {
            self.open_root = None;
        }
    }

    /// Enters the mirror of a span that is recorded, whose context is attached.
    #[inline(always)]
    pub(crate) fn enter_mirror(&self) -> Option<EnteredMirror> {
        let enter = |recording: &Arc<Recording>| self.mirror.enter(self.site, recording);
        self.shared().and_then(enter)
    }

    /// A second one of the same span, which ends it.
    pub(crate) fn second(&mut self) -> Box<Self> {
        let mut scope = Scope::unrecorded(self.site, self.context());
        if let Some(recording) = self.share() {
            scope.shared = Some(Arc::clone(recording));
            scope.state = State::Shared;
            scope.mirror.take_share(&mut self.mirror);
        }
        scope.detail = self.detail;
        scope.root = self.root;
        scope
    }

    /// Whether no span was made, and what is attached is another one's.
    pub(crate) fn is_absent(&self) -> bool {
        let context = self.context();
        let current = context.span();
        !self.is_recorded() && (current.is_recording() || current.span_context().is_remote())
    }

    #[inline]
    pub(crate) fn is_recorded(&self) -> bool {
        self.state != State::Unrecorded
    }

    /// How much an error may say: the site may lower it. `None` if nothing is recorded.
    #[inline]
    pub(crate) fn detail(&self) -> Option<ErrorDetail> {
        let detail = self.detail.min(self.site.most_detail());
        self.is_recorded().then_some(detail)
    }

    /// Whether only this scope knows of the span.
    #[inline]
    pub(crate) fn is_private(&self) -> bool {
        self.state == State::Private
    }

    /// For a span that is private.
    #[inline(always)]
    pub(crate) fn set_own_scalar(&mut self, key: &'static str, scalar: Scalar) {
        self.own.set_scalar(key, scalar);
    }

    /// For any other.
    #[inline(always)]
    pub(crate) fn set_shared_scalar(&self, key: &'static str, scalar: Scalar) {
        if let (State::Shared, Some(recording)) = (self.state, &self.shared) {
            recording.state().set_scalar(key, scalar);
        }
    }

    #[inline]
    pub(crate) fn set_attribute(&mut self, key: impl Name, value: impl Content) {
        if self.state == State::Private {
            self.own.set_attribute(key, value);
        } else {
            self.show(&key, &value);
            self.set_shared(key, value);
        }
    }

    /// Has the mirror show it.
    #[inline(always)]
    pub(crate) fn show(&mut self, key: &impl Name, value: &impl Content) {
        if let (State::Shared, Some(recording)) = (self.state, &self.shared) {
            self.mirror.set(self.site, recording, key, value);
        }
    }

    #[inline(never)]
    fn set_shared(&self, key: impl Name, value: impl Content) {
        if let (State::Shared, Some(recording)) = (self.state, &self.shared) {
            recording.state().set_attribute(key, value);
        }
    }

    /// Ends the span, once only: a second call finds it closed. The scope goes back to its thread.
    #[inline(always)]
    pub(crate) fn end(self: Box<Self>, ending: Ending) {
        match ending {
            Ending::Silent => self.end_silently(),
            ending => Scope::end_other(self, ending),
        }
    }

    #[inline(always)]
    pub(crate) fn end_silently(mut self: Box<Self>) {
        // Before it ends: what nobody else knows ends without a lock. A layer knows it by its mirror.
        self.mirror.close(self.shared.as_deref());
        self.close_root();
        let state = match (self.state, &mut self.shared) {
            (State::Private, _) => Some(&mut self.own),
            (State::Shared, Some(recording)) => Arc::get_mut(recording).map(Recording::state_mut),
            _ => None,
        };
        if state.is_some_and(|state| state.end_plain()) {
            self.state = State::Unrecorded;
            Scope::keep(self);
        } else {
            Scope::end_other(self, Ending::Silent);
        }
    }

    /// The same, where others have it too, or there is more to do.
    #[cold]
    #[inline(never)]
    fn end_other(mut scope: Box<Self>, ending: Ending) {
        scope.mirror.close(scope.shared.as_deref());
        scope.close_root();
        match (
            mem::replace(&mut scope.state, State::Unrecorded),
            &scope.shared,
        ) {
            (State::Private, _) => {
                if let Some(pending_end) = scope.own.end(None, ending) {
                    pending_end.end();
                }
            }
            (State::Shared, Some(recording)) => recording.end(ending),
            _ => {}
        }
        Scope::recycle(scope);
    }

    /// Keeps one that is over for its next use.
    #[cold]
    #[inline(never)]
    pub(crate) fn recycle(mut scope: Box<Self>) {
        // First: it knows the recording too. What else it holds is the user's.
        scope.context = None;
        scope.release();
        Scope::keep(scope);
    }

    /// The same for one whose recording nobody else knows.
    #[inline(always)]
    fn keep(mut scope: Box<Self>) {
        // Outside of the list: what else the context holds is the user's.
        scope.context = None;
        // A dying thread has no next use.
        let _ = SPARE.try_with(|spare| spare.keep(scope));
    }

    /// What has not ended, and what others know, is not used again.
    fn release(&mut self) {
        self.mirror.close(self.shared.as_deref());
        self.close_root();
        if self.is_recorded() || !self.shared.as_ref().is_some_and(is_unshared) {
            self.shared = None;
        }
        if self.state == State::Private {
            self.own = RecordingState::empty();
        }
        self.state = State::Unrecorded;
    }
}

/// Whether no other scope or context has it.
#[inline]
fn is_unshared(recording: &Arc<Recording>) -> bool {
    Arc::strong_count(recording) == 1 && Arc::weak_count(recording) == 0
}
