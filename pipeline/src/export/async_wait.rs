//! Callers that await a flush or a shutdown: one thread of the pipeline's waits for all of them, for as long as
//! there are any. So they need no runtime, no timer, and no thread each.
//!
//! Wakers are code of the application: they run on that thread, under no lock, and hold up nobody but those who
//! wait here.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use crate::export::control::{Goal, WaitResult};
use crate::export::pipeline_threads::PipelineThreads;
use crate::host::unwind::shielded;

pub(crate) struct AsyncWaits {
    threads: Arc<PipelineThreads>,
    list: Mutex<WaitList>,
}

#[derive(Default)]
struct WaitList {
    waits: Vec<Wait>,
    /// There is a thread, which looks at the list again before it ends.
    has_thread: bool,
    next_number: u64,
}

struct Wait {
    number: u64,
    goal: Goal,
    /// A time that is too far for the clock is none.
    deadline: Option<Instant>,
    /// After the deadline, for what is written to files.
    reserve: Duration,
    slot: Arc<Mutex<Slot>>,
}

/// Between the thread and a future.
#[derive(Default)]
struct Slot {
    waker: Option<Waker>,
    result: Option<WaitResult>,
}

/// What is asked for at the first poll.
#[derive(Clone, Copy)]
enum Request {
    Flush,
    Shutdown,
}

/// Dropped early, it leaves a flush alone, and a shutdown goes on to its own deadline.
pub(crate) struct AsyncWait {
    waits: Arc<AsyncWaits>,
    request: Request,
    timeout: Duration,
    /// From the first poll on, with the number of the wait.
    started: Option<(u64, Arc<Mutex<Slot>>)>,
}

impl AsyncWaits {
    pub(crate) fn new(threads: &Arc<PipelineThreads>) -> Arc<Self> {
        Arc::new(AsyncWaits {
            threads: Arc::clone(threads),
            list: Mutex::default(),
        })
    }

    /// Begins at the first poll.
    pub(crate) fn flush(self: &Arc<Self>, timeout: Duration) -> AsyncWait {
        self.wait(Request::Flush, timeout)
    }

    /// Begins at the first poll.
    pub(crate) fn shut_down(self: &Arc<Self>, timeout: Duration) -> AsyncWait {
        self.wait(Request::Shutdown, timeout)
    }

    fn wait(self: &Arc<Self>, request: Request, timeout: Duration) -> AsyncWait {
        AsyncWait {
            waits: Arc::clone(self),
            request,
            timeout,
            started: None,
        }
    }

    /// No code of the application runs under this lock.
    fn list(&self) -> MutexGuard<'_, WaitList> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_forked(&self) -> bool {
        self.threads.ledgers.queue.buffers.is_forked()
    }

    /// Has the thread wait for one more, and returns its number.
    fn add(self: &Arc<Self>, mut wait: Wait) -> u64 {
        let mut list = self.list();
        let number = list.next_number;
        list.next_number += 1;
        wait.number = number;
        list.waits.push(wait);
        let needs_thread = !list.has_thread;
        list.has_thread = true;
        drop(list);
        if needs_thread {
            self.spawn();
        } else {
            self.threads.control.nudge();
        }
        number
    }

    fn spawn(self: &Arc<Self>) {
        // Linux cuts names at 15 bytes.
        let thread = thread::Builder::new().name("enter_span_wait".to_owned());
        let serving = Serving(Arc::clone(self));
        if let Err(error) = thread.spawn(move || serving.run()) {
            self.give_up(WaitResult::NoThread(error.kind()));
        }
    }

    /// There is no thread: all that wait get this answer.
    fn give_up(&self, result: WaitResult) {
        let mut list = self.list();
        let left = std::mem::take(&mut list.waits);
        list.has_thread = false;
        drop(list);
        left.into_iter().for_each(|wait| wait.complete(result));
    }

    /// Takes those that are over, with their results; and when the next one's time is over.
    fn take_over(&self, now: Instant) -> (Vec<(Wait, WaitResult)>, Option<Instant>) {
        let mut list = self.list();
        let (mut over, mut open) = (Vec::new(), Vec::new());
        for wait in std::mem::take(&mut list.waits) {
            let is_late = wait.deadline.is_some_and(|deadline| deadline <= now);
            let late = is_late.then_some(WaitResult::TimedOut);
            match self.threads.control.result(wait.goal).or(late) {
                Some(result) => over.push((wait, result)),
                None => open.push(wait),
            }
        }
        let next = open.iter().filter_map(|wait| wait.deadline).min();
        list.waits = open;
        (over, next)
    }

    /// Nobody waits any longer: the next one gets another thread.
    fn is_idle(&self) -> bool {
        let mut list = self.list();
        let is_idle = list.waits.is_empty();
        list.has_thread = !is_idle;
        is_idle
    }
}

/// The thread's side. If a bug unwinds, those who wait get an answer all the same.
struct Serving(Arc<AsyncWaits>);

impl Drop for Serving {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.give_up(WaitResult::Died);
        }
    }
}

impl Serving {
    fn run(self) {
        let threads = &self.0.threads;
        // A waker that flushes would wait for itself.
        threads.control.register_thread();
        loop {
            let seen = threads.control.changes();
            let now = Instant::now();
            let (over, next) = self.0.take_over(now);
            if !over.is_empty() {
                self.complete(over, now);
            } else if self.0.is_idle() {
                break;
            } else {
                threads.control.wait_for_change(seen, next);
            }
        }
        threads.control.unregister_thread();
    }

    /// As those do who wait on a thread of their own: a shutdown that is late ends, and warnings are seen before.
    fn complete(&self, over: Vec<(Wait, WaitResult)>, now: Instant) {
        let threads = &self.0.threads;
        let is_late = |(wait, result): &(Wait, WaitResult)| {
            matches!(wait.goal, Goal::Shutdown) && *result == WaitResult::TimedOut
        };
        let reserve = over
            .iter()
            .filter(|one| is_late(one))
            .map(|(wait, _)| wait.reserve);
        let ended = reserve.max().map(|reserve| threads.end_late(reserve));
        let left = over.iter().map(|(wait, _)| wait.left(now)).max();
        threads.wait_for_warnings(left.unwrap_or_default());
        for one in over {
            let ended = ended.filter(|_| is_late(&one));
            let (wait, result) = one;
            wait.complete(ended.unwrap_or(result));
        }
    }
}

impl Wait {
    fn left(&self, now: Instant) -> Duration {
        let left = |deadline: Instant| deadline.saturating_duration_since(now);
        self.deadline.map_or(Duration::MAX, left)
    }

    fn complete(self, result: WaitResult) {
        let mut slot = lock(&self.slot);
        slot.result = Some(result);
        let waker = slot.waker.take();
        drop(slot);
        shielded(|| waker.map(Waker::wake));
    }
}

fn lock(slot: &Mutex<Slot>) -> MutexGuard<'_, Slot> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

impl AsyncWait {
    /// Returns the result if there is one without waiting.
    fn start(&mut self, waker: &Waker) -> Option<WaitResult> {
        let start = Instant::now();
        let threads = &self.waits.threads;
        let (goal, reserve) = match self.request {
            Request::Flush => (threads.control.request_flush(), Duration::ZERO),
            Request::Shutdown => {
                let reserve = threads.reserve(self.timeout);
                (threads.control.request_shutdown(), reserve)
            }
        };
        if threads.control.is_own_thread() {
            let result = threads.control.result(goal);
            return Some(result.unwrap_or(WaitResult::OwnThread));
        }
        let result = threads.control.result(goal);
        if result.is_some() && !threads.has_warnings() {
            return result;
        }
        let slot = Slot {
            waker: Some(waker.clone()),
            result: None,
        };
        let slot = Arc::new(Mutex::new(slot));
        let wait = Wait {
            number: 0,
            goal,
            deadline: start.checked_add(self.timeout - reserve),
            reserve,
            slot: Arc::clone(&slot),
        };
        self.started = Some((self.waits.add(wait), slot));
        None
    }
}

impl Future for AsyncWait {
    type Output = WaitResult;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<WaitResult> {
        // The thread is the parent's, and may have had the locks.
        if self.waits.is_forked() {
            return Poll::Ready(WaitResult::Forked);
        }
        let Some((_, slot)) = &self.started else {
            let result = self.start(context.waker());
            return result.map_or(Poll::Pending, Poll::Ready);
        };
        let waker = context.waker().clone();
        let mut slot = lock(slot);
        if let Some(result) = slot.result {
            return Poll::Ready(result);
        }
        let before = slot.waker.replace(waker);
        drop(slot);
        drop(before);
        Poll::Pending
    }
}

impl Drop for AsyncWait {
    fn drop(&mut self) {
        if self.waits.is_forked() {
            return;
        }
        let Some((number, slot)) = self.started.take() else {
            return;
        };
        let waker = lock(&slot).waker.take();
        drop(waker);
        if let Request::Flush = self.request {
            let mut list = self.waits.list();
            let index = list.waits.iter().position(|wait| wait.number == number);
            let wait = index.map(|index| list.waits.swap_remove(index));
            drop(list);
            if wait.is_some() {
                self.waits.threads.control.nudge();
            }
        }
    }
}
