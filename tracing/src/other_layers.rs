//! Other layers that record the same spans: everything would be there twice.
//!
//! A layer cannot ask which others there are. One that is added before this one is seen by the type of what is
//! below. One that is added after it is seen when a span is exited: then a context is current that neither this
//! layer nor well-nested code has left there.

use std::any::type_name;
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use enter_span::native;
use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt as _;

use crate::entered::{self, SpanKey};

pub(crate) struct OtherLayers {
    /// Exits that are still looked at.
    watched: AtomicU32,
    /// Those that found another context.
    strange: AtomicU32,
}

const WATCHED: u32 = 64;

/// Code that is not well nested is no layer, as long as there is little of it.
const TOO_STRANGE: u32 = 8;

/// Said once in a process.
static IS_SAID: AtomicBool = AtomicBool::new(false);

impl OtherLayers {
    pub(crate) fn new() -> Self {
        OtherLayers {
            watched: AtomicU32::new(WATCHED),
            strange: AtomicU32::new(0),
        }
    }

    /// Sees what is below in a subscriber.
    pub(crate) fn see<S>(&self) {
        if type_name::<S>().contains("tracing_opentelemetry::layer::OpenTelemetryLayer") {
            say("tracing-opentelemetry's layer");
        }
    }

    /// Sees the exit of a span with this context, while it is current.
    #[inline]
    pub(crate) fn watch(&self, span: SpanKey, context: impl FnOnce() -> Option<Context>) {
        if self.watched.load(Ordering::Relaxed) > 0 {
            self.compare(span, context());
        }
    }

    #[cold]
    fn compare(&self, span: SpanKey, context: Option<Context>) {
        let (Some(context), Some(current)) = (context, native::current_context()) else {
            return;
        };
        let (own, current) = (context.span(), current.span());
        let (own, current) = (own.span_context(), current.span_context());
        if !own.is_valid() || !own.is_sampled() || !current.is_valid() {
            return;
        }
        let _ = self
            .watched
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(1)
            });
        if own != current && self.strange.fetch_add(1, Ordering::Relaxed) + 1 == TOO_STRANGE {
            say(if entered::is_entered_by_another_layer(span) {
                "a second layer of enter-span-tracing"
            } else {
                "another layer, such as tracing-opentelemetry's,"
            });
        }
    }
}

fn say(who: &str) {
    if IS_SAID.swap(true, Ordering::Relaxed) {
        return;
    }
    let line = format!(
        "enter_span: {who} records the spans of `tracing` beside enter-span-tracing's layer, so they are there twice; remove one of the two layers\n"
    );
    // Without a stderr there is nobody to warn.
    let _ = io::stderr().write_all(line.as_bytes());
}
