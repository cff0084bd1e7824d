//! The thread that takes spans from the buffers to the exporters' threads, and watches over these.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use enter_span::native::take_escapes;

use crate::export::batch::Maker;
use crate::export::control::{Desk, End, Round};
use crate::export::export_thread::{Job, Lane};
use crate::host::clock::Clock;
use crate::host::suppression;
use crate::queue::limit::Limits;
use crate::queue::span_queue::Drained;
use crate::stats::drop_warnings::Notices;
use crate::stats::ledgers::Accounts;

pub(crate) struct Worker {
    pub(crate) desk: Arc<Desk>,
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) lanes: Vec<Arc<Lane>>,
    pub(crate) limits: Limits,
    pub(crate) notices: Notices,
    pub(crate) clock: Arc<Clock>,
    /// Characters of a text.
    pub(crate) text: Option<usize>,
    /// When it looks next by itself.
    pub(crate) next: Option<Instant>,
}

impl Worker {
    pub(crate) fn start_lanes(&self) -> io::Result<()> {
        self.lanes.iter().try_for_each(Lane::start)
    }

    pub(crate) fn run(mut self) {
        suppression::make_quiet();
        self.desk.sign_on();
        self.rest();
        while self.turn() {}
    }

    /// Says whether there is another one.
    fn turn(&mut self) -> bool {
        let pause = self.pause();
        let asked = self.desk.next(pause);
        if asked.has_news_alone {
            self.expect();
            return true;
        }
        self.accounts.queue.wake_up();
        let all = self.accounts.queue.drain();
        let is_idle = all.is_empty();
        self.hand_over(all);
        if self.accounts.is_installed.load(Ordering::Relaxed) {
            self.notices.pass_on(take_escapes());
        }
        // Before a flush is answered: what was dropped until then is told first.
        self.next = self.tell(asked.is_over);
        if let Some(round) = asked.flush {
            self.hand_all(round, Job::Flush);
        }
        if let Some(round) = asked.shut_down {
            self.hand_all(round, Job::ShutDown);
        }
        if is_idle {
            self.rest();
        } else {
            self.expect();
        }
        !asked.is_over
    }

    /// Sleeps until it is called, but for what it has to watch.
    fn rest(&mut self) {
        if !self.accounts.queue.fall_asleep() {
            self.expect();
        }
    }

    /// There is something to do when the interval is over.
    fn expect(&mut self) {
        // Without a pause it would hold up a processor, and the buffers.
        let interval = self.limits.interval.max(Duration::from_millis(1));
        self.next = earlier(self.next, Instant::now().checked_add(interval));
    }

    /// Gives when there is more to tell.
    fn tell(&mut self, is_over: bool) -> Option<Instant> {
        let (dropped, last_error) = (self.accounts.dropped(), || self.desk.last_error());
        if is_over {
            self.notices.tell_rest(dropped, last_error);
            return None;
        }
        self.notices.tell(dropped, last_error)
    }

    fn hand_over(&self, all: Vec<Drained>) {
        let maker = Maker {
            queue: &self.accounts.queue,
            ledger: &self.accounts.all,
            clock: &self.clock,
            most: self.limits.batch(),
            takers: self.lanes.len(),
            text: self.text,
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

    /// Gives how long there is nothing to do, nor to watch. What an exporter is asked later has a deadline
    /// after that.
    fn pause(&self) -> Option<Duration> {
        let now = Instant::now();
        let deadlines = self.lanes.iter().map(|lane| lane.watch(now));
        let next = deadlines.fold(self.next, earlier);
        next.map(|next| next.saturating_duration_since(now))
    }
}

fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    one.into_iter().chain(other).min()
}

/// Also where something unforeseen unwinds, or where a thread could not be had: nobody waits for a
/// worker that is gone, and what waited is dropped and counted.
impl Drop for Worker {
    fn drop(&mut self) {
        let end = if thread::panicking() {
            End::Died
        } else {
            End::Down
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
