//! Where a span's parent is decided, and what the span keeps of the context that is current at its start.
//!
//! As in OpenTelemetry, another parent replaces the span and keeps the rest: the application's values and
//! its baggage. Our own values go with the span that they belong to.

use std::any::Any;
use std::ptr;
use std::sync::Arc;

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, TraceContextExt as _};

use crate::backend::context_backend::{self, ContextBackend};
use crate::context::identity::has_span;
use crate::context::remote_tracestate::RemoteTracestate;
use crate::span::forwarding_span;
use crate::span::local_root::CarriedScope;
use crate::span::to_parent::{Parent, PendingLinks};

/// In the context of an invocation's span, and so of all below it: what `invocation/` puts there. `None`
/// hides another one.
#[derive(Clone, Default)]
pub(crate) struct CurrentInvocation(pub(crate) Option<Arc<dyn Any + Send + Sync>>);

/// The context that a span with this parent starts in, where `current` is current.
pub(crate) fn below(current: &Context, parent: Parent) -> Context {
    match parent {
        Parent::Current => current.clone(),
        Parent::Root => without_span(current),
        Parent::Identity(identity) if is_current(current, &identity) => current.clone(),
        Parent::Identity(identity) => {
            let context = current.with_remote_span_context(identity);
            with_our_values_of(&Context::new(), context)
        }
        Parent::Span(home) => with_span_of(current, &home),
        Parent::Context(context) => context_backend::inherit(context, current),
        Parent::Remote(remote) => remote.into_context(current),
    }
}

/// `current`, without its span. Where it has none, what its roots are linked to stays.
fn without_span(current: &Context) -> Context {
    if !has_span(current) {
        return current.clone();
    }
    let context = current.with_remote_span_context(SpanContext::NONE);
    with_our_values_of(&Context::new(), context)
}

/// `current`, with the span of `home` in place of its own, recorded by who records there.
pub(crate) fn with_span_of(current: &Context, home: &Context) -> Context {
    if is_current(current, home.span().span_context()) {
        return current.clone();
    }
    let context = if has_span(home) {
        forwarding_span::with_span_of(current, home)
    } else {
        without_span(current)
    };
    let context = with_our_values_of(home, context);
    let context = match ContextBackend::of(home) {
        Some(below) => below.over(&context),
        None => context,
    };
    if home.is_telemetry_suppressed() {
        context.with_telemetry_suppressed()
    } else {
        context
    }
}

fn is_current(current: &Context, span: &SpanContext) -> bool {
    let above = current.span();
    let current = above.span_context();
    span.is_valid() && span.span_id() == current.span_id() && span.trace_id() == current.trace_id()
}

/// `context`, with those of our values that `home` has, and with none that it has not.
fn with_our_values_of(home: &Context, context: Context) -> Context {
    let context = with_value_of::<CarriedScope>(home, context);
    let context = with_value_of::<PendingLinks>(home, context);
    let context = with_value_of::<RemoteTracestate>(home, context);
    with_value_of::<CurrentInvocation>(home, context)
}

/// The default of a value is empty, and hides another one: OpenTelemetry cannot take one away.
fn with_value_of<T: Clone + Default + Send + Sync + 'static>(
    home: &Context,
    context: Context,
) -> Context {
    match (home.get::<T>(), context.get::<T>()) {
        (None, None) => context,
        (Some(theirs), Some(ours)) if ptr::eq(theirs, ours) => context,
        (theirs, _) => context.with_value(theirs.cloned().unwrap_or_default()),
    }
}
