//! The thread that takes spans from the buffers to the exporters' threads, and watches over these.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use enter_span::native::take_escapes;

use crate::account::Accounts;
use crate::batch::Maker;
use crate::buffer::Drained;
use crate::clock::Clock;
use crate::desk::{Asked, Desk, End, Round};
use crate::lane::{GRACE, Job, Lane};
use crate::limit::Limits;
use crate::notice::Notices;
use crate::quiet;

pub(crate) struct Worker {
    pub(crate) desk: Arc<Desk>,
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) lanes: Vec<Arc<Lane>>,
    pub(crate) limits: Limits,
    pub(crate) notices: Notices,
    pub(crate) clock: Arc<Clock>,
}

impl Worker {
    pub(crate) fn start_lanes(&self) -> io::Result<()> {
        self.lanes.iter().try_for_each(Lane::start)
    }

    pub(crate) fn run(mut self) {
        quiet::make_quiet();
        self.desk.sign_on();
        while self.turn() {}
    }

    /// Says whether there is another one.
    fn turn(&mut self) -> bool {
        let pause = self.watch();
        let Asked {
            flush,
            shut_down,
            is_over,
        } = self.desk.next(pause);
        self.hand_over(self.accounts.queue.drain());
        if let Some(round) = flush {
            self.hand_all(round, Job::Flush);
        }
        if let Some(round) = shut_down {
            self.hand_all(round, Job::ShutDown);
        }
        self.notices.pass_on(take_escapes());
        let last_error = || self.desk.last_error();
        match is_over {
            true => self.notices.tell_rest(self.accounts.dropped(), last_error),
            false => self.notices.tell(self.accounts.dropped(), last_error),
        }
        !is_over
    }

    fn hand_over(&self, all: Vec<Drained>) {
        let maker = Maker {
            queue: &self.accounts.queue,
            ledger: &self.accounts.all,
            clock: &self.clock,
            most: self.limits.batch(),
            takers: self.lanes.len(),
        };
        maker.batches(all, |batch| {
            for lane in &self.lanes {
                lane.hand(Job::Export(Arc::clone(&batch)));
            }
        });
    }

    fn hand_all(&self, round: Round, job: impl Fn(Arc<Round>) -> Job) {
        let round = Arc::new(round);
        for lane in &self.lanes {
            lane.hand(job(Arc::clone(&round)));
        }
    }

    /// Gives how long there is nothing to watch. What an exporter is asked later has a deadline after
    /// that.
    fn watch(&self) -> Duration {
        let now = Instant::now();
        let deadlines = self.lanes.iter().filter_map(|lane| lane.watch(now));
        let next = deadlines
            .min()
            .map(|deadline| deadline.saturating_duration_since(now));
        let pause = self
            .limits
            .interval
            .min(self.limits.export_timeout.max(GRACE));
        // Without a pause it would hold up a processor, and the buffers.
        pause
            .min(next.unwrap_or(pause))
            .max(Duration::from_millis(1))
    }
}

/// Also where something unforeseen unwinds, or where a thread could not be had: nobody waits for a
/// worker that is gone, and what waited is dropped and counted.
impl Drop for Worker {
    fn drop(&mut self) {
        let end = match thread::panicking() {
            true => End::Died,
            false => End::Down,
        };
        self.accounts.queue.close();
        for lane in &self.lanes {
            lane.give_up();
            lane.close();
        }
        self.hand_over(self.accounts.queue.drain());
        self.desk.end(end);
        self.desk.sign_off();
    }
}
