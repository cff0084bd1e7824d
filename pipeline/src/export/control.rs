//! Flush, shutdown and wake-ups, between the threads of the application, the worker and the exporters'
//! threads.
//!
//! A thread that ends a span takes no lock to call the worker: it sets a switch and unparks it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, Thread, ThreadId};
use std::time::{Duration, Instant};

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

/// Shared by all that take part in a flush or a shutdown, which is done when the last one drops it.
pub(crate) struct FlushTicket {
    control: Arc<Control>,
    /// `None` is the last one, the shutdown.
    flushes: Option<u64>,
}

impl Drop for FlushTicket {
    fn drop(&mut self) {
        let mut state = self.control.state();
        match self.flushes {
            Some(flushes) => state.flushes_done = flushes,
            None => state.shutdown = ShutdownState::Done,
        }
        drop(state);
        self.control.progress.notify_all();
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

    fn wake_worker(&self) {
        if let Some(worker) = self.worker.get() {
            worker.unpark();
        }
    }

    /// Waits until all that was recorded before is exported or dropped.
    pub(crate) fn flush(&self, timeout: Duration) -> WaitResult {
        let mut state = self.state();
        state.flushes_requested += 1;
        let own = state.flushes_requested;
        self.wake_worker();
        self.wait(state, timeout, |state| state.flushes_done >= own)
    }

    /// The same, and the exporters are down then.
    pub(crate) fn shut_down(&self, timeout: Duration) -> WaitResult {
        let mut state = self.state();
        if state.shutdown == ShutdownState::NotRequested {
            state.shutdown = ShutdownState::Requested;
        }
        self.wake_worker();
        self.wait(state, timeout, |_| false)
    }

    fn wait(
        &self,
        state: MutexGuard<'_, ControlState>,
        timeout: Duration,
        is_done: impl Fn(&ControlState) -> bool,
    ) -> WaitResult {
        let is_own = state.is_own_thread();
        let timeout = if is_own { Duration::ZERO } else { timeout };
        let is_open = |state: &mut ControlState| state.end.is_none() && !is_done(state);
        let waited = self.progress.wait_timeout_while(state, timeout, is_open);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match state.end {
            _ if is_done(&state) => WaitResult::Done,
            Some(WorkerEnd::Down) => WaitResult::Done,
            Some(WorkerEnd::Died) => WaitResult::Died,
            None if is_own => WaitResult::OwnThread,
            None => WaitResult::TimedOut,
        }
    }

    pub(crate) fn last_error(&self) -> Option<String> {
        self.state().last_error.clone()
    }

    pub(crate) fn set_last_error(&self, error: String) {
        let before = self.state().last_error.replace(error);
        drop(before);
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
        self.state().end.get_or_insert(end);
        self.progress.notify_all();
    }
}

impl ControlState {
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
