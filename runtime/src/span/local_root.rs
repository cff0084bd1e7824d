//! What is known of the spans above one in this process: its local root, and the scopes that end it.
//!
//! The root is found without a value in the context, see `root_table.rs`. A scope that ends its children has
//! one, which all below inherit. It names its trace, because other code starts new traces in contexts that carry
//! all of ours.
//!
//! A span is registered with the innermost such scope that is not over, and a scope with the one around it,
//! weakly. With all of them, a start would cost the depth; strongly, a chain of jobs that start each other
//! would keep all of its past.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt as _, TraceId, TraceState};

use crate::context::unwind;
#[cfg(feature = "open-spans")]
use crate::diagnose::open_list::OpenSpanPlace;
use crate::span::recording::Recording;
use crate::span::recording_state::Ending;
use crate::span::root_slot::Origin;
use crate::span::root_table;
use crate::span::scope::Scope;

/// The innermost scope around a context that ends its children. `None` hides one of another trace, which would
/// otherwise live as long as this one.
#[derive(Clone, Default)]
pub(crate) struct CarriedScope(Option<EndingScope>);

/// Carried by the context of a span that ends its children, and so by all below it.
#[derive(Clone)]
struct EndingScope {
    trace_id: TraceId,
    children: Arc<Children>,
}

/// The outermost span of this process's part of the trace.
///
/// Below spans that others made it is the outermost that could be seen: the one ours hang on. Of one that has
/// ended, the identity.
pub(crate) fn root(context: &Context) -> Option<Context> {
    let above = context.span();
    let above = above.span_context();
    if !above.is_valid() {
        return None;
    }
    let Some(root) = root_table::find(above) else {
        return Some(context.clone());
    };
    let open = root_table::context_of(above.trace_id(), root);
    Some(open.unwrap_or_else(|| context.with_remote_span_context(over(above, root))))
}

/// The identity of a root that is over.
fn over(below: &SpanContext, root: SpanId) -> SpanContext {
    let (trace_id, flags) = (below.trace_id(), below.trace_flags());
    SpanContext::new(trace_id, root, flags, false, TraceState::NONE)
}

/// The root of what starts below this parent; `None` if that is a root itself.
#[inline(always)]
fn root_above(parent: &SpanContext) -> Option<SpanId> {
    if parent.is_remote() || !parent.is_valid() {
        return None;
    }
    match root_table::recall(parent.span_id()) {
        Some(root) => Some(root),
        None => look_up_above(parent),
    }
}

#[cold]
#[inline(never)]
fn look_up_above(parent: &SpanContext) -> Option<SpanId> {
    let (root, origin) = root_table::look_up(parent)?;
    if origin == Origin::Foreign && root == parent.span_id() {
        // The first of ours below a span that others made.
        return None;
    }
    // For the next one below the same parent.
    root_table::remember(parent.span_id(), root);
    Some(root)
}

/// Has what starts below a leaf, by its handle, know the root that the leaf is below.
pub(crate) fn inherit(leaf: &SpanContext, context: &Context) {
    if let Some(root) = root_above(context.span().span_context()) {
        root_table::remember(leaf.span_id(), root);
    }
}

/// Where a span that starts below `parent` stands among ours.
#[cfg(feature = "open-spans")]
pub(crate) fn place(parent: &Context) -> OpenSpanPlace {
    match root_above(parent.span().span_context()) {
        Some(_) => OpenSpanPlace::Below,
        None => OpenSpanPlace::First,
    }
}

/// Registers a span that is recorded, and has started below `parent`, with what is above it.
#[inline(always)]
pub(crate) fn register(span: &mut Scope, parent: &Context) {
    if Children::are_ended_anywhere() || span.site.does_end_children() {
        register_child(span, parent);
    }
    // A leaf is never current: nothing starts below it.
    if span.site.is_leaf() {
        return;
    }
    match root_above(parent.span().span_context()) {
        Some(root) => span.set_root(root),
        None => open_root(span, parent),
    }
}

/// It is a root, unless its parent is a local span that was not ours: then that one is.
#[inline(never)]
fn open_root(span: &mut Scope, parent: &Context) {
    let above = parent.span();
    let above = above.span_context();
    if above.is_valid() && !above.is_remote() {
        span.open_root(above.span_id(), Origin::Foreign, parent);
    } else {
        span.open_own_root();
    }
}

/// Registers a span with the scope above it that ends its children, and gives it a scope if it ends its own.
#[cold]
#[inline(never)]
fn register_child(span: &mut Scope, parent: &Context) {
    let inherited = carried(parent);
    let above = inherited.filter(|above| above.trace_id == span.trace_id());
    let scope = above.and_then(|above| Children::open_from(&above.children));
    if let Some(scope) = &scope {
        if let Some(recording) = span.share() {
            scope.add(|started| started.spans.push(Arc::downgrade(recording)));
        }
    }
    if span.site.is_leaf() {
        return;
    }
    let trace_id = span.trace_id();
    let own = span.site.does_end_children().then(|| EndingScope {
        trace_id,
        children: Children::inside(scope.as_ref()),
    });
    let hides = inherited.is_some() && above.is_none();
    if own.is_some() || hides {
        let context = span.take_context();
        span.set_context(context.with_value(CarriedScope(own)));
    }
}

fn carried(context: &Context) -> Option<&EndingScope> {
    context.get::<CarriedScope>()?.0.as_ref()
}

/// Ends what is still open below a span that ends its children.
pub(crate) fn end_children(context: &Context) {
    if let Some(scope) = carried(context) {
        Children::end(Arc::clone(&scope.children));
    }
}

/// What has started below a span that ends its children, and not below another such one.
struct Children {
    /// The scope around this one. Weak, for what is around may be over long before.
    outer: Weak<Children>,
    /// `None` once they were ended: what starts later is not theirs.
    started: Mutex<Option<ChildList>>,
}

#[derive(Default)]
struct ChildList {
    spans: Vec<Weak<Recording>>,
    scopes: Vec<Weak<Children>>,
    /// Those that are gone are cleared away when there are so many.
    clear_at: usize,
}

const FEW: usize = 32;

/// Scopes that end their children, in all of the process.
static SCOPES: AtomicUsize = AtomicUsize::new(0);

impl Drop for Children {
    fn drop(&mut self) {
        SCOPES.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Children {
    /// Whether there is such a scope at all. Relaxed is enough: who is below one was told of its context
    /// after it was counted.
    #[inline]
    fn are_ended_anywhere() -> bool {
        SCOPES.load(Ordering::Relaxed) > 0
    }

    fn inside(outer: Option<&Arc<Children>>) -> Arc<Self> {
        SCOPES.fetch_add(1, Ordering::Relaxed);
        let children = Arc::new(Children {
            outer: outer.map(Arc::downgrade).unwrap_or_default(),
            started: Mutex::new(Some(ChildList::default())),
        });
        if let Some(outer) = outer {
            outer.add(|started| started.scopes.push(Arc::downgrade(&children)));
        }
        children
    }

    fn started(&self) -> MutexGuard<'_, Option<ChildList>> {
        self.started.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The innermost scope from here outwards that is not over.
    fn open_from(innermost: &Arc<Children>) -> Option<Arc<Children>> {
        let mut scope = Arc::clone(innermost);
        while scope.started().is_none() {
            scope = scope.outer.upgrade()?;
        }
        Some(scope)
    }

    fn add(&self, add: impl FnOnce(&mut ChildList)) {
        if let Some(started) = self.started().as_mut() {
            started.make_room();
            add(started);
        }
    }

    /// Ends what started last first, and outside of the locks: providers run here.
    fn end(outermost: Arc<Children>) {
        let mut scopes = vec![outermost];
        let mut spans = Vec::new();
        while let Some(scope) = scopes.pop() {
            let started = scope.started().take().unwrap_or_default();
            spans.extend(started.spans.iter().filter_map(Weak::upgrade));
            scopes.extend(started.scopes.iter().filter_map(Weak::upgrade));
        }
        // Scopes were visited from the outside, so this is from the inside.
        for recording in spans.iter().rev() {
            // One that panics costs its own span.
            let _ = unwind::shielded(|| recording.end(Ending::Abandoned));
        }
    }
}

impl ChildList {
    /// Room for twice what is alive, so that clearing away costs each span a constant share.
    fn make_room(&mut self) {
        if self.spans.len() + self.scopes.len() >= self.clear_at.max(FEW) {
            // Counted and not taken: the last to hold one runs its provider's code.
            self.spans.retain(|span| span.strong_count() > 0);
            self.scopes.retain(|scope| scope.strong_count() > 0);
            self.clear_at = 2 * (self.spans.len() + self.scopes.len());
        }
    }
}
