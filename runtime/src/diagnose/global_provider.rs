//! Who is OpenTelemetry's global provider? It cannot be inspected, but it can be asked for a tracer.
//!
//! It is asked under a certain name; a provider of ours then leaves its mark with the thread that asks. To tell
//! any other provider from none, a span is started while telemetry is suppressed and the parent is not sampled:
//! without a provider it has the parent's identity. The question runs on a thread of its own, and the caller
//! waits a second at most: OpenTelemetry drops a replaced provider under its lock.

use std::cell::Cell;
use std::sync::mpsc;
use std::time::Duration;

use opentelemetry::trace::{
    Span as _, SpanBuilder, SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId,
    TraceState, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, InstrumentationScope, global};

use crate::context::unwind;

/// The scope under which a provider is asked.
const SCOPE: &str = "enter_span.diagnose";

thread_local! {
    static ANSWER: Cell<Option<usize>> = const { Cell::new(None) };
}

/// A provider of ours calls this when it is asked for a tracer of this scope. The mark is a number that no
/// other one has while this one lives. The last answer counts, so a provider that wraps another answers after
/// it.
pub fn answer(scope: &InstrumentationScope, mark: usize) {
    if scope.name() == SCOPE {
        // A thread that dies does not ask.
        let _ = ANSWER.try_with(|met| met.set(Some(mark)));
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GlobalProvider {
    /// One that has answered with its mark.
    Marked(usize),
    /// None, or one that makes no spans.
    Nobody,
    Other,
    /// It gave no answer.
    Unknown,
}

/// OpenTelemetry drops a provider that is replaced under the lock that is needed here. The drop may
/// wait for a thread that asks this, which therefore does not wait for ever.
const TIMEOUT: Duration = Duration::from_secs(1);

pub(crate) fn ask() -> GlobalProvider {
    let (answer, answered) = mpsc::channel();
    let asking = move || {
        if let Some(global) = unwind::shielded(ask_here) {
            // Perhaps nobody waits any more.
            let _ = answer.send(global);
        }
    };
    match std::thread::Builder::new().spawn(asking) {
        Ok(_) => answered
            .recv_timeout(TIMEOUT)
            .unwrap_or(GlobalProvider::Unknown),
        Err(_) => GlobalProvider::Unknown,
    }
}

fn ask_here() -> GlobalProvider {
    let scope = InstrumentationScope::builder(SCOPE).build();
    let tracer = global::tracer_provider().tracer_with_scope(scope);
    if let Some(mark) = ANSWER.take() {
        return GlobalProvider::Marked(mark);
    }
    // Where there is no provider, the span has the parent's identity. Where there is one, nothing is
    // recorded all the same: telemetry is suppressed, and the parent is not sampled.
    let flags = TraceFlags::NOT_SAMPLED;
    let (trace_id, span_id) = (TraceId::from(1), SpanId::from(1));
    let parent = SpanContext::new(trace_id, span_id, flags, true, TraceState::NONE);
    let context = Context::new().with_remote_span_context(parent.clone());
    let context = context.with_telemetry_suppressed();
    let span = tracer.build_with_context(SpanBuilder::from_name(SCOPE), &context);
    if *span.span_context() == parent {
        GlobalProvider::Nobody
    } else {
        GlobalProvider::Other
    }
}
