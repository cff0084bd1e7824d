//! The start of a run: its first message.

use std::borrow::Cow;
use std::future::Future;

use super::delivery::Invocation;
use super::message::NextMessage;
use super::mode::TraceMode;
use crate::backend::process_backend;
use crate::backend::site::{Kind, Site};
use crate::context::unwind;
use crate::diagnose::later_work;
use crate::instrument::future::Silent;
use crate::span::active::ActiveSpan;
use crate::span::body;
use crate::span::builder::SpanBuilder;
use crate::span::handle::Span;
use crate::span::start;

/// The start of a run: a producer's span, which is the origin of all that follows, and the first message.
///
/// ```
/// use enter_span::invocation::Run;
///
/// let mut queue = Vec::new();
/// Run::new().with_id("order.id", "4711").start("order", |span, message| {
///     span.set_attribute("messaging.destination.name", "orders");
///     queue.push(message.to_string());
/// });
/// ```
#[derive(Clone, Debug)]
#[must_use = "a run starts with `start` or `start_async`"]
pub struct Run(Invocation);

static START: Site = Site::anonymous().kind(Kind::Producer);

impl Default for Run {
    fn default() -> Self {
        Run::new()
    }
}

impl Invocation {
    /// Starts a run of no id in a producer's span of this name: as [`Run::start`].
    #[cfg_attr(debug_assertions, track_caller)]
    pub fn start<R>(
        name: impl Into<Cow<'static, str>>,
        body: impl FnOnce(Span, NextMessage) -> R,
    ) -> R {
        Run::new().start(name, body)
    }
}

impl Run {
    /// A run without an id, in the mode that the environment says.
    pub fn new() -> Self {
        Run(Invocation::of_run())
    }

    /// In this mode, whatever `ENTER_SPAN_TRACE_MODE` says.
    pub fn with_mode(self, mode: TraceMode) -> Self {
        Run(self.0.with_mode(mode))
    }

    /// An id of the run: an attribute of this key, and an entry of the baggage below the span, which leaves with
    /// messages. A run may have several, by calls with several keys; the same key again replaces the id.
    pub fn with_id(self, key: impl Into<Cow<'static, str>>, id: impl Into<String>) -> Self {
        Run(self.0.with_id(key, id))
    }

    /// Runs `body` in a producer's span of this name, below the current one, with the message to send.
    ///
    /// For another message of the run, in the same span, there is
    /// [`Invocation::current`](Invocation::current). While nothing is traced, the message is empty.
    ///
    /// For a future there is [`start_async`](Run::start_async): here its work would not be in the span.
    #[cfg_attr(debug_assertions, track_caller)]
    pub fn start<R>(
        self,
        name: impl Into<Cow<'static, str>>,
        body: impl FnOnce(Span, NextMessage) -> R,
    ) -> R {
        let mut active = self.enter(name);
        let span = active.handle();
        if !active.is_off() {
            later_work::check::<R>("`start_async`");
        }
        body::run(active, || body(span, self.0.next_message()))
    }

    /// The same for a future. The span starts when it is first polled.
    pub async fn start_async<F: Future>(
        self,
        name: impl Into<Cow<'static, str>>,
        body: impl FnOnce(Span, NextMessage) -> F,
    ) -> F::Output {
        let mut active = self.enter(name);
        let span = active.handle();
        let work = async { body(span, self.0.next_message()).await };
        Silent::new(active, work).await
    }

    fn enter(&self, name: impl Into<Cow<'static, str>>) -> ActiveSpan {
        if !process_backend::is_on() {
            return ActiveSpan::OFF;
        }
        // The user's own conversion: one that panics costs the span.
        let Some(name) = unwind::shielded(|| name.into()) else {
            return ActiveSpan::OFF;
        };
        let mut name = Some(name);
        let mut begun = |builder: &mut SpanBuilder| {
            builder.start_at(|current| self.0.start_point_of_run(current))
        };
        let mut named = |builder: &mut SpanBuilder| {
            if let Some(name) = name.take() {
                builder.set_name(name);
            }
        };
        // The name has been evaluated already.
        start::enter_with(&START, &mut [&mut begun, &mut named], &mut [])
    }
}
