//! What a span's context knows of the spans above it in this process.
//!
//! One value for each local root, and one for each scope that ends its children; the spans between
//! them put nothing into the context.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use opentelemetry::Context;
use opentelemetry::trace::{TraceContextExt as _, TraceId};

use crate::backend::Live;
#[cfg(feature = "open-spans")]
use crate::context::SpanContext;
#[cfg(feature = "open-spans")]
use crate::open_spans::Place;
use crate::recording::{Ending, Recording};
use crate::site::Site;
use crate::thread;

/// Carried by the context of a local root, and so by all below it.
#[derive(Clone)]
struct Lineage {
    /// The root's own context, in which it is the current span.
    root: Context,
    /// Whom to tell of spans that start below.
    children: Option<Arc<Children>>,
}

/// The outermost span of this process's part of the trace.
///
/// Below spans that others made it is the outermost that could be seen: the one ours hang on.
pub(crate) fn root(context: &Context) -> Option<Context> {
    let trace_id = context.span().span_context().trace_id();
    let lineage = lineage(context, trace_id).map(|lineage| lineage.root.clone());
    lineage.or_else(|| context.has_active_span().then(|| context.clone()))
}

/// Where a span that starts below `parent` stands among ours.
#[cfg(feature = "open-spans")]
pub(crate) fn place(parent: &Context, identity: &SpanContext) -> Place {
    match lineage(parent, identity.0.trace_id()) {
        Some(_) => Place::Below,
        None => Place::First,
    }
}

/// What `context` carries, unless it is of another trace: foreign code starts roots in contexts
/// that carry all of ours.
fn lineage(context: &Context, trace_id: TraceId) -> Option<&Lineage> {
    let lineage = context.get::<Lineage>()?;
    let of_root = lineage.root.span().span_context().trace_id();
    (of_root == trace_id).then_some(lineage)
}

/// Takes a span that has started below `parent` into its family.
pub(crate) fn adopt(site: &Site, live: Live, parent: &Context) -> Live {
    let Some(recording) = &live.recording else {
        return live;
    };
    let trace_id = live.context.span().span_context().trace_id();
    let above = lineage(parent, trace_id);
    let outer = above.and_then(|above| above.children.as_ref());
    if let Some(children) = outer {
        children.add(recording);
    }
    // A leaf is never current.
    if site.is_leaf() || (above.is_some() && !site.does_end_children()) {
        return live;
    }
    let lineage = Lineage {
        root: above.map_or_else(|| new_root(&live, parent), |above| above.root.clone()),
        children: match site.does_end_children() {
            true => Some(Children::below(outer.cloned())),
            false => outer.cloned(),
        },
    };
    Live {
        context: live.context.with_value(lineage),
        ..live
    }
}

/// The span itself, unless it hangs on a local one that was not ours.
fn new_root(live: &Live, parent: &Context) -> Context {
    let above = parent.span();
    let above = above.span_context();
    match above.is_valid() && !above.is_remote() {
        true => parent.clone(),
        false => live.context.clone(),
    }
}

/// Ends what is still open below a span that ends its children.
pub(crate) fn end_children(context: &Context) {
    let lineage = context.get::<Lineage>();
    if let Some(children) = lineage.and_then(|lineage| lineage.children.as_ref()) {
        children.end();
    }
}

/// The spans that have started below one that ends its children.
struct Children {
    /// The same of a scope further out, which ends them too.
    outer: Option<Arc<Children>>,
    /// `None` once they were ended: what starts later has its own time.
    started: Mutex<Option<Started>>,
}

#[derive(Default)]
struct Started {
    spans: Vec<Weak<Recording>>,
    /// Those that are gone are cleared away when there are so many.
    clear_at: usize,
}

const FEW: usize = 32;

impl Children {
    fn below(outer: Option<Arc<Children>>) -> Arc<Self> {
        Arc::new(Children {
            outer,
            started: Mutex::new(Some(Started::default())),
        })
    }

    fn started(&self) -> MutexGuard<'_, Option<Started>> {
        self.started.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, recording: &Arc<Recording>) {
        let mut next = Some(self);
        while let Some(children) = next {
            if let Some(started) = children.started().as_mut() {
                started.add(recording);
            }
            next = children.outer.as_deref();
        }
    }

    /// Ends the innermost first, outside of the lock: providers run here.
    fn end(&self) {
        let Some(started) = self.started().take() else {
            return;
        };
        let open = started.spans.iter().rev().filter_map(Weak::upgrade);
        for recording in open {
            // One that panics costs its own span.
            let _ = thread::shielded(|| recording.end(Ending::Abandoned));
        }
    }
}

impl Started {
    /// Room for twice what is alive, so that clearing away costs each span a constant share.
    fn add(&mut self, recording: &Arc<Recording>) {
        if self.spans.len() >= self.clear_at.max(FEW) {
            // Counted and not taken: the last to hold one runs its provider's code.
            self.spans.retain(|span| span.strong_count() > 0);
            self.clear_at = self.spans.len() * 2;
        }
        self.spans.push(Arc::downgrade(recording));
    }
}
