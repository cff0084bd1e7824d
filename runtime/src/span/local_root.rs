//! What a span's context knows of the spans above it in this process.
//!
//! One value for each local root, and one for each scope that ends its children; the spans between
//! them put nothing into the context. It names its trace, because other code starts new traces in contexts
//! that carry all of ours. The same value has the scopes that end their children, so that one read finds both.
//!
//! A span is registered with the innermost such scope that is not over, and a scope with the one around it,
//! weakly. With all of them, a start would cost the depth; strongly, a chain of jobs that start each other
//! would keep all of its past.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use opentelemetry::Context;
use opentelemetry::trace::{TraceContextExt as _, TraceId};

#[cfg(feature = "open-spans")]
use crate::context::identity::SpanContext;
use crate::context::identity::has_span;
use crate::context::unwind;
#[cfg(feature = "open-spans")]
use crate::diagnose::open_spans::OpenSpanPlace;
use crate::span::recording::Recording;
use crate::span::recording_state::Ending;
use crate::span::scope::Scope;

/// Carried by the context of a local root, and so by all below it.
#[derive(Clone)]
struct LocalRoot {
    /// The root's own context, in which it is the current span. It carries no local root.
    root: Context,
    /// The lists of spans that start below the root, and below this.
    below_root: Option<Arc<Children>>,
    below: Option<Arc<Children>>,
}

/// The local root in a context. `None` hides one of another trace, which would otherwise live as long as
/// this one.
#[derive(Clone, Default)]
pub(crate) struct CarriedRoot(Option<LocalRoot>);

/// The outermost span of this process's part of the trace.
///
/// Below spans that others made it is the outermost that could be seen: the one ours hang on.
pub(crate) fn root(context: &Context) -> Option<Context> {
    let trace_id = context.span().span_context().trace_id();
    match local_root(context, trace_id) {
        Some(local_root) => Some(local_root.of_root()),
        None => has_span(context).then(|| context.clone()),
    }
}

impl LocalRoot {
    fn trace_id(&self) -> TraceId {
        self.root.span().span_context().trace_id()
    }

    /// The root's context, with its children.
    fn of_root(&self) -> Context {
        let Some(children) = &self.below_root else {
            return self.root.clone();
        };
        let local_root = LocalRoot {
            below: Some(Arc::clone(children)),
            ..self.clone()
        };
        self.root.with_value(CarriedRoot(Some(local_root)))
    }
}

/// What `context` carries, unless it is of another trace: foreign code starts roots in contexts
/// that carry all of ours.
fn local_root(context: &Context, trace_id: TraceId) -> Option<&LocalRoot> {
    inherited(context).filter(|local_root| local_root.trace_id() == trace_id)
}

fn inherited(context: &Context) -> Option<&LocalRoot> {
    context.get::<CarriedRoot>()?.0.as_ref()
}

/// Where a span that starts below `parent` stands among ours.
#[cfg(feature = "open-spans")]
pub(crate) fn place(parent: &Context, identity: &SpanContext) -> OpenSpanPlace {
    match local_root(parent, identity.0.trace_id()) {
        Some(_) => OpenSpanPlace::Below,
        None => OpenSpanPlace::First,
    }
}

/// Registers a span that is recorded, and has started below `parent`, with the spans above it.
#[inline(always)]
pub(crate) fn register(span: &mut Scope, parent: &Context) {
    // A leaf is never current: it is of interest to a scope that ends its children, and to nobody else.
    if !span.site.is_leaf() || Children::are_ended_anywhere() {
        register_below(span, parent);
    }
}

#[inline(never)]
fn register_below(span: &mut Scope, parent: &Context) {
    let above = inherited(parent);
    if span.site.is_leaf() && above.is_none_or(|above| above.below.is_none()) {
        return;
    }
    let above = above.filter(|above| above.trace_id() == span.trace_id());
    let scope = above.and_then(|above| Children::open_from(above.below.as_ref()?));
    if let Some(scope) = &scope {
        if let Some(recording) = span.share() {
            scope.add(|started| started.spans.push(Arc::downgrade(recording)));
        }
    }
    let does_end_children = span.site.does_end_children();
    if span.site.is_leaf() || (above.is_some() && !does_end_children) {
        return;
    }
    let below = if does_end_children {
        Some(Children::inside(scope.as_ref()))
    } else {
        scope
    };
    let context = span.take_context();
    let local_root = match above {
        Some(above) => LocalRoot {
            below,
            ..above.clone()
        },
        None => LocalRoot::new(&context, parent, below),
    };
    span.set_context(context.with_value(CarriedRoot(Some(local_root))));
}

impl LocalRoot {
    /// Of a root: the span itself, unless it hangs on a local one that was not ours.
    fn new(own: &Context, parent: &Context, below: Option<Arc<Children>>) -> Self {
        let above = parent.span();
        let above = above.span_context();
        let is_local = above.is_valid() && !above.is_remote();
        let root = if is_local { parent } else { own };
        LocalRoot {
            root: match inherited(root) {
                Some(_) => root.with_value(CarriedRoot(None)),
                None => root.clone(),
            },
            below_root: below.clone().filter(|_| !is_local),
            below,
        }
    }
}

/// Ends what is still open below a span that ends its children.
pub(crate) fn end_children(context: &Context) {
    let inherited = context.get::<CarriedRoot>();
    let local_root = inherited.and_then(|inherited| inherited.0.as_ref());
    if let Some(children) = local_root.and_then(|local_root| local_root.below.as_ref()) {
        Children::end(Arc::clone(children));
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
