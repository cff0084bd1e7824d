//! One exporter's side of a spool.

use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use crate::export::attempt::Attempt;
use crate::export::batch::Batch;
use crate::export::encode::Encoder;
use crate::export::exporter::{Parts, Rest};
use crate::export::overflow::{Outlet, Surplus};
use crate::queue::budget::Size;
use crate::stats::counts::{DropCause, Ledger};

pub(super) struct SpoolLane {
    /// In the names of its files.
    pub(super) number: u16,
    pub(super) ledger: Arc<Ledger>,
    encoder: Arc<Mutex<Encoder>>,
    outlet: OnceLock<Weak<dyn Outlet>>,
}

impl SpoolLane {
    pub(super) fn new(number: u16, encoder: Arc<Mutex<Encoder>>, ledger: &Arc<Ledger>) -> Self {
        SpoolLane {
            number,
            ledger: Arc::clone(ledger),
            encoder,
            outlet: OnceLock::new(),
        }
    }

    pub(super) fn connect(&self, outlet: Weak<dyn Outlet>) {
        self.outlet.get_or_init(|| outlet);
    }

    /// While it is there.
    pub(super) fn outlet(&self) -> Option<Arc<dyn Outlet>> {
        self.outlet.get()?.upgrade()
    }

    pub(super) fn encode(&self, batch: Batch) -> Rest {
        let mut encoder = self.encoder.lock().unwrap_or_else(PoisonError::into_inner);
        Rest {
            requests: batch.encode(&mut encoder).into(),
        }
    }

    pub(super) fn requests(&self, surplus: Surplus) -> Rest {
        match surplus {
            Surplus::Batch(batch) => self.encode(batch),
            Surplus::Rest(rest) => rest,
        }
    }

    /// Counts a batch: these parts of it, and the others for this cause. Then there is room for others.
    pub(super) fn settle(&self, mut attempt: Attempt, parts: Parts, cause: DropCause) {
        let room = attempt.room();
        attempt.add(parts);
        attempt.drop_for(cause, &self.ledger);
        self.release(room);
    }

    fn release(&self, room: Size) {
        if let Some(outlet) = self.outlet() {
            outlet.release(room);
        }
    }
}
