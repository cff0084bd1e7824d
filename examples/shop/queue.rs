//! A durable queue: a table beside the orders, so that what is done and what is to be done next are written
//! together or not at all.
//!
//! A message is delivered at least once: one that is taken and not done comes again. Its text is a column.

use std::time::Duration;

use enter_span::invocation::{Invocation, Message, NextMessage, Run};
use enter_span::{Attributes, enter_span};
use enter_span_semconv::{
    MESSAGING_DESTINATION_NAME, MESSAGING_MESSAGE_ID, MESSAGING_OPERATION_NAME,
    MESSAGING_OPERATION_TYPE, MESSAGING_SYSTEM, OneOf,
};
use rusqlite::{OptionalExtension as _, Row, Transaction};

use crate::Result;
use crate::database::Statement;
use crate::orders::ORDER_ID;

pub(crate) const PAYMENTS: &str = "payments";
pub(crate) const SHIPMENTS: &str = "shipments";

/// Taken, a message is hidden for so long, and then delivered again unless it is done.
const LEASE: Duration = Duration::from_secs(30);

/// What is to be done for an order.
#[derive(Attributes)]
pub(crate) struct Job {
    #[attributes(key = MESSAGING_MESSAGE_ID, %)]
    id: i64,
    #[attributes(skip)]
    pub(crate) queue: String,
    #[attributes(key = order.attempt)]
    pub(crate) attempt: u32,
    #[attributes(skip)]
    pub(crate) order: i64,
    /// This delivery, as a trace.
    #[attributes(skip)]
    pub(crate) invocation: Invocation,
}

pub(crate) const TABLE: &str = "
    CREATE TABLE IF NOT EXISTS queue (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        order_id INTEGER NOT NULL,
        attempt INTEGER NOT NULL,
        due REAL NOT NULL,
        message TEXT NOT NULL
    ) STRICT;
";

const INSERT: Statement = Statement {
    operation: "INSERT",
    table: "queue",
    text: "INSERT INTO queue (name, order_id, attempt, due, message)
           VALUES (?1, ?2, ?3, unixepoch('subsec') + ?4, ?5)",
};

const DELETE: Statement = Statement {
    operation: "DELETE",
    table: "queue",
    text: "DELETE FROM queue WHERE id = ?1",
};

const TAKE: &str = "
    UPDATE queue SET due = unixepoch('subsec') + ?1
    WHERE id = (SELECT id FROM queue WHERE due <= unixepoch('subsec') ORDER BY due, id LIMIT 1)
    RETURNING id, name, attempt, order_id, message
";

const IS_EMPTY: &str = "SELECT NOT EXISTS (SELECT 1 FROM queue)";

/// The first message for an order. The span that sends it is the origin of all that follow.
pub(crate) fn start(transaction: &Transaction<'_>, queue: &'static str, order: i64) -> Result<()> {
    let run = Run::new().with_id(ORDER_ID.name(), order.to_string());
    run.start(format!("send {queue}"), |span, message| {
        span.set_attributes(facts("send", queue));
        let now = Duration::ZERO;
        insert(transaction, queue, order, 1, now, &message)
    })
}

/// A message that is due, and that nobody else takes for a while. It has no span: it is asked for many times
/// a second, and which run it will be of is not known before.
pub(crate) fn take(transaction: &Transaction<'_>) -> Result<Option<Job>> {
    let lease = [LEASE.as_secs_f64()];
    Ok(transaction.query_row(TAKE, lease, Job::read).optional()?)
}

pub(crate) fn is_empty(transaction: &Transaction<'_>) -> Result<bool> {
    Ok(transaction.query_row(IS_EMPTY, [], |row| row.get(0))?)
}

/// What the semantic conventions for messaging ask for.
pub(crate) fn facts(operation: &'static str, queue: &str) -> impl Attributes {
    (
        (MESSAGING_SYSTEM, OneOf::new("sqlite")),
        (MESSAGING_DESTINATION_NAME, queue),
        (MESSAGING_OPERATION_NAME, operation),
        (MESSAGING_OPERATION_TYPE, OneOf::new(operation)),
    )
}

impl Job {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let order: i64 = row.get(3)?;
        let message: String = row.get(4)?;
        // What is no message is one without a cause: telemetry stops no order.
        let message: Message = message.parse().unwrap_or_default();
        Ok(Job {
            id: row.get(0)?,
            queue: row.get(1)?,
            attempt: row.get(2)?,
            order,
            invocation: Invocation::of(&message).with_id(ORDER_ID.name(), order.to_string()),
        })
    }

    /// The next message for the same order, to be delivered after `wait`.
    #[enter_span(
        name = format!("send {queue}"),
        kind = producer,
        attributes(ORDER_ID = self.order.to_string(), ..facts("send", queue))
    )]
    pub(crate) fn send(
        &self,
        transaction: &Transaction<'_>,
        queue: &'static str,
        attempt: u32,
        wait: Duration,
    ) -> Result<()> {
        // Asked for in here, so that this span is its delivery.
        let message = self.invocation.next_message();
        insert(transaction, queue, self.order, attempt, wait, &message)
    }

    /// Done: it is not delivered again.
    pub(crate) fn delete(&self, transaction: &Transaction<'_>) -> Result<()> {
        DELETE.execute(transaction, [self.id])?;
        Ok(())
    }
}

fn insert(
    transaction: &Transaction<'_>,
    queue: &str,
    order: i64,
    attempt: u32,
    wait: Duration,
    message: &NextMessage,
) -> Result<()> {
    let (wait, message) = (wait.as_secs_f64(), message.to_string());
    INSERT.execute(transaction, (queue, order, attempt, wait, message))?;
    Ok(())
}
