//! A batch that an exporter is at, or that waits to be sent again: what is counted of it, and when it is given
//! up. Its spans are not here.

use std::time::{Duration, Instant};

use crate::export::chunk::{Portion, Share};
use crate::export::exporter::{Delayed, Parts};
use crate::queue::budget::Size;
use crate::stats::counts::{DropCause, Ledger};

#[derive(Default)]
pub(crate) struct Attempt {
    shares: Vec<Share>,
    /// What became of its requests until now.
    done: Parts,
    tries: u32,
    /// When it is given up: known from the first failure on.
    end: Option<End>,
}

#[derive(Clone, Copy)]
enum End {
    At(Instant),
    /// The time is too far for the clock.
    Never,
}

impl Attempt {
    pub(super) fn new(shares: Vec<Share>) -> Self {
        Attempt {
            shares,
            ..Attempt::default()
        }
    }

    pub(super) fn spans(&self) -> usize {
        self.shares.iter().map(Share::spans).sum()
    }

    /// What the exporter has less to keep when it is done with it.
    pub(super) fn room(&self) -> Size {
        let mut room = Size::default();
        for share in self.shares.iter().map(Share::room) {
            room.spans += share.spans;
            room.bytes += share.bytes;
        }
        room
    }

    /// It was tried and has failed, and may be tried again for so long since its first failure. Returns up to
    /// when; `None` if that is over.
    pub(super) fn fail(&mut self, now: Instant, retry_time: Duration) -> Option<Instant> {
        self.tries += 1;
        let end = self
            .end
            .get_or_insert_with(|| now.checked_add(retry_time).map_or(End::Never, End::At));
        match *end {
            End::At(end) => (now < end).then_some(end),
            // A pause is never longer.
            End::Never => now.checked_add(A_DAY),
        }
    }

    pub(super) fn add(&mut self, done: Parts) {
        self.done.add(done);
    }

    /// What it comes to if it is not tried again.
    pub(super) fn give_up(&self, delayed: &Delayed) -> Parts {
        let tries = match self.tries {
            1 => "1 try".to_owned(),
            tries => format!("{tries} tries"),
        };
        let mut parts = Parts {
            error: Some(format!("{} (given up after {tries})", delayed.reason)),
            ..Parts::default()
        };
        parts.drop_for(delayed.cause, self.open());
        parts
    }

    /// Spans without an answer.
    fn open(&self) -> usize {
        self.spans().saturating_sub(self.done.spans())
    }

    /// Counts all of it. Returns what went wrong.
    pub(super) fn complete(mut self, parts: Parts, ledger: &Ledger) -> Option<String> {
        self.done.add(parts);
        let Parts {
            exported,
            dropped,
            error,
            note,
        } = std::mem::take(&mut self.done);
        ledger.count(exported, None);
        ledger.set_last(error.clone().map_or(Ok(note), Err));
        self.lose(dropped, ledger);
        error
    }

    /// Counts what has no answer as dropped.
    pub(super) fn drop_for(mut self, cause: DropCause, ledger: &Ledger) {
        let open = self.open();
        self.done.drop_for(cause, open);
        let done = std::mem::take(&mut self.done);
        ledger.count(done.exported, None);
        self.lose(done.dropped, ledger);
    }

    /// Which of the spans were dropped, no receiver says.
    fn lose(&mut self, dropped: Vec<(DropCause, usize)>, ledger: &Ledger) {
        for (cause, mut spans) in dropped {
            ledger.count(spans, Some(cause));
            for share in &mut self.shares {
                spans -= share.lose(spans, cause);
            }
        }
    }
}

const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl From<Portion> for Attempt {
    fn from(portion: Portion) -> Self {
        Attempt::new(vec![portion.into_share()])
    }
}
