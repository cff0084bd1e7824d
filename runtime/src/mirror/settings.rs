//! What mirrors have in common: their level, and their target.

use std::sync::{Mutex, PoisonError};

use tracing_core::Level;

#[derive(Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) level: Level,
    /// Unless it is the module of the call site.
    pub(crate) target: Option<&'static str>,
}

static SETTINGS: Mutex<Settings> = Mutex::new(Settings {
    level: Level::INFO,
    target: None,
});

/// Sets the level of all mirrors, which is `INFO` by default.
///
/// A filter that lets through less than this level leaves the names out of its lines. With `ERROR`, lines of every
/// level show them. Call it before spans start: a call site that has had a mirror keeps its level.
///
/// ```
/// enter_span::mirror::set_level(tracing::Level::ERROR);
/// ```
pub fn set_level(level: Level) {
    change(|settings| settings.level = level);
}

/// Sets one target for all mirrors, so that one directive of a filter decides about them. By default, the target is
/// the module of the call site, as for spans of `tracing`.
///
/// Call it before spans start: a call site that has had a mirror keeps its target.
///
/// ```
/// use tracing_subscriber::EnvFilter;
///
/// enter_span::mirror::set_target("spans");
/// let lines_without_names = EnvFilter::new("info,spans=off");
/// ```
pub fn set_target(target: &'static str) {
    change(|settings| settings.target = Some(target));
}

fn change(change: impl FnOnce(&mut Settings)) {
    change(&mut SETTINGS.lock().unwrap_or_else(PoisonError::into_inner));
}

impl Settings {
    pub(crate) fn current() -> Self {
        *SETTINGS.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
