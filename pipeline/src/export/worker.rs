//! The thread that takes spans from the queue to the exporters' threads, and watches these.
//!
//! It moves pointers only. Spans are converted and freed on the exporters' threads.
//!
//! An idle worker sleeps without a timeout. After a turn that finds nothing it sets a switch, and checks each
//! buffer once more under its lock. A thread that pushes into an empty buffer reads the switch under the same
//! lock, so one of the two always sees the other (`queue/model.rs` checks it). A full batch, or half of the
//! queue, wakes the worker immediately; the first span only starts the interval.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use enter_span::native::take_escapes;
use opentelemetry_sdk::Resource;

use crate::export::backlog::Job;
use crate::export::chunk::ChunkBuilder;
use crate::export::control::{Control, FlushTicket, Wakeup, WorkerEnd};
use crate::export::export_thread::ExportThread;
use crate::export::exporter::Export;
use crate::export::overflow::Overflow;
use crate::host::clock::Clock;
use crate::host::suppression;
use crate::host::unwind::silenced;
use crate::keep::Keeper;
use crate::queue::limit::Limits;
use crate::queue::span_queue::DrainedList;
use crate::stats::counts::DropCause;
use crate::stats::drop_warnings::DropWarnings;
use crate::stats::ledgers::Ledgers;

pub(crate) struct Worker {
    pub(crate) control: Arc<Control>,
    pub(crate) ledgers: Arc<Ledgers>,
    pub(crate) export_threads: Arc<[Arc<ExportThread>]>,
    pub(crate) limits: Limits,
    pub(crate) drop_warnings: Arc<DropWarnings>,
    pub(crate) clock: Arc<Clock>,
    /// Characters of a text.
    pub(crate) text: Option<usize>,
    pub(crate) overflow: Option<Arc<dyn Overflow>>,
    /// Decides which traces are kept, if there is a policy.
    pub(crate) keeper: Option<Box<Keeper>>,
    /// When it wakes up next without a call.
    pub(crate) next: Option<Instant>,
}

impl Worker {
    pub(crate) fn start_export_threads(&self) -> io::Result<()> {
        self.export_threads.iter().try_for_each(ExportThread::start)
    }

    pub(crate) fn run(mut self) {
        suppression::make_quiet();
        self.control.register_thread();
        self.sleep();
        while self.run_once() {}
    }

    /// Returns whether to go on.
    fn run_once(&mut self) -> bool {
        let pause = self.pause();
        let wakeup = self.control.next_wakeup(pause);
        if wakeup.is_soon_only {
            self.schedule();
            return true;
        }
        self.ledgers.queue.buffers.wake_up();
        let is_idle = self.move_spans(&wakeup);
        if self.ledgers.is_installed.load(Ordering::Relaxed) {
            self.drop_warnings.forward(take_escapes());
        }
        let warnings = self.control.take_warnings();
        self.drop_warnings.forward(warnings.into_iter());
        // A warning of what was dropped comes before the end of a flush.
        self.next = self.warn_of_drops(wakeup.is_over);
        self.next = earlier(
            self.next,
            self.keeper.as_ref().and_then(|keeper| keeper.deadline()),
        );
        if let Some(ticket) = wakeup.flush {
            self.enqueue_for_all(ticket, Job::Flush);
        }
        if let Some(ticket) = wakeup.shut_down {
            self.enqueue_for_all(ticket, Job::ShutDown);
        }
        if is_idle {
            self.sleep();
        } else {
            self.schedule();
        }
        !wakeup.is_over
    }

    /// From the queue to the exporters' threads. Returns whether there were none.
    fn move_spans(&mut self, wakeup: &Wakeup) -> bool {
        if self.keeper.is_some() {
            return self.move_kept(wakeup);
        }
        let _held = self.control.hold_spans();
        let all = self.ledgers.queue.buffers.drain();
        #[cfg(test)]
        {
            self.control.of_worker.may_panic();
            self.control.of_worker.may_stop();
        }
        let is_idle = all.is_empty();
        self.send_to_exporters(all);
        is_idle
    }

    /// The same with a policy. Rules of the application's run here, so a shutdown does not wait for this.
    fn move_kept(&mut self, wakeup: &Wakeup) -> bool {
        let all = self.ledgers.queue.buffers.drain();
        let found_none = all.is_empty();
        let all = self.keep(all, wakeup);
        let is_idle = found_none && all.is_empty() && !self.has_due();
        let _held = self.control.hold_spans();
        self.send_to_exporters(all);
        is_idle
    }

    /// What is kept of it, and of what was undecided before. Without a policy, all of it.
    fn keep(&mut self, all: Vec<DrainedList>, wakeup: &Wakeup) -> Vec<DrainedList> {
        let Some(keeper) = &mut self.keeper else {
            return all;
        };
        keeper.absorb(all);
        let ends = wakeup.shut_down.is_some() || wakeup.is_over;
        if ends || wakeup.flush.is_some() {
            // Decides what had ended when it was asked for.
            keeper.absorb(self.ledgers.queue.buffers.drain_again());
        }
        if ends {
            let traces = keeper.close();
            if traces > 0 {
                self.drop_warnings.warn(format!(
                    "traces that were undecided at the shutdown, and are exported: {traces}; their local roots had not ended"
                ));
            }
        }
        keeper.take_kept()
    }

    fn has_due(&self) -> bool {
        self.keeper.as_ref().is_some_and(|keeper| keeper.has_due())
    }

    /// Sleeps until it is called, or until an exporter's deadline.
    fn sleep(&mut self) {
        if !self.ledgers.queue.buffers.fall_asleep() {
            self.schedule();
        }
    }

    /// There is something to do when the interval is over.
    fn schedule(&mut self) {
        // Without a pause it would hold up a processor, and the buffers.
        let interval = self.limits.interval.max(Duration::from_millis(1));
        self.next = earlier(self.next, Instant::now().checked_add(interval));
    }

    /// Returns when there is more to warn of.
    fn warn_of_drops(&self, is_over: bool) -> Option<Instant> {
        let (dropped, last_error) = (self.ledgers.dropped(), || self.control.last_error());
        if is_over {
            self.drop_warnings.warn_now(dropped, last_error);
            return None;
        }
        self.drop_warnings.warn_in_time(dropped, last_error)
    }

    fn send_to_exporters(&self, all: Vec<DrainedList>) {
        let builder = ChunkBuilder {
            queue: &self.ledgers.queue,
            ledger: &self.ledgers.all,
            clock: &self.clock,
            limit: self.limits.batch(),
            text: self.text,
        };
        builder.chunks(all, |portion| {
            let Some((last, others)) = self.export_threads.split_last() else {
                portion.lose(DropCause::NoExporter);
                return;
            };
            for export_thread in others {
                export_thread.enqueue(Job::Export(portion.clone()));
            }
            // Where it is the only one, nobody else has the spans.
            last.enqueue(Job::Export(portion));
        });
    }

    /// A bug of ours unwinds. All that is left is dropped and counted, also what was at hand.
    fn die(&self) {
        let error = "the pipeline's worker has panicked, which is a fault of `enter-span-pipeline`";
        self.ledgers.all.die(error);
        self.control.set_last_error(error.to_owned());
        for export_thread in &*self.export_threads {
            export_thread.end(DropCause::ThreadDied);
        }
        self.send_to_exporters(self.ledgers.queue.buffers.drain());
        self.ledgers.keep.set_undecided(0);
        let lost = usize::try_from(self.ledgers.counts().queued).unwrap_or(usize::MAX);
        self.ledgers.all.count(lost, Some(DropCause::ThreadDied));
        let warning = "no spans are exported any more; drop the pipeline and install another one";
        self.drop_warnings.warn(format!("{error}: {warning}"));
        let last_error = || self.control.last_error();
        self.drop_warnings
            .warn_now(self.ledgers.dropped(), last_error);
    }

    fn enqueue_for_all(&self, ticket: FlushTicket, job: impl Fn(Arc<FlushTicket>) -> Job) {
        let ticket = Arc::new(ticket);
        for export_thread in &*self.export_threads {
            export_thread.enqueue(job(Arc::clone(&ticket)));
        }
    }

    /// How long there is nothing to do, nor to watch. A job that an exporter gets later has a deadline
    /// after that.
    fn pause(&self) -> Option<Duration> {
        let now = Instant::now();
        let _held = self.control.hold_spans();
        let deadlines = self
            .export_threads
            .iter()
            .map(|export_thread| export_thread.watch(now));
        let next = deadlines.fold(self.next, earlier);
        next.map(|next| next.saturating_duration_since(now))
    }
}

/// Those of all exporters, which have no threads yet.
pub(crate) fn export_threads(
    exporters: Vec<Box<dyn Export>>,
    resource: &Resource,
    control: &Arc<Control>,
    ledgers: &Ledgers,
    limits: Limits,
    overflow: Option<&dyn Overflow>,
) -> Arc<[Arc<ExportThread>]> {
    let count = exporters.len();
    let each = exporters.into_iter().zip(&ledgers.each);
    each.map(|(mut exporter, ledger)| {
        if silenced(|| exporter.set_resource(resource)).is_none() {
            control.set_last_error("the exporter panicked at the resource".to_owned());
        }
        exporter.count_in(ledger);
        let overflow = overflow.and_then(|all| all.lane(&*exporter, ledger));
        ExportThread::new(exporter.into(), control, ledger, limits, count, overflow)
    })
    .collect()
}

fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    one.into_iter().chain(other).min()
}

/// Also when a bug unwinds, or a thread could not be spawned: nobody waits for a worker that is gone,
/// and what was queued is dropped and counted.
impl Drop for Worker {
    fn drop(&mut self) {
        self.ledgers.queue.buffers.close();
        let end = if thread::panicking() {
            // It may be what has panicked.
            self.keeper = None;
            self.die();
            WorkerEnd::Died
        } else {
            WorkerEnd::Down
        };
        for export_thread in &*self.export_threads {
            export_thread.abandon();
            export_thread.close();
        }
        if let Some(overflow) = &self.overflow {
            overflow.close();
        }
        self.move_spans(&Wakeup::ending());
        self.control.end(end);
        self.control.unregister_thread();
    }
}
