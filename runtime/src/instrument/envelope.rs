//! A message and the span that sent it.

use std::fmt;
use std::future::Future;

use crate::context::identity::Context;
use crate::instrument::in_span::{Captured, Carried};

/// A message with the context that it was sent from: for channels and the mailboxes of actors.
///
/// Who receives a message runs in a context of its own, which has nothing to do with it. An
/// envelope brings the sender's along. The receiver chooses how to go on: as a *child*, for a
/// request that its sender waits for, or *linked*, with a root for each message and a link to the
/// sender, for messages that are handled some time later.
///
/// It keeps no span open, and works after its trace has ended. While the process is off it costs one
/// load; on, a clone of the context.
///
/// ```
/// use std::sync::mpsc;
///
/// use enter_span::{Envelope, enter_span};
///
/// #[enter_span]
/// fn handle(order: u32) {}
///
/// let (mailbox, messages) = mpsc::channel();
/// mailbox.send(Envelope::new(7)).unwrap();
/// drop(mailbox);
///
/// for message in messages {
///     message.open_linked(handle);
/// }
/// ```
#[derive(Clone)]
pub struct Envelope<T> {
    message: T,
    sender: Captured,
}

impl<T> Envelope<T> {
    /// Puts a message in, with the context that is current here.
    pub fn new(message: T) -> Self {
        Envelope {
            message,
            sender: Captured::current(),
        }
    }

    /// The message, to look at before it is handled.
    pub fn message(&self) -> &T {
        &self.message
    }

    /// Changes the message and keeps the sender.
    ///
    /// ```
    /// use enter_span::Envelope;
    ///
    /// let order = Envelope::new("7").map(str::len);
    /// assert_eq!(order.message(), &1);
    /// ```
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Envelope<U> {
        Envelope {
            message: change(self.message),
            sender: self.sender,
        }
    }

    /// Handles the message in the sender's context: as a child of its span, with its values and its baggage.
    ///
    /// For a future there is [`open_child_async`](Envelope::open_child_async): this would only put
    /// the making of it into the span. Where nothing is traced, it only calls.
    pub fn open_child<R>(self, handle: impl FnOnce(T) -> R) -> R {
        self.sender.run(|| handle(self.message))
    }

    /// Handles the message in no span: the spans of its handling are new roots, linked to the
    /// sender's, in an empty context.
    ///
    /// For a future there is [`open_linked_async`](Envelope::open_linked_async). Where nothing is
    /// traced, it only calls.
    pub fn open_linked<R>(self, handle: impl FnOnce(T) -> R) -> R {
        self.sender.to_linked().run(|| handle(self.message))
    }

    /// Handles the message in the sender's span, by a future.
    pub fn open_child_async<F: Future>(self, handle: impl FnOnce(T) -> F) -> Carried<F> {
        let future = self.sender.run(|| handle(self.message));
        Carried::new(self.sender, future)
    }

    /// Handles the message in new roots that are linked to the sender's span, by a future.
    pub fn open_linked_async<F: Future>(self, handle: impl FnOnce(T) -> F) -> Carried<F> {
        let sender = self.sender.to_linked();
        let future = sender.run(|| handle(self.message));
        Carried::new(sender, future)
    }

    /// The message, and the context it was sent from: for `links(..)`, to link a batch to all of its
    /// senders.
    ///
    /// ```
    /// use enter_span::{Context, Envelope, enter_span};
    ///
    /// #[enter_span(root, links(senders))]
    /// fn batch(senders: &[Context], orders: &[u32]) {}
    ///
    /// let batched = vec![Envelope::new(1), Envelope::new(2)];
    /// let (orders, senders): (Vec<_>, Vec<_>) =
    ///     batched.into_iter().map(Envelope::into_parts).unzip();
    /// batch(&senders, &orders);
    /// ```
    pub fn into_parts(self) -> (T, Context) {
        (self.message, self.sender.to_context())
    }
}

impl<T: fmt::Debug> fmt::Debug for Envelope<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Envelope")
            .field("message", &self.message)
            .field("sender", &self.sender.to_context())
            .finish()
    }
}
