//! What an exporter's thread gives away: to its overflow, and without one to nobody.

use std::sync::{Arc, Weak};

use crate::export::backlog::{Leaving, Task};
use crate::export::batch::Batch;
use crate::export::exporter::{ExportResult, Rest};
use crate::export::overflow::{Claim, Outlet, OverflowLane};
use crate::queue::budget::Size;
use crate::stats::counts::{DropCause, Ledger};
use crate::stats::spool_counts::SpoolFate;

pub(super) struct Outflow {
    lane: Option<Arc<dyn OverflowLane>>,
    ledger: Arc<Ledger>,
}

impl Outflow {
    pub(super) fn new(lane: Option<Arc<dyn OverflowLane>>, ledger: &Arc<Ledger>) -> Self {
        Outflow {
            lane,
            ledger: Arc::clone(ledger),
        }
    }

    pub(super) fn connect(&self, outlet: Weak<dyn Outlet>) {
        if let Some(lane) = &self.lane {
            lane.connect(outlet);
        }
    }

    /// Whether there is one, also if it takes nothing any more.
    pub(super) fn exists(&self) -> bool {
        self.lane.is_some()
    }

    pub(super) fn is_open(&self) -> bool {
        self.lane.as_ref().is_some_and(|lane| lane.is_open())
    }

    /// What may have to go elsewhere while the exporter is at it.
    pub(super) fn encode(&self, batch: Batch) -> Result<Rest, Batch> {
        match &self.lane {
            Some(lane) => Ok(lane.encode(batch)),
            None => Err(batch),
        }
    }

    /// Batches that do not wait in memory any longer: where they cannot go elsewhere, they are dropped. Returns
    /// the room of those.
    pub(super) fn part_with(&self, leaving: Vec<Leaving>, cause: DropCause) -> Size {
        let mut lost = Size::default();
        for (surplus, attempt) in leaving {
            match &self.lane {
                Some(lane) if lane.is_open() => lane.put(surplus, attempt),
                _ => {
                    let room = attempt.room();
                    lost.spans += room.spans;
                    lost.bytes += room.bytes;
                    attempt.drop_for(cause, &self.ledger);
                }
            }
        }
        lost
    }

    /// A flush is done when all is written that it waits for.
    pub(super) fn pass(&self, task: Option<Task>) {
        match (task, &self.lane) {
            (Some(Task::Answer(ticket)), Some(lane)) => lane.pass(ticket),
            (task, _) => drop(task),
        }
    }

    pub(super) fn ask(&self) {
        if let Some(lane) = &self.lane {
            lane.ask();
        }
    }

    pub(super) fn look_around(&self) {
        if let Some(lane) = &self.lane {
            lane.look_around();
        }
    }

    /// The receiver has answered for good to what was written earlier. Returns what went wrong.
    pub(super) fn settle(&self, claim: Claim, result: ExportResult) -> Option<String> {
        let parts = result.into_parts(claim.spans);
        let refused = claim.spans.saturating_sub(parts.exported);
        self.ledger.spool.count(SpoolFate::Sent, parts.exported);
        self.ledger.spool.count(SpoolFate::Refused, refused);
        let error = parts.error;
        self.ledger
            .set_last(error.clone().map_or(Ok(parts.note), Err));
        if let Some(lane) = &self.lane {
            lane.remove(claim);
        }
        error
    }
}
