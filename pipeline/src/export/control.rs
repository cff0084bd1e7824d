//! How the threads of the application, the worker and the exporters' threads speak to each other.

use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

use crate::queue::buffers::InstallCall;

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
    /// There is a batch.
    is_due: bool,
    /// There is something, for which the worker has its interval.
    has_news: bool,
    /// Flushes are answered together: each round is of all that were asked before it began.
    asked: u64,
    begun: u64,
    done: u64,
    last_round: LastRound,
    end: Option<End>,
    last_error: Option<String>,
    /// They cannot wait for themselves.
    own_threads: Vec<ThreadId>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum LastRound {
    #[default]
    NotAsked,
    Asked,
    Begun,
    Done,
}

/// How it ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Down,
    /// The worker has panicked, which is a bug of ours.
    Died,
}

/// What came of waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Done,
    TimedOut,
    Died,
}

/// Why the worker stopped waiting.
#[derive(Default)]
pub(crate) struct Asked {
    pub(crate) flush: Option<Round>,
    pub(crate) shut_down: Option<Round>,
    pub(crate) is_over: bool,
    /// There is something, and it is not due.
    pub(crate) has_news_alone: bool,
}

/// Held by all who have to do with a flush, or a shutdown: it is done when the last one lets go.
pub(crate) struct Round {
    desk: Arc<Desk>,
    /// `None` is the last one, the shutdown.
    flushes: Option<u64>,
}

impl Drop for Round {
    fn drop(&mut self) {
        let mut slips = self.desk.slips();
        match self.flushes {
            Some(flushes) => slips.done = flushes,
            None => slips.last_round = LastRound::Done,
        }
        drop(slips);
        self.desk.answered.notify_all();
        // Perhaps the next one waits for the worker.
        self.desk.asked.notify_one();
    }
}

impl Desk {
    fn slips(&self) -> MutexGuard<'_, Slips> {
        self.slips.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From any thread: has the worker come.
    pub(crate) fn call(&self, call: InstallCall) {
        let mut slips = self.slips();
        match call {
            InstallCall::Now => slips.is_due = true,
            InstallCall::Soon => slips.has_news = true,
        }
        drop(slips);
        self.asked.notify_one();
    }

    /// Waits until all that was recorded before is exported or dropped.
    pub(crate) fn flush(&self, timeout: Duration) -> Answer {
        let mut slips = self.slips();
        slips.asked += 1;
        let own = slips.asked;
        self.asked.notify_one();
        self.wait(slips, timeout, |slips| slips.done >= own)
    }

    /// The same, and the exporters are down then.
    pub(crate) fn shut_down(&self, timeout: Duration) -> Answer {
        let mut slips = self.slips();
        if slips.last_round == LastRound::NotAsked {
            slips.last_round = LastRound::Asked;
        }
        self.asked.notify_one();
        self.wait(slips, timeout, |_| false)
    }

    fn wait(
        &self,
        slips: MutexGuard<'_, Slips>,
        timeout: Duration,
        is_done: impl Fn(&Slips) -> bool,
    ) -> Answer {
        let is_own = slips.own_threads.contains(&thread::current().id());
        let timeout = if is_own { Duration::ZERO } else { timeout };
        let is_open = |slips: &mut Slips| slips.end.is_none() && !is_done(slips);
        let waited = self.answered.wait_timeout_while(slips, timeout, is_open);
        let (slips, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match slips.end {
            _ if is_done(&slips) => Answer::Done,
            Some(End::Down) => Answer::Done,
            Some(End::Died) => Answer::Died,
            None => Answer::TimedOut,
        }
    }

    pub(crate) fn last_error(&self) -> Option<String> {
        self.slips().last_error.clone()
    }

    pub(crate) fn set_last_error(&self, error: String) {
        let before = self.slips().last_error.replace(error);
        drop(before);
    }

    /// This thread is the pipeline's, and does not wait for itself.
    pub(crate) fn sign_on(&self) {
        self.slips().own_threads.push(thread::current().id());
    }

    pub(crate) fn sign_off(&self) {
        let own = thread::current().id();
        self.slips().own_threads.retain(|thread| *thread != own);
    }

    /// The worker's side: waits for something to do, or for this time, if there is one.
    pub(crate) fn next(self: &Arc<Self>, pause: Option<Duration>) -> Asked {
        let mut slips = self.wait_for_work(pause);
        let is_due = mem::take(&mut slips.is_due) || !slips.is_idle();
        let has_news = mem::take(&mut slips.has_news);
        let round = |flushes| Round {
            desk: Arc::clone(self),
            flushes,
        };
        let mut asked = Asked {
            is_over: slips.last_round == LastRound::Done,
            has_news_alone: has_news && !is_due,
            ..Asked::default()
        };
        if slips.has_flush() {
            slips.begun = slips.asked;
            asked.flush = Some(round(Some(slips.asked)));
        }
        if slips.last_round == LastRound::Asked {
            slips.last_round = LastRound::Begun;
            asked.shut_down = Some(round(None));
        }
        asked
    }

    fn wait_for_work(&self, pause: Option<Duration>) -> MutexGuard<'_, Slips> {
        let has_none = |slips: &mut Slips| !slips.is_due && !slips.has_news && slips.is_idle();
        let slips = self.slips();
        match pause {
            Some(pause) => {
                let waited = self.asked.wait_timeout_while(slips, pause, has_none);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
            None => {
                let waited = self.asked.wait_while(slips, has_none);
                waited.unwrap_or_else(PoisonError::into_inner)
            }
        }
    }

    /// Nobody waits for a worker that is gone.
    pub(crate) fn end(&self, end: End) {
        self.slips().end.get_or_insert(end);
        self.answered.notify_all();
    }
}

impl Slips {
    /// One round at a time, so that they do not pile up before an exporter that hangs.
    fn has_flush(&self) -> bool {
        self.asked > self.begun && self.begun == self.done
    }

    fn is_idle(&self) -> bool {
        !(self.has_flush() || matches!(self.last_round, LastRound::Asked | LastRound::Done))
    }
}
