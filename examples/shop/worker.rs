//! The process that takes messages from the queue, one after the other.

use std::fmt;
use std::time::Duration;

use axum::http::StatusCode;
use enter_span::enter_span;
use rusqlite::Transaction;

use crate::client::Client;
use crate::database::Database;
use crate::queue::{self, Job};
use crate::stock::Shipment;
use crate::{Result, orders, service};

/// How long it waits if nothing is due.
const PAUSE: Duration = Duration::from_millis(20);

/// How long a bank is left alone that did not answer.
const PATIENCE: Duration = Duration::from_millis(100);

const MOST_ATTEMPTS: u32 = 3;

/// Works until it is asked to stop and nothing is left to do.
pub(crate) async fn run(database: Database, stock: Client) -> Result<()> {
    let stopped = tokio::spawn(service::stopped());
    let worker = Worker { database, stock };
    loop {
        match worker.database.transact(queue::take).await? {
            // What fails stays in the queue and comes again; its span says why.
            Some(job) => drop(worker.work(job).await),
            None if stopped.is_finished() && worker.is_done().await? => return Ok(()),
            None => tokio::time::sleep(PAUSE).await,
        }
    }
}

struct Worker {
    database: Database,
    stock: Client,
}

impl Worker {
    async fn is_done(&self) -> Result<bool> {
        self.database.transact(queue::is_empty).await
    }

    /// One delivery, and so one trace.
    #[enter_span(
        name = format!("process {}", job.queue),
        invocation = &job.invocation,
        attributes(..queue::facts("process", &job.queue), ..job)
    )]
    async fn work(&self, job: Job) -> Result<()> {
        match &*job.queue {
            queue::PAYMENTS => self.pay(job).await,
            queue::SHIPMENTS => self.ship(job).await,
            other => Err(format!("there is no queue {other:?}").into()),
        }
    }

    async fn pay(&self, job: Job) -> Result<()> {
        let order = job.order;
        let card = move |shop: &Transaction<'_>| orders::card(shop, order);
        let card = self.database.transact(card).await?;
        let charged = charge(&card, job.attempt).await;
        let next = move |shop: &Transaction<'_>, job: &Job| match charged {
            Ok(()) => {
                orders::set_state(shop, job.order, "paid")?;
                job.send(shop, queue::SHIPMENTS, 1, Duration::ZERO)
            }
            Err(NoAnswer) if job.attempt < MOST_ATTEMPTS => {
                job.send(shop, queue::PAYMENTS, job.attempt + 1, PATIENCE)
            }
            Err(NoAnswer) => orders::set_state(shop, job.order, "unpaid"),
        };
        self.finish(job, next).await
    }

    async fn ship(&self, job: Job) -> Result<()> {
        let shipment = Shipment { order: job.order };
        let answer = self.stock.post("/shipments", &shipment).await?;
        match answer.status() {
            StatusCode::CREATED => {}
            other => return Err(format!("the stock says {other}").into()),
        }
        let shipped =
            |shop: &Transaction<'_>, job: &Job| orders::set_state(shop, job.order, "shipped");
        self.finish(job, shipped).await
    }

    /// Does what is left to do, and with it the job is done.
    async fn finish(
        &self,
        job: Job,
        rest: impl FnOnce(&Transaction<'_>, &Job) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        let finish = move |shop: &Transaction<'_>| {
            rest(shop, &job)?;
            job.delete(shop)
        };
        self.database.transact(finish).await
    }
}

/// A card whose bank does not answer when it is first asked.
pub(crate) const CARD_OF_SLOW_BANK: &str = "4000 0000 0000 0002";

/// Stands for the call of a bank, which charges once for an order, however often it is asked.
#[enter_span(kind = client, attributes(order.attempt = attempt))]
async fn charge(card: &str, attempt: u32) -> Result<(), NoAnswer> {
    match (card, attempt) {
        (CARD_OF_SLOW_BANK, 1) => Err(NoAnswer),
        _ => Ok(()),
    }
}

#[derive(Debug)]
struct NoAnswer;

impl fmt::Display for NoAnswer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the bank did not answer")
    }
}

impl std::error::Error for NoAnswer {}
