//! One delivery of a message, or of several: the parent of its span, its links, its attributes, and the message
//! that is sent on.
//!
//! What is sent on can only be made inside. A [`Message`] is received: it is read in any form and never written.
//! A [`NextMessage`] is sent: only the start of a run or an invocation makes one. So no queue hands on a message
//! as it got it, which would make a second delivery look like the first, or forget the origin. The origin is
//! forwarded as the texts that were received; it is never parsed and written again. Only its baggage can be
//! removed.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use opentelemetry::Context as OtelContext;
use opentelemetry::baggage::{Baggage, BaggageExt as _, BaggageMetadata};
use opentelemetry::trace::TraceContextExt as _;
use opentelemetry::{Key, KeyValue, StringValue};

use super::carrier::Carrier;
use super::message::{Message, NextMessage};
use super::mode::TraceMode;
use crate::context::identity::SpanContext;
use crate::context::stack;
use crate::propagation::{self, Remote};
use crate::span::builder::{StartPoint, ToInvocation};
use crate::span::parent::CurrentInvocation;

/// One delivery of a message, or of a batch of them.
///
/// Give it to `#[enter_span(invocation = ..)]` or `in_span!`: it says where the span hangs, its links and its
/// attributes, and restores the baggage. The kind is `consumer`, unless another one is written. In the span,
/// [`next_message`](Invocation::next_message) is what is sent on.
///
/// ```
/// use enter_span::in_span;
/// use enter_span::invocation::{Invocation, Message};
///
/// let message = Message::read(&[("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")]);
/// let invocation = Invocation::of(&message).with_id("order.id", "4711");
/// let next = in_span!("charge", invocation = invocation, |_| invocation.next_message());
/// # drop(next);
/// ```
#[derive(Clone, Debug)]
pub struct Invocation {
    messages: Arc<[Message]>,
    settings: RunSettings,
    linked_parent: LinkedParent,
}

/// What is configured for a run, and for each of its invocations.
#[derive(Clone, Debug, Default)]
pub(super) struct RunSettings {
    pub(super) mode: Option<TraceMode>,
    /// Each key once.
    pub(super) ids: Vec<(Cow<'static, str>, String)>,
    pub(super) origin_baggage: OriginBaggage,
}

/// Whether the baggage of a received origin is forwarded with it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum OriginBaggage {
    #[default]
    Forwarded,
    Removed,
}

#[derive(Clone, Copy, Debug)]
enum LinkedParent {
    NewRoot,
    LocalContext,
}

impl RunSettings {
    pub(super) fn mode(&self) -> TraceMode {
        self.mode.unwrap_or_else(TraceMode::from_env)
    }

    /// Samplers see them.
    pub(super) fn attributes(&self) -> Vec<KeyValue> {
        let mode = KeyValue::new("enter_span.trace.mode", self.mode().as_str());
        let ids = self.ids.iter();
        let ids = ids.map(|(key, id)| KeyValue::new(key.clone(), id.clone()));
        std::iter::once(mode).chain(ids).collect()
    }

    /// Names the run, or gives one of its names another value.
    fn add_id(&mut self, key: Cow<'static, str>, id: String) {
        match self.ids.iter_mut().find(|(known, _)| *known == key) {
            Some((_, known)) => *known = id,
            None => self.ids.push((key, id)),
        }
    }

    /// `context`, with the run's ids in its baggage. What else is there stays.
    pub(super) fn in_baggage(&self, context: OtelContext) -> OtelContext {
        if self.ids.is_empty() {
            return context;
        }
        let is_id = |key: &Key| self.ids.iter().any(|(id, _)| id == key.as_str());
        let others = entries(&context).filter(|(key, _)| !is_id(key));
        let own = self.ids.iter().map(|(key, id)| {
            let value = (id.clone().into(), BaggageMetadata::default());
            (Key::from(key.clone()), value)
        });
        // Before the others: of a baggage that is full the rest is left out.
        let baggage: Baggage = own.chain(others).collect();
        context.with_baggage(baggage)
    }

    /// The current span, with the baggage that may leave, the run's ids among it.
    pub(super) fn carrier(&self) -> Carrier {
        let keys = self.ids.iter().map(|(key, _)| key.clone());
        let propagator = keys.fold(
            propagation::of_process(),
            propagation::Propagator::with_baggage_key,
        );
        Carrier::current_by(&propagator)
    }

    /// The origin as it was received, to the letter.
    fn forwarded(&self, origin: &Carrier) -> Carrier {
        match self.origin_baggage {
            OriginBaggage::Forwarded => origin.clone(),
            OriginBaggage::Removed => origin.without_baggage(),
        }
    }
}

impl Invocation {
    /// The delivery of one message.
    pub fn of(message: &Message) -> Self {
        Invocation::of_batch([message])
    }

    /// What no message has caused.
    pub(super) fn of_run() -> Self {
        Invocation::of_batch([])
    }

    /// The delivery of several messages together. Its span is linked to all of them. Baggage is restored and
    /// an origin is handed on only for a single message. For the rest of a message of it there is
    /// [`of`](Invocation::of).
    pub fn of_batch<'a>(messages: impl IntoIterator<Item = &'a Message>) -> Self {
        Invocation {
            messages: messages.into_iter().cloned().collect(),
            settings: RunSettings::default(),
            linked_parent: LinkedParent::NewRoot,
        }
    }

    /// That whose span is current, or around what is current. `None` while nothing is traced.
    pub fn current() -> Option<Self> {
        let read = |context: &OtelContext| {
            let CurrentInvocation(invocation) = context.get()?;
            invocation.as_ref()?.downcast_ref().cloned()
        };
        stack::map_current(read).flatten()
    }

    /// In this mode, whatever `ENTER_SPAN_TRACE_MODE` says.
    #[must_use]
    pub fn with_mode(mut self, mode: TraceMode) -> Self {
        self.settings.mode = Some(mode);
        self
    }

    /// An id of its run: an attribute of this key, and an entry of the baggage below the span, which leaves
    /// with messages.
    ///
    /// A run may have several, by calls with several keys; the same key again replaces the id.
    ///
    /// ```
    /// use enter_span::invocation::{Invocation, Message};
    ///
    /// # let message = Message::default();
    /// let invocation = Invocation::of(&message)
    ///     .with_id("workflow.run.id", "wrun_7")
    ///     .with_id("workflow.name", "import");
    /// # drop(invocation);
    /// ```
    #[must_use]
    pub fn with_id(mut self, key: impl Into<Cow<'static, str>>, id: impl Into<String>) -> Self {
        self.settings.add_id(key.into(), id.into());
        self
    }

    /// Sends the origin on without its baggage. By default, what came in a message goes on as it came.
    ///
    /// For a process that sends messages to where the baggage of the run's origin must not go.
    #[must_use]
    pub fn without_origin_baggage(mut self) -> Self {
        self.settings.origin_baggage = OriginBaggage::Removed;
        self
    }

    /// Linked, its span is below what is current where it starts, as in a server that was called with the
    /// message, and has one link, to the origin. Without a current span it is a root all the same.
    #[must_use]
    pub fn under_local_context(mut self) -> Self {
        self.linked_parent = LinkedParent::LocalContext;
        self
    }

    /// Its mode: what code has set, or else what the environment says now.
    pub fn mode(&self) -> TraceMode {
        self.settings.mode()
    }

    /// Whether a usable origin was received.
    pub fn is_propagated(&self) -> bool {
        ReceivedMessage::is_propagated(&self.received())
    }

    /// What is sent on: from inside of the invocation's span, or of a producer's below it.
    ///
    /// Its delivery is what is current, with the keys of this process's baggage that may leave. Its origin is, in
    /// linked mode, the one that came, to the letter and with its own baggage (unless
    /// [`without_origin_baggage`](Invocation::without_origin_baggage) is called); without one, and in continuous
    /// mode, it is what is current.
    pub fn next_message(&self) -> NextMessage {
        let delivery = self.settings.carrier();
        let message = match &*self.messages {
            [message] => Some(message),
            _ => None,
        };
        let origin = match (self.mode(), message) {
            (TraceMode::Linked, Some(message)) if message.origin().remote().is_valid() => {
                self.settings.forwarded(message.origin())
            }
            // Where nothing is traced, the run goes on with what came.
            (_, Some(message)) if delivery.is_empty() => {
                let cause = [message.origin(), message.delivery()];
                let cause = cause.into_iter().find(|cause| cause.remote().is_valid());
                cause.map_or_else(Carrier::default, |cause| self.settings.forwarded(cause))
            }
            _ => delivery.clone(),
        };
        NextMessage::new(delivery, origin)
    }

    fn received(&self) -> Vec<ReceivedMessage> {
        self.messages.iter().map(ReceivedMessage::read).collect()
    }

    fn start_point(self, current: &OtelContext, root: OtelContext) -> StartPoint {
        let mut attributes = self.settings.attributes();
        let propagated = "enter_span.trace.propagated";
        let received = self.received();
        attributes.push(KeyValue::new(
            propagated,
            ReceivedMessage::is_propagated(&received),
        ));
        let parent = self.parent(&received, current, root);
        let links = self.links(&received, current, &parent);
        let context = match &*received {
            [message] => message.with_baggage(parent),
            _ => parent,
        };
        StartPoint {
            context: self.current_in(self.settings.in_baggage(context)),
            links,
            attributes,
        }
    }

    /// The same for the start of a run, which is below what is current.
    pub(super) fn start_point_of_run(&self, current: &OtelContext) -> StartPoint {
        let context = self.settings.in_baggage(current.clone());
        StartPoint {
            context: self.current_in(context),
            links: Vec::new(),
            attributes: self.settings.attributes(),
        }
    }

    /// `context`, with this one as the current one, in the mode that it has now.
    fn current_in(&self, context: OtelContext) -> OtelContext {
        let own = self.clone().with_mode(self.mode());
        context.with_value(CurrentInvocation(Some(Arc::new(own))))
    }

    fn parent(
        &self,
        received: &[ReceivedMessage],
        current: &OtelContext,
        root: OtelContext,
    ) -> OtelContext {
        match (self.mode(), self.linked_parent, received) {
            (TraceMode::Linked, LinkedParent::NewRoot, _) => root,
            (TraceMode::Continuous, _, [message]) => match message.cause() {
                Some(cause) => cause.below(&root),
                None => current.clone(),
            },
            _ => current.clone(),
        }
    }

    /// To the deliveries and the origins, each once, but not to what its span is below.
    fn links(
        &self,
        received: &[ReceivedMessage],
        current: &OtelContext,
        parent: &OtelContext,
    ) -> Vec<SpanContext> {
        let parent = SpanContext(parent.span().span_context().clone());
        // Below a local context, that has delivered it.
        let is_below_local = self.mode() == TraceMode::Linked
            && matches!(self.linked_parent, LinkedParent::LocalContext)
            && parent.is_valid();
        let mut links = UniqueLinks::default();
        links.known.insert(UniqueLinks::id(&parent));
        for message in received {
            let origin = message.origin.span_context();
            if !is_below_local || !origin.is_valid() {
                links.add(message.delivery_span(current));
            }
            links.add(origin);
        }
        links.all
    }
}

impl ToInvocation for Invocation {
    fn to_start_point(&self, current: &OtelContext, root: OtelContext) -> StartPoint {
        // Once: the environment may change meanwhile.
        self.clone()
            .with_mode(self.mode())
            .start_point(current, root)
    }
}

#[derive(Default)]
struct UniqueLinks {
    all: Vec<SpanContext>,
    known: HashSet<([u8; 16], [u8; 8])>,
}

impl UniqueLinks {
    fn id(link: &SpanContext) -> ([u8; 16], [u8; 8]) {
        (link.trace_id().to_bytes(), link.span_id().to_bytes())
    }

    fn add(&mut self, link: SpanContext) {
        if link.is_valid() && self.known.insert(UniqueLinks::id(&link)) {
            self.all.push(link);
        }
    }
}

/// A message with both of its spans extracted.
struct ReceivedMessage {
    origin: Remote,
    delivery: Remote,
}

impl ReceivedMessage {
    fn read(message: &Message) -> Self {
        ReceivedMessage {
            origin: message.origin().remote(),
            delivery: message.delivery().remote(),
        }
    }

    /// Whether a usable origin was received.
    fn is_propagated(all: &[ReceivedMessage]) -> bool {
        all.iter().any(|message| message.origin.is_valid())
    }

    /// What its span is below in one trace: the origin, or the sender of a message that names none.
    fn cause(&self) -> Option<&Remote> {
        let causes = [&self.origin, &self.delivery];
        causes.into_iter().find(|cause| cause.is_valid())
    }

    /// Without a carrier for it, what is current has delivered it.
    fn delivery_span(&self, current: &OtelContext) -> SpanContext {
        if self.delivery.is_valid() {
            self.delivery.span_context()
        } else {
            SpanContext(current.span().span_context().clone())
        }
    }

    /// The baggage of the origin, and over it that of the delivery, over what is there.
    fn with_baggage(&self, context: OtelContext) -> OtelContext {
        let [origin, delivery] = [&self.origin, &self.delivery].map(|remote| remote.context().0);
        if origin.baggage().is_empty() && delivery.baggage().is_empty() {
            return context;
        }
        let all = [&context, &origin, &delivery].into_iter().flat_map(entries);
        let merged: Baggage = all.collect();
        context.with_baggage(merged)
    }
}

type Entry = (Key, (StringValue, BaggageMetadata));

fn entries(context: &OtelContext) -> impl Iterator<Item = Entry> {
    let entries = context.baggage().into_iter();
    entries.map(|(key, value)| (key.clone(), value.clone()))
}
