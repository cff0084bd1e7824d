//! Which calls have installed something, for `diagnose`. It decides nothing.

use std::panic::Location;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::diagnose::report::DiagnosticSource;

/// A call that was to install something.
#[derive(Clone)]
pub struct InstallCall {
    /// As an application writes it.
    pub name: &'static str,
    /// Of the call in the application's source.
    pub place: &'static Location<'static>,
    /// What its provider answers with, if it is OpenTelemetry's global one too.
    pub mark: Option<usize>,
    /// `None` if it has installed nothing.
    pub generation: Option<usize>,
    /// Adds more findings. It is kept until the next call.
    pub source: Option<Arc<dyn DiagnosticSource>>,
}

/// Calls that are kept.
const MOST: usize = 4;

/// The newest first.
static CALLS: Mutex<Vec<InstallCall>> = Mutex::new(Vec::new());

fn list() -> MutexGuard<'static, Vec<InstallCall>> {
    CALLS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps a call, and forgets the oldest.
pub fn remember(call: InstallCall) {
    let mut list = list();
    // What was replaced is not in use any more: its findings would mislead.
    let older = list.iter_mut().map(|older| older.source.take());
    let forgotten: Vec<_> = older.collect();
    list.insert(0, call);
    let kept = list.len().min(MOST);
    let oldest = list.split_off(kept);
    // Their sources drop outside of the lock.
    drop(list);
    drop((forgotten, oldest));
}

/// The newest first.
pub(crate) fn calls() -> Vec<InstallCall> {
    list().clone()
}
