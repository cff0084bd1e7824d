//! The thread that takes spans from the buffers to the exporters.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use opentelemetry_sdk::trace::SpanData;

use crate::buffer::{Drained, Queue};
use crate::clock::Clock;
use crate::count::Ledger;
use crate::exporter::{self, Export, Outcome};
use crate::limit::Limits;
use crate::quiet;

/// How the threads of the application and the worker speak to each other.
#[derive(Default)]
pub(crate) struct Desk {
    slips: Mutex<Slips>,
    /// The worker waits for this.
    asked: Condvar,
    /// Those who asked wait for this.
    answered: Condvar,
}

#[derive(Default)]
struct Slips {
    /// A buffer has a batch.
    is_woken: bool,
    flushes_asked: u64,
    flushes_done: u64,
    shutdown_asked: bool,
    is_down: bool,
    last_error: Option<String>,
    /// It cannot wait for itself.
    worker: Option<ThreadId>,
}

/// Why the worker stopped waiting.
struct Work {
    flushes: u64,
    is_flush: bool,
    is_last: bool,
}

impl Desk {
    fn slips(&self) -> MutexGuard<'_, Slips> {
        self.slips.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn wake(&self) {
        self.slips().is_woken = true;
        self.asked.notify_one();
    }

    /// Waits until all that was recorded before is exported or dropped. `false` if the time is over
    /// before.
    pub(crate) fn flush(&self, timeout: Duration) -> bool {
        let mut slips = self.slips();
        slips.flushes_asked += 1;
        let own = slips.flushes_asked;
        self.asked.notify_one();
        self.wait(slips, timeout, |slips| {
            slips.flushes_done >= own || slips.is_down
        })
    }

    /// The same, and the exporters are down then.
    pub(crate) fn shut_down(&self, timeout: Duration) -> bool {
        let mut slips = self.slips();
        slips.shutdown_asked = true;
        self.asked.notify_one();
        self.wait(slips, timeout, |slips| slips.is_down)
    }

    fn wait(
        &self,
        slips: MutexGuard<'_, Slips>,
        timeout: Duration,
        is_done: impl Fn(&Slips) -> bool,
    ) -> bool {
        if slips.worker == Some(thread::current().id()) {
            return is_done(&slips);
        }
        let waited = self
            .answered
            .wait_timeout_while(slips, timeout, |slips| !is_done(slips));
        let (slips, _) = waited.unwrap_or_else(PoisonError::into_inner);
        is_done(&slips)
    }

    pub(crate) fn last_error(&self) -> Option<String> {
        self.slips().last_error.clone()
    }

    /// The worker's side: waits for an interval, or for something to do.
    fn next(&self, interval: Duration) -> Work {
        // Without a pause it would hold up a processor, and the buffers.
        let interval = interval.max(Duration::from_millis(1));
        let idle = |slips: &mut Slips| {
            let flush = slips.flushes_asked > slips.flushes_done;
            !(slips.is_woken || flush || slips.shutdown_asked)
        };
        let waited = self.asked.wait_timeout_while(self.slips(), interval, idle);
        let (mut slips, _) = waited.unwrap_or_else(PoisonError::into_inner);
        slips.is_woken = false;
        Work {
            is_flush: slips.flushes_asked > slips.flushes_done,
            flushes: slips.flushes_asked,
            is_last: slips.shutdown_asked,
        }
    }

    fn done(&self, flushes: u64) {
        self.slips().flushes_done = flushes;
        self.answered.notify_all();
    }

    fn down(&self) {
        self.slips().is_down = true;
        self.answered.notify_all();
    }
}

pub(crate) struct Worker {
    pub(crate) desk: Arc<Desk>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) exporters: Vec<Box<dyn Export>>,
    pub(crate) limits: Limits,
    pub(crate) clock: Arc<Clock>,
}

impl Worker {
    pub(crate) fn run(mut self) {
        // Said also where something unforeseen unwinds: nobody waits for a worker that is gone.
        let _down = Down(Arc::clone(&self.desk));
        quiet::make_quiet();
        self.desk.slips().worker = Some(thread::current().id());
        loop {
            let work = self.desk.next(self.limits.interval);
            self.export_all(self.queue.drain());
            if work.is_flush || work.is_last {
                self.exporters
                    .iter()
                    .for_each(|one| exporter::flush(&**one));
            }
            self.desk.done(work.flushes);
            if work.is_last {
                break;
            }
        }
        let start = Instant::now();
        for exporter in std::mem::take(&mut self.exporters) {
            let left = self.limits.export_timeout.saturating_sub(start.elapsed());
            exporter::shut_down(exporter, left);
        }
    }

    fn export_all(&self, all: Vec<Drained>) {
        let mut batch = Vec::new();
        let mut bytes = 0;
        let reading = self.clock.read();
        for mut drained in all {
            for (held, span) in drained.records.drain(&reading) {
                let is_full = batch.len() >= self.limits.batch_spans
                    || bytes + held > self.limits.batch_bytes;
                if is_full && !batch.is_empty() {
                    self.export(std::mem::take(&mut batch), std::mem::take(&mut bytes));
                }
                bytes += held;
                batch.push(span);
            }
            drained.give_back();
        }
        if !batch.is_empty() {
            self.export(batch, bytes);
        }
    }

    /// To each exporter; what one of them did not take is not counted as exported.
    fn export(&self, batch: Vec<SpanData>, bytes: usize) {
        let spans = batch.len();
        let mut worst = Outcome::Exported;
        let mut export = |exporter: &dyn Export, batch| {
            let outcome = exporter::export(exporter, batch, self.limits.export_timeout);
            if outcome != Outcome::Exported {
                worst = outcome;
            }
        };
        // The last one gets the batch itself.
        if let Some((last, others)) = self.exporters.split_last() {
            for exporter in others {
                export(&**exporter, batch.clone());
            }
            export(&**last, batch);
        }
        self.queue.release(spans, bytes);
        self.enter(spans, worst);
    }

    fn enter(&self, spans: usize, outcome: Outcome) {
        let (counter, error) = match outcome {
            Outcome::Exported => (&self.ledger.exported, None),
            Outcome::Failed(error) => (&self.ledger.failed, Some(error)),
            Outcome::TimedOut => (&self.ledger.timed_out, Some("no answer in time".to_owned())),
        };
        Ledger::add(counter, spans);
        if error.is_some() {
            self.desk.slips().last_error = error;
        }
    }
}

struct Down(Arc<Desk>);

impl Drop for Down {
    fn drop(&mut self) {
        self.0.down();
    }
}
