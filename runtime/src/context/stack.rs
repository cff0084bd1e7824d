//! The thread's context stack, which is OpenTelemetry's. Nothing else in the runtime touches it.
//!
//! A span ends on a living thread. While a thread's locals are torn down, a provider may find its own gone, so
//! such an end runs on a thread made for it.

use std::panic;

use opentelemetry::{Context, ContextGuard};

use crate::context::unwind::shielded;

thread_local! {
    static SENTINEL: Sentinel = Sentinel::new();
}

/// Whether OpenTelemetry's stack can still be reached. It panics in the destructor of a
/// thread-local that outlives it, which aborts the process.
///
/// Thread-locals die in the reverse order of their first use, and `new` uses OpenTelemetry's
/// before the sentinel itself counts as used. So the sentinel dies first.
struct Sentinel {
    reachable: bool,
}

impl Sentinel {
    fn new() -> Self {
        // Caught for the thread that lost its stack before it ever met this sentinel.
        let reachable = panic::catch_unwind(|| Context::map_current(|_| ())).is_ok();
        Sentinel { reachable }
    }
}

impl Drop for Sentinel {
    /// Empty: having a destructor is what makes `try_with` fail once the thread is dying.
    fn drop(&mut self) {}
}

#[inline]
fn is_reachable() -> bool {
    SENTINEL
        .try_with(|sentinel| sentinel.reachable)
        .unwrap_or(false)
}

/// The current context, or `None` on a thread that is being torn down.
pub(crate) fn current() -> Option<Context> {
    is_reachable().then(Context::current)
}

/// Reads the current context, which is borrowed meanwhile; `None` on a thread that is being torn
/// down.
#[inline]
pub(crate) fn map_current<R>(read: impl FnOnce(&Context) -> R) -> Option<R> {
    is_reachable().then(|| Context::map_current(read))
}

/// Makes `context` current until the guard drops. A dying thread keeps what it has.
pub(crate) fn attach(context: Context) -> Option<ContextGuard> {
    if is_reachable() {
        Some(context.attach())
    } else {
        None
    }
}

/// Runs a provider's code: on this thread, or, while that dies, on one that lives.
///
/// On a dying thread it may find its own thread-locals gone. The SDK's simple exporter panics there
/// under its lock, and exports nothing afterwards.
pub(crate) fn alive(work: impl FnOnce() + Send) {
    if is_reachable() {
        work()
    } else {
        run_on_new_thread(work)
    }
}

#[cold]
#[inline(never)]
fn run_on_new_thread(work: impl FnOnce() + Send) {
    // Without a thread to be had, the work is dropped, and the provider's span with it.
    std::thread::scope(|threads| {
        let _ = std::thread::Builder::new().spawn_scoped(threads, || shielded(work));
    });
}
