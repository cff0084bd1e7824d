//! Flush, shutdown and wake-ups, between the threads of the application, the worker and the exporters'
//! threads.
//!
//! A thread that ends a span takes no lock to call the worker: it sets a switch and unparks it.

use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard};
use std::thread::{self, Thread, ThreadId};
use std::time::{Duration, Instant};

#[cfg(test)]
use crate::export::interference::Interference;
use crate::queue::push_result::WorkerCall;

#[derive(Default)]
pub(crate) struct Control {
    state: Mutex<ControlState>,
    /// There is a batch, or something else that is due.
    is_called_now: AtomicBool,
    /// There is something to do when the interval is over.
    is_called_soon: AtomicBool,
    /// Parks while there is nothing to do.
    worker: OnceLock<Thread>,
    /// Callers of a flush or a shutdown wait for this.
    progress: Condvar,
    /// Held by a thread of the pipeline while it has spans at hand that stand nowhere else, and never while it
    /// waits or runs an exporter. A shutdown whose time is over takes it once, so that all of these are counted.
    hands: RwLock<()>,
    #[cfg(test)]
    pub(crate) of_worker: Interference,
    #[cfg(test)]
    pub(crate) of_export: Interference,
}

#[derive(Default)]
struct ControlState {
    /// One ticket serves all flushes that were requested before it began.
    flushes_requested: u64,
    flushes_begun: u64,
    flushes_done: u64,
    shutdown: ShutdownState,
    end: Option<WorkerEnd>,
    last_error: Option<String>,
    /// The pipeline's threads, which cannot wait for themselves.
    own_threads: Vec<ThreadId>,
    /// How often `progress` was signalled.
    changes: u64,
    /// What the worker is to warn of.
    warnings: Vec<String>,
}

/// What a caller waits for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Goal {
    /// The flush of this number.
    Flush(u64),
    Shutdown,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum ShutdownState {
    #[default]
    NotRequested,
    Requested,
    Begun,
    Done,
}

/// How the worker ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum WorkerEnd {
    Down,
    /// The worker has panicked, which is a bug of ours.
    Died,
}

/// What came of waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WaitResult {
    Done,
    TimedOut,
    /// This is a thread of the pipeline, which cannot wait for itself.
    OwnThread,
    Died,
    /// This is a forked child.
    Forked,
    /// There is no thread that could wait.
    NoThread(ErrorKind),
}

/// Why the worker stopped waiting.
#[derive(Default)]
pub(crate) struct Wakeup {
    pub(crate) flush: Option<FlushTicket>,
    pub(crate) shut_down: Option<FlushTicket>,
    pub(crate) is_over: bool,
    /// There is something, and it is not due.
    pub(crate) is_soon_only: bool,
}

impl Wakeup {
    /// That of a worker that ends.
    pub(crate) fn ending() -> Self {
        Wakeup {
            is_over: true,
            ..Wakeup::default()
        }
    }
}

/// Shared by all that take part in a flush or a shutdown, which is done when the last one drops it.
pub(crate) struct FlushTicket {
    control: Arc<Control>,
    /// `None` is the last one, the shutdown.
    flushes: Option<u64>,
}

impl Drop for FlushTicket {
    fn drop(&mut self) {
        // Nothing is done then. The worker's end says so.
        if thread::panicking() && self.control.is_worker() {
            return;
        }
        let mut state = self.control.state();
        match self.flushes {
            Some(flushes) => state.flushes_done = flushes,
            None => state.shutdown = ShutdownState::Done,
        }
        self.control.announce(state);
        // Perhaps the next one waits for the worker.
        self.control.wake_worker();
    }
}

impl Control {
    fn state(&self) -> MutexGuard<'_, ControlState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the worker come. Takes no lock.
    pub(crate) fn call(&self, call: WorkerCall) {
        let switch = match call {
            WorkerCall::Now => &self.is_called_now,
            WorkerCall::Soon => &self.is_called_soon,
        };
        switch.store(true, Ordering::Release);
        self.wake_worker();
    }

    /// Before this nobody has the pipeline, and nobody calls.
    pub(crate) fn set_worker(&self, worker: &Thread) {
        self.worker.get_or_init(|| worker.clone());
    }

    fn is_worker(&self) -> bool {
        let worker = self.worker.get().map(Thread::id);
        worker == Some(thread::current().id())
    }

    fn wake_worker(&self) {
        if let Some(worker) = self.worker.get() {
            worker.unpark();
        }
    }

    /// What is recorded until now is to be exported or dropped.
    pub(crate) fn request_flush(&self) -> Goal {
        let mut state = self.state();
        state.flushes_requested += 1;
        let goal = Goal::Flush(state.flushes_requested);
        drop(state);
        self.wake_worker();
        goal
    }

    /// The same, and the exporters are to be down then.
    pub(crate) fn request_shutdown(&self) -> Goal {
        let mut state = self.state();
        if state.shutdown == ShutdownState::NotRequested {
            state.shutdown = ShutdownState::Requested;
        }
        drop(state);
        self.wake_worker();
        Goal::Shutdown
    }

    /// Waits for what was requested.
    pub(crate) fn wait(&self, goal: Goal, timeout: Duration) -> WaitResult {
        let state = self.state();
        let is_own = state.is_own_thread();
        let timeout = if is_own { Duration::ZERO } else { timeout };
        let is_open = |state: &mut ControlState| state.result(goal).is_none();
        let waited = self.progress.wait_timeout_while(state, timeout, is_open);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let late = if is_own {
            WaitResult::OwnThread
        } else {
            WaitResult::TimedOut
        };
        state.result(goal).unwrap_or(late)
    }

    /// What has come of it. `None`: nothing yet.
    pub(crate) fn result(&self, goal: Goal) -> Option<WaitResult> {
        self.state().result(goal)
    }

    /// A number that changes whenever there may be another result.
    pub(crate) fn changes(&self) -> u64 {
        self.state().changes
    }

    /// Waits until that number is another one, or until this time, if there is one.
    pub(crate) fn wait_for_change(&self, seen: u64, end: Option<Instant>) {
        let mut state = self.state();
        while state.changes == seen {
            let waited = match end {
                None => self.progress.wait(state),
                Some(end) => {
                    let left = end.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return;
                    }
                    let waited = self.progress.wait_timeout(state, left);
                    waited
                        .map(|(state, _)| state)
                        .map_err(|error| PoisonError::new(error.into_inner().0))
                }
            };
            state = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Has all that wait look again.
    pub(crate) fn nudge(&self) {
        self.announce(self.state());
    }

    fn announce(&self, mut state: MutexGuard<'_, ControlState>) {
        state.changes += 1;
        drop(state);
        self.progress.notify_all();
    }

    /// Has the worker warn of this soon.
    pub(crate) fn add_warning(&self, warning: String) {
        self.state().warnings.push(warning);
        self.call(WorkerCall::Now);
    }

    pub(crate) fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut self.state().warnings)
    }

    pub(crate) fn last_error(&self) -> Option<String> {
        self.state().last_error.clone()
    }

    pub(crate) fn set_last_error(&self, error: String) {
        let before = self.state().last_error.replace(error);
        drop(before);
    }

    /// From now on, until this is dropped, the thread may have spans at hand.
    pub(crate) fn hold_spans(&self) -> RwLockReadGuard<'_, ()> {
        self.hands.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the threads that have spans at hand have handed them on, or counted them.
    pub(crate) fn wait_for_hands(&self) {
        #[cfg(test)]
        {
            self.of_worker.release();
            self.of_export.release();
        }
        drop(self.hands.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// This thread is the pipeline's. It does not wait for a flush, which would wait for it.
    pub(crate) fn register_thread(&self) {
        self.state().own_threads.push(thread::current().id());
    }

    pub(crate) fn is_own_thread(&self) -> bool {
        self.state().is_own_thread()
    }

    pub(crate) fn unregister_thread(&self) {
        let own = thread::current().id();
        self.state().own_threads.retain(|thread| *thread != own);
    }

    /// The worker's side: waits for something to do, or for this time, if there is one.
    pub(crate) fn next_wakeup(self: &Arc<Self>, pause: Option<Duration>) -> Wakeup {
        let mut state = self.wait_for_work(pause);
        let is_called_now = self.is_called_now.swap(false, Ordering::Acquire) || !state.is_idle();
        let is_called_soon = self.is_called_soon.swap(false, Ordering::Acquire);
        let ticket = |flushes| FlushTicket {
            control: Arc::clone(self),
            flushes,
        };
        let mut wakeup = Wakeup {
            is_over: state.shutdown == ShutdownState::Done,
            is_soon_only: is_called_soon && !is_called_now,
            ..Wakeup::default()
        };
        if state.has_flush() {
            state.flushes_begun = state.flushes_requested;
            wakeup.flush = Some(ticket(Some(state.flushes_requested)));
        }
        if state.shutdown == ShutdownState::Requested {
            state.shutdown = ShutdownState::Begun;
            wakeup.shut_down = Some(ticket(None));
        }
        wakeup
    }

    fn wait_for_work(&self, pause: Option<Duration>) -> MutexGuard<'_, ControlState> {
        // A time that is too far for the clock is none.
        let end = pause.and_then(|pause| Instant::now().checked_add(pause));
        loop {
            let state = self.state();
            let is_called = self.is_called_now.load(Ordering::Relaxed)
                || self.is_called_soon.load(Ordering::Relaxed);
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            if is_called || !state.is_idle() || left == Some(Duration::ZERO) {
                return state;
            }
            drop(state);
            match left {
                Some(left) => thread::park_timeout(left),
                None => thread::park(),
            }
        }
    }

    /// Nobody waits for a worker that is gone.
    pub(crate) fn end(&self, end: WorkerEnd) {
        let mut state = self.state();
        state.end.get_or_insert(end);
        self.announce(state);
    }
}

impl ControlState {
    fn result(&self, goal: Goal) -> Option<WaitResult> {
        match (goal, self.end) {
            (Goal::Flush(number), _) if self.flushes_done >= number => Some(WaitResult::Done),
            (_, Some(WorkerEnd::Down)) => Some(WaitResult::Done),
            (_, Some(WorkerEnd::Died)) => Some(WaitResult::Died),
            (_, None) => None,
        }
    }

    fn is_own_thread(&self) -> bool {
        self.own_threads.contains(&thread::current().id())
    }

    /// One ticket at a time, so that they do not pile up before an exporter that hangs.
    fn has_flush(&self) -> bool {
        self.flushes_requested > self.flushes_begun && self.flushes_begun == self.flushes_done
    }

    fn is_idle(&self) -> bool {
        !(self.has_flush()
            || matches!(
                self.shutdown,
                ShutdownState::Requested | ShutdownState::Done
            ))
    }
}
