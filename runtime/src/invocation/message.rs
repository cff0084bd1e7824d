//! What a message takes along: who sent it, and what its run began with.

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use super::carrier::Carrier;
use super::text;
use crate::propagation::{Incoming, Outgoing};

/// What came with a message: the carrier of its delivery, and that of its run's origin.
///
/// It is read from the message's headers ([`read`](Message::read)), from a map (`collect`), from one line of
/// text (`parse`), or by serde; whatever cannot be used is absent, and nothing fails. To send something on,
/// there is [`Invocation::next_message`](super::Invocation::next_message) and nothing else: this type is read
/// and not written, so that nothing is sent again as it came.
///
/// # Text
///
/// One line, as a [`Carrier`]'s; the names of the origin have `enter-span-origin-` before them.
///
/// ```
/// use enter_span::invocation::Message;
///
/// let headers = [
///     ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
///     ("enter-span-origin-traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
/// ];
/// let message = Message::read(&headers);
/// assert_eq!(message.origin().remote().span_context().span_id().to_string(), "b7ad6b7169203331");
///
/// let column = "traceparent=00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\
///     &enter-span-origin-traceparent=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
/// assert_eq!(column.parse(), Ok(message));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Message {
    delivery: Carrier,
    origin: Carrier,
}

/// A message that is to be sent, with the invariants of its run.
///
/// It comes from [`Invocation::next_message`](super::Invocation::next_message) or
/// [`Run::start`](super::Run::start). Write it to headers with [`write`](NextMessage::write), as one line of
/// text with `Display`, by serde, or entry by entry. While nothing is traced it holds what is handed on, and
/// else nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NextMessage(Message);

const PREFIX: &str = "enter-span-origin-";

fn of_origin(name: &'static str) -> &'static str {
    match name {
        "traceparent" => "enter-span-origin-traceparent",
        "tracestate" => "enter-span-origin-tracestate",
        _ => "enter-span-origin-baggage",
    }
}

impl Message {
    /// Of these two carriers: for messages that keep them in places of their own.
    pub fn new(delivery: Carrier, origin: Carrier) -> Self {
        Message { delivery, origin }
    }

    /// What the headers of a message say, or whatever it has of their kind.
    pub fn read<C: Incoming + ?Sized>(carrier: &C) -> Self {
        Message {
            delivery: Carrier::read(carrier),
            origin: Carrier::read_as(carrier, of_origin),
        }
    }

    /// The span that sent it.
    pub fn delivery(&self) -> &Carrier {
        &self.delivery
    }

    /// The span that its run began with.
    pub fn origin(&self) -> &Carrier {
        &self.origin
    }

    /// All that it takes along, under the names of both carriers.
    fn iter(&self) -> impl Iterator<Item = (Cow<'_, str>, &str)> {
        let delivery = self.delivery.iter();
        let delivery = delivery.map(|(name, value)| (Cow::Borrowed(name), value));
        let origin = self.origin.iter();
        delivery.chain(origin.map(|(name, value)| (format!("{PREFIX}{name}").into(), value)))
    }
}

impl NextMessage {
    pub(super) fn new(delivery: Carrier, origin: Carrier) -> Self {
        NextMessage(Message { delivery, origin })
    }

    /// Writes it to headers: each of the six names once, in place of what is there, and a name that has nothing
    /// to say is removed, so that headers can be used again for another message.
    ///
    /// A message that tells of no span, as while nothing is traced, touches nothing. Of an origin that came in a
    /// map, what is no header of W3C's is not written; text and serde keep it.
    pub fn write<C: Outgoing + ?Sized>(&self, carrier: &mut C) {
        let NextMessage(Message { delivery, origin }) = self;
        if delivery.has_span() || origin.has_span() {
            delivery.write_as(carrier, |name| name);
            origin.write_as(carrier, of_origin);
        }
    }

    /// The span that sends it.
    pub fn delivery(&self) -> &Carrier {
        self.0.delivery()
    }

    /// The span that its run began with.
    pub fn origin(&self) -> &Carrier {
        self.0.origin()
    }

    /// All that it takes along, under the names of both carriers.
    pub fn iter(&self) -> impl Iterator<Item = (Cow<'_, str>, &str)> {
        self.0.iter()
    }
}

/// From a map of names and values.
impl<K: AsRef<str>, V: AsRef<str>> FromIterator<(K, V)> for Message {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let entries: Vec<(K, V)> = entries.into_iter().collect();
        let each = || entries.iter().map(|(name, value)| (name.as_ref(), value));
        let origin = each().filter_map(|(name, value)| Some((after_prefix(name)?, value)));
        let delivery = each().filter(|(name, _)| after_prefix(name).is_none());
        Message {
            delivery: delivery.collect(),
            origin: origin.collect(),
        }
    }
}

fn after_prefix(name: &str) -> Option<&str> {
    let (prefix, rest) = name.split_at_checked(PREFIX.len())?;
    prefix.eq_ignore_ascii_case(PREFIX).then_some(rest)
}

impl FromStr for Message {
    type Err = Infallible;

    fn from_str(line: &str) -> Result<Self, Infallible> {
        let is_origin = |name: &str| after_prefix(name).is_some();
        let of = |origin: bool| {
            let entries = text::read(line);
            let kept = entries.filter(move |entry| {
                entry
                    .as_ref()
                    .is_none_or(|(name, _)| is_origin(name) == origin)
            });
            Carrier::all_of(kept.map(|entry| {
                let (name, value) = entry?;
                let name = match after_prefix(&name) {
                    Some(name) => name.to_owned().into(),
                    None => name,
                };
                Some((name, value))
            }))
        };
        Ok(Message {
            delivery: of(false),
            origin: of(true),
        })
    }
}

impl fmt::Display for NextMessage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        text::write(formatter, self.iter())
    }
}
