//! Reports roots that stay open for too long, from a thread of its own.
//!
//! It reads the list of `open_spans.rs`; it keeps none.

use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::context::unwind;
use crate::diagnose::open_list::OpenSpanPlace;
use crate::diagnose::open_spans::{self, OpenSpan};

/// Reports each root that stays open longer than `limit`, once, until the returned handle is
/// dropped.
///
/// A root is the first span of this library in its trace here, also below a span that others made.
/// Those that are not recorded are not watched. `report` runs on a thread of its own, which
/// sleeps until a root can be due; if it panics, that report is lost and nothing else. `limit` is at
/// least a millisecond.
///
/// ```
/// use std::time::Duration;
///
/// let watch = enter_span::watch_roots(Duration::from_secs(60), |root| {
///     eprintln!("open for {:?}: {root}", root.age());
/// })?;
/// // For as long as the application runs; then:
/// drop(watch);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// If the operating system gives no thread.
pub fn watch_roots(
    limit: Duration,
    mut report: impl FnMut(&OpenSpan) + Send + 'static,
) -> io::Result<RootWatch> {
    let limit = limit.max(Duration::from_millis(1));
    let stop = Arc::new(Stop::default());
    let until = Arc::clone(&stop);
    std::thread::Builder::new()
        .name("enter_span root".to_owned())
        .spawn(move || watch(limit, &mut report, &until))?;
    Ok(RootWatch { stop })
}

/// Watches the roots while it lives. See [`watch_roots`].
#[must_use = "the watch ends when this is dropped"]
#[derive(Debug)]
pub struct RootWatch {
    stop: Arc<Stop>,
}

#[derive(Debug, Default)]
struct Stop {
    stopped: Mutex<bool>,
    changed: Condvar,
}

impl Drop for RootWatch {
    /// It does not wait for a report that is under way.
    fn drop(&mut self) {
        *self
            .stop
            .stopped
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = true;
        self.stop.changed.notify_all();
    }
}

impl Stop {
    /// Whether it was stopped before `time` had passed.
    fn wait(&self, time: Duration) -> bool {
        let stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .changed
            .wait_timeout_while(stopped, time, |stopped| !*stopped);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

fn watch(limit: Duration, report: &mut dyn FnMut(&OpenSpan), stop: &Stop) {
    let mut reported = HashSet::new();
    let mut pause = Duration::ZERO;
    while !stop.wait(pause) {
        let roots = open_spans::open(|info| info.place == OpenSpanPlace::First);
        let open: HashSet<u64> = roots.iter().map(|root| root.number).collect();
        reported.retain(|number| open.contains(number));
        // What starts from now on cannot be due before a whole limit has passed.
        pause = limit;
        for root in &roots {
            match limit.checked_sub(root.age()) {
                Some(left) if !left.is_zero() => pause = pause.min(left),
                _ if reported.insert(root.number) => {
                    let _ = unwind::shielded(|| report(root));
                }
                _ => {}
            }
        }
    }
}
