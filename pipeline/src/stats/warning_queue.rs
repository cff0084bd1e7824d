//! The application's warning function, on a thread of its own: one that stands still holds up nobody else.
//!
//! The thread starts with the first warning and ends with the pipeline. Few warnings wait; those that find no
//! place are counted, and the next one names their number.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

use crate::host::suppression;
use crate::host::unwind::silenced;

/// Takes warnings.
pub(crate) type Warn = Box<dyn Fn(&str) + Send>;

/// Warnings that wait, at most.
const MOST: usize = 16;

pub(crate) struct WarningQueue {
    state: Mutex<QueueState>,
    changed: Condvar,
}

struct QueueState {
    waiting: VecDeque<String>,
    /// Found no place.
    lost: u64,
    /// Until its thread has it.
    warn: Option<Warn>,
    thread: Option<ThreadId>,
    is_running: bool,
    is_closed: bool,
}

impl WarningQueue {
    pub(crate) fn new(warn: Warn) -> Arc<Self> {
        Arc::new(WarningQueue {
            state: Mutex::new(QueueState {
                waiting: VecDeque::new(),
                lost: 0,
                warn: Some(warn),
                thread: None,
                is_running: false,
                is_closed: false,
            }),
            changed: Condvar::new(),
        })
    }

    /// No code of the application runs under this lock.
    fn state(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the application warned soon.
    pub(crate) fn push(self: &Arc<Self>, warning: String) {
        let mut state = self.state();
        state.add(warning);
        let warn = state.warn.take();
        drop(state);
        self.changed.notify_all();
        if let Some(warn) = warn {
            self.start(warn);
        }
    }

    fn start(self: &Arc<Self>, warn: Warn) {
        let queue = Arc::clone(self);
        // Linux cuts names at 15 bytes.
        let thread = thread::Builder::new().name("enter_span_warn".to_owned());
        if thread.spawn(move || queue.run(&*warn)).is_err() {
            // There is nobody to warn any more.
            let mut state = self.state();
            state.is_closed = true;
            state.waiting.clear();
        }
    }

    fn run(&self, warn: &dyn Fn(&str)) {
        suppression::make_quiet();
        self.state().thread = Some(thread::current().id());
        while let Some(warning) = self.next() {
            silenced(|| warn(&warning));
        }
    }

    /// Waits for the next one. `None` is the end.
    fn next(&self) -> Option<String> {
        let mut state = self.state();
        state.is_running = false;
        self.changed.notify_all();
        let has_none = |state: &mut QueueState| state.waiting.is_empty() && !state.is_closed;
        let waited = self.changed.wait_while(state, has_none);
        state = waited.unwrap_or_else(PoisonError::into_inner);
        let next = state.waiting.pop_front();
        state.is_running = next.is_some();
        next
    }

    /// Whether the application does not know all yet.
    pub(crate) fn is_busy(&self) -> bool {
        self.state().is_busy()
    }

    /// Lets the application see what waits, but only for so long. Not from the warning function itself.
    pub(crate) fn wait(&self, most: Duration) {
        let state = self.state();
        if state.thread != Some(thread::current().id()) {
            let is_busy = |state: &mut QueueState| state.is_busy();
            // What is late comes later.
            let _ = self.changed.wait_timeout_while(state, most, is_busy);
        }
    }

    /// The thread ends when nothing waits any more.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        state.is_closed = true;
        let warn = state.warn.take();
        drop(state);
        self.changed.notify_all();
        silenced(|| drop(warn));
    }
}

impl QueueState {
    fn is_busy(&self) -> bool {
        self.is_running || !self.waiting.is_empty()
    }

    fn add(&mut self, mut warning: String) {
        if self.is_closed {
            return;
        }
        if self.waiting.len() >= MOST {
            self.lost += 1;
            return;
        }
        let lost = std::mem::take(&mut self.lost);
        if lost > 0 {
            warning.push_str(&format!(
                "; warnings before this one that had to be left out: {lost}"
            ));
        }
        self.waiting.push_back(warning);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "these are tests")]

    use std::sync::mpsc;

    use super::{MOST, WarningQueue};

    /// Nobody who has something to warn of waits for a function that does not return.
    #[test]
    fn warnings_that_find_no_place_are_counted_in_the_next_one() {
        let (entered, has_entered) = mpsc::channel();
        let (open, gate) = mpsc::channel::<()>();
        let (told, warnings) = mpsc::channel();
        let queue = WarningQueue::new(Box::new(move |warning| {
            entered.send(()).ok();
            gate.recv().ok();
            told.send(warning.to_owned()).ok();
        }));
        queue.push("first".to_owned());
        has_entered.recv().expect("a call");
        for number in 0..MOST + 3 {
            queue.push(number.to_string());
        }
        for _ in 0..=MOST {
            open.send(()).expect("a function that waits");
        }
        let before: Vec<String> = warnings.iter().take(1 + MOST).collect();
        let waiting = (0..MOST).map(|number| number.to_string());
        assert!(before.iter().skip(1).cloned().eq(waiting), "{before:?}");
        queue.push("next".to_owned());
        queue.close();
        drop(open);
        let rest: Vec<String> = warnings.iter().collect();
        assert_eq!(
            rest,
            ["next; warnings before this one that had to be left out: 3"]
        );
    }

    /// Without a warning there is no thread; and the end of the pipeline drops the function.
    #[test]
    fn a_function_that_is_never_called_is_dropped_at_the_end() {
        let (kept, is_dropped) = mpsc::channel::<()>();
        let queue = WarningQueue::new(Box::new(move |_| {
            kept.send(()).ok();
        }));
        queue.close();
        assert_eq!(is_dropped.iter().count(), 0);
        queue.push("late".to_owned());
    }
}
