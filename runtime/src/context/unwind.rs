//! The border to the thread: OpenTelemetry's context stack, and panics.
//!
//! Nothing else in the runtime touches that stack, or catches a panic and lets it go on.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};

use opentelemetry::{Context, ContextGuard};

/// What a panic carries.
pub(crate) type Payload = Box<dyn Any + Send>;

thread_local! {
    static SENTINEL: Sentinel = Sentinel::new();
}

/// Says whether OpenTelemetry's stack can still be reached: it panics in the destructor of a
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

/// Runs a provider's code: on this thread, or, while that dies, on one that lives.
///
/// On a dying thread it may find its own thread-locals gone. The SDK's simple exporter panics there
/// under its lock, and is of no use to the process afterwards.
pub(crate) fn alive(work: impl FnOnce() + Send) {
    match is_reachable() {
        true => work(),
        false => elsewhere(work),
    }
}

#[cold]
#[inline(never)]
fn elsewhere(work: impl FnOnce() + Send) {
    // Without a thread to be had, the work is dropped, and the provider's span with it.
    std::thread::scope(|threads| {
        let _ = std::thread::Builder::new().spawn_scoped(threads, || shielded(work));
    });
}

/// The current context, or `None` on a thread that is being torn down.
pub(crate) fn current() -> Option<Context> {
    is_reachable().then(Context::current)
}

/// Looks at the current context, which is borrowed meanwhile; `None` on a thread that is being torn
/// down.
#[inline]
pub(crate) fn map_current<R>(look: impl FnOnce(&Context) -> R) -> Option<R> {
    is_reachable().then(|| Context::map_current(look))
}

/// Makes `context` current until the guard drops. A dying thread keeps what it has.
pub(crate) fn attach(context: Context) -> Option<ContextGuard> {
    is_reachable().then(|| context.attach())
}

/// Runs `work` and hands a panic back instead of letting it pass.
///
/// What a panicking body leaves half-done is its caller's to see, as without us: the panic goes on.
#[inline(always)]
pub(crate) fn catch<R>(work: impl FnOnce() -> R) -> Result<R, Payload> {
    panic::catch_unwind(AssertUnwindSafe(work))
}

/// Runs code of the user's for the sake of telemetry only. If it panics, its result is lost.
pub(crate) fn shielded<R>(work: impl FnOnce() -> R) -> Option<R> {
    catch(work).map_err(discard).ok()
}

/// A payload may panic in its own `Drop`.
#[cold]
pub(crate) fn discard(payload: Payload) {
    if let Err(again) = panic::catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(again);
    }
}

pub(crate) fn resume(payload: Payload) -> ! {
    panic::resume_unwind(payload)
}

/// The text of a panic, where it has one.
pub(crate) fn panic_message(payload: &Payload) -> Option<&str> {
    let text = payload.downcast_ref::<&'static str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
}
