//! Spans that no recorder got, and calls that a leaf hides.

use std::cell::{Cell, RefCell};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use opentelemetry::Context;

use super::recorder::Shared;
use crate::backend::active_backend::ContextBackend;
use crate::backend::site::Site;

thread_local! {
    /// The recorders that were made on this thread and live.
    static HERE: RefCell<Vec<Weak<Shared>>> = const { RefCell::new(Vec::new()) };

    /// The leaf whose body runs on this thread.
    static LEAF: Cell<Option<&'static Site>> = const { Cell::new(None) };
}

static UNCLAIMED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// A test that runs for days must not fill the memory.
const MOST_UNCLAIMED: usize = 1024;

fn unclaimed_list() -> MutexGuard<'static, Vec<String>> {
    UNCLAIMED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The names of spans that started without a recorder on threads that have none, while recorders
/// lived elsewhere. At most 1024, each name once.
pub fn unclaimed() -> Vec<String> {
    unclaimed_list().clone()
}

pub(super) fn forget_unclaimed() {
    unclaimed_list().clear();
}

pub(super) fn register(recorder: &Arc<Shared>) {
    let weak = Arc::downgrade(recorder);
    // A dying thread has no test left to tell.
    let _ = HERE.try_with(|here| {
        let mut here = here.borrow_mut();
        here.retain(|weak| weak.strong_count() > 0);
        here.push(weak);
    });
}

fn newest_here() -> Option<Arc<Shared>> {
    let newest =
        |here: &RefCell<Vec<Weak<Shared>>>| here.borrow().iter().rev().find_map(Weak::upgrade);
    HERE.try_with(newest).ok().flatten()
}

pub(super) fn has_recorder() -> bool {
    newest_here().is_some()
}

/// A span started where nothing records.
pub(crate) fn orphan(name: &str) {
    if let Some(recorder) = newest_here() {
        recorder.add_orphan(name);
        return;
    }
    let mut unclaimed = unclaimed_list();
    if unclaimed.len() < MOST_UNCLAIMED && !unclaimed.iter().any(|known| known == name) {
        unclaimed.push(name.to_owned());
    }
}

/// A span starts below `parent`.
pub(crate) fn started(parent: &Context, name: &str) {
    match parent.get::<ContextBackend>() {
        Some(below) => note_leaf(below, name),
        // The process has a provider of its own, which records what the recorder lost.
        None => newest_here()
            .into_iter()
            .for_each(|here| here.add_orphan(name)),
    }
}

fn note_leaf(below: &ContextBackend, name: &str) {
    if let Some(leaf) = LEAF.try_with(Cell::get).ok().flatten() {
        if let Some(observer) = below.observer() {
            observer.hidden(leaf.name(), name);
        }
    }
}

/// While this lives, the body of a leaf runs on this thread.
pub(crate) struct Leaf(Option<&'static Site>);

impl Leaf {
    pub(crate) fn enter(site: &'static Site) -> Option<Self> {
        let before = LEAF.try_with(|leaf| leaf.replace(Some(site))).ok()?;
        Some(Leaf(before))
    }
}

impl Drop for Leaf {
    fn drop(&mut self) {
        // A dying thread has no leaf left to restore.
        let _ = LEAF.try_with(|leaf| leaf.set(self.0));
    }
}
