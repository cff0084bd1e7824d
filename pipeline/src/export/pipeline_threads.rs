//! What a pipeline runs on: its worker, the threads of its exporters and the one that warns; and how others wait
//! for them.

use std::io;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use opentelemetry_sdk::Resource;

use crate::export::control::{Control, WaitResult, WorkerEnd};
use crate::export::export_thread::ExportThread;
use crate::export::exporter::Export;
use crate::export::overflow::Overflow;
use crate::export::worker::{self, Worker};
use crate::host::clock::Clock;
use crate::keep::{Keep, Keeper, KeeperConfig};
use crate::queue::limit::Limits;
use crate::stats::counts::DropCause;
use crate::stats::drop_warnings::DropWarnings;
use crate::stats::ledgers::Ledgers;
use crate::stats::warning_queue::{Warn, WarningQueue};

pub(crate) struct PipelineThreads {
    pub(crate) control: Arc<Control>,
    pub(crate) ledgers: Arc<Ledgers>,
    export_threads: Arc<[Arc<ExportThread>]>,
    warnings: Arc<WarningQueue>,
    overflow: Option<Arc<dyn Overflow>>,
    /// The worker's, until it is gone.
    drop_warnings: Weak<DropWarnings>,
    /// Whether rules of the application's may run.
    has_policy: bool,
}

/// What the threads work with.
pub(crate) struct ThreadsConfig<'a> {
    pub(crate) exporters: Vec<Box<dyn Export>>,
    pub(crate) resource: &'a Resource,
    pub(crate) limits: Limits,
    pub(crate) warn: Warn,
    pub(crate) clock: Arc<Clock>,
    /// Characters of a text.
    pub(crate) text: Option<usize>,
    pub(crate) overflow: Option<Arc<dyn Overflow>>,
    pub(crate) keep: Option<Keep>,
}

fn keeper(
    keep: Option<Keep>,
    limits: Limits,
    clock: &Arc<Clock>,
    ledgers: &Ledgers,
) -> Option<Box<Keeper>> {
    let config = KeeperConfig {
        keep: keep?,
        limits,
        clock: Arc::clone(clock),
        queue: Arc::clone(&ledgers.queue),
        ledger: Arc::clone(&ledgers.all),
        keep_ledger: Arc::clone(&ledgers.keep),
    };
    Some(Box::new(Keeper::new(config)))
}

/// For a warning function that is at work when all else is done: a process that ends now would not see
/// what it has to say.
const WARNING_WAIT: Duration = Duration::from_secs(1);

/// The most that a shutdown keeps of its time for what is written.
const WRITING_TIME: Duration = Duration::from_secs(2);

impl PipelineThreads {
    /// Of a pipeline that records nothing: no thread at all.
    pub(crate) fn off(control: Arc<Control>, ledgers: Arc<Ledgers>, warn: Warn) -> Self {
        ledgers.queue.buffers.close();
        control.end(WorkerEnd::Down);
        PipelineThreads {
            control,
            ledgers,
            export_threads: Arc::default(),
            warnings: WarningQueue::new(warn),
            overflow: None,
            drop_warnings: Weak::new(),
            has_policy: false,
        }
    }

    /// If a thread cannot be spawned, those that were end again.
    pub(crate) fn start(
        control: Arc<Control>,
        ledgers: Arc<Ledgers>,
        config: ThreadsConfig<'_>,
    ) -> io::Result<Self> {
        let (resource, limits) = (config.resource, config.limits);
        let overflow = config.overflow;
        let export_threads = worker::export_threads(
            config.exporters,
            resource,
            &control,
            &ledgers,
            limits,
            overflow.as_deref(),
        );
        let keeper = keeper(config.keep, limits, &config.clock, &ledgers);
        let warnings = WarningQueue::new(config.warn);
        let drop_warnings = Arc::new(DropWarnings::new(Arc::clone(&warnings)));
        let threads = PipelineThreads {
            control: Arc::clone(&control),
            ledgers: Arc::clone(&ledgers),
            export_threads: Arc::clone(&export_threads),
            warnings: Arc::clone(&warnings),
            overflow: overflow.clone(),
            drop_warnings: Arc::downgrade(&drop_warnings),
            has_policy: keeper.is_some(),
        };
        let worker = Worker {
            control,
            ledgers,
            export_threads,
            limits,
            drop_warnings,
            clock: config.clock,
            text: config.text,
            overflow: overflow.clone(),
            keeper,
            next: None,
        };
        let started = overflow.map_or(Ok(()), |overflow| overflow.start(&warnings));
        let started = started.and_then(|()| worker.start_export_threads());
        let thread = thread::Builder::new().name("enter_span".to_owned());
        let started = started.and_then(|()| thread.spawn(move || worker.run()));
        threads.control.set_worker(started?.thread());
        Ok(threads)
    }

    /// Waits until all that was recorded before is exported or dropped.
    pub(crate) fn flush(&self, timeout: Duration) -> WaitResult {
        let start = Instant::now();
        let result = self.control.wait(self.control.request_flush(), timeout);
        self.wait_for_warnings(timeout.saturating_sub(start.elapsed()));
        result
    }

    /// The same, and the exporters are down then.
    pub(crate) fn shut_down(&self, timeout: Duration) -> WaitResult {
        let start = Instant::now();
        let reserve = self.reserve(timeout);
        let goal = self.control.request_shutdown();
        let mut result = self.control.wait(goal, timeout - reserve);
        if result == WaitResult::TimedOut {
            result = self.end_late(reserve);
        }
        self.wait_for_warnings(timeout.saturating_sub(start.elapsed()));
        result
    }

    /// So much of a shutdown's time is kept for what is written to files.
    pub(crate) fn reserve(&self, timeout: Duration) -> Duration {
        match self.overflow {
            Some(_) => (timeout / 4).min(WRITING_TIME),
            None => Duration::ZERO,
        }
    }

    /// In what is left of the time, the application sees the warnings of what was dropped before.
    pub(crate) fn wait_for_warnings(&self, left: Duration) {
        self.warnings.wait(left.min(WARNING_WAIT));
    }

    pub(crate) fn has_warnings(&self) -> bool {
        self.warnings.is_busy()
    }

    /// Nobody waits any longer: counts what is left, and warns of it. The process may end when this returns,
    /// so the application sees the warning before.
    pub(crate) fn end_late(&self, reserve: Duration) -> WaitResult {
        let lost = || self.ledgers.dropped().shutdown_timed_out;
        let lost_before = lost();
        let drop_warnings = self.drop_warnings.upgrade();
        drop_warnings.iter().for_each(|warnings| warnings.end());
        for export_thread in &*self.export_threads {
            export_thread.end(DropCause::ShutdownTimedOut);
        }
        self.control.wait_for_hands();
        if let Some(overflow) = &self.overflow {
            overflow.wait(reserve);
            overflow.end_late();
        }
        // There is something only if the worker does not come.
        let ledgers = &self.ledgers;
        for list in ledgers.queue.buffers.drain() {
            let cause = Some(DropCause::ShutdownTimedOut);
            ledgers.all.count(list.size.spans, cause);
            ledgers.queue.buffers.release(list.size);
        }
        let last_error = || self.control.last_error();
        // A rule of the policy that does not return has them.
        let counts = self.has_policy.then(|| ledgers.counts());
        let held = counts.map_or(0, |counts| counts.queued + counts.undecided);
        if let Some(drop_warnings) = drop_warnings {
            drop_warnings.warn_last(ledgers.dropped(), last_error);
            if held > 0 {
                drop_warnings.warn(format!(
                    "the time of the shutdown was over while a rule of the policy ran; spans that wait for it: {held}"
                ));
            }
            self.warnings.wait(WARNING_WAIT);
        }
        if self.overflow.is_some() && lost() == lost_before && held == 0 {
            // All of it is in files.
            WaitResult::Done
        } else {
            WaitResult::TimedOut
        }
    }

    /// Runs a shutdown for an owner who gets no result. An error becomes a warning.
    pub(crate) fn shut_down_unwatched(&self, shut_down: impl FnOnce() -> Option<String>) {
        let drop_warnings = self.drop_warnings.upgrade();
        let warning = shut_down();
        if self.control.is_own_thread() {
            // It does not wait.
            return;
        }
        if let (Some(drop_warnings), Some(warning)) = (drop_warnings, warning) {
            drop_warnings.warn(warning);
            self.warnings.wait(WARNING_WAIT);
        }
    }

    pub(crate) fn last_error(&self) -> Option<String> {
        self.control.last_error()
    }
}
