//! What the pipeline needs of its host: time, locks, the process, and protection from code that panics.

pub(crate) mod clock;
mod counter;
pub(crate) mod process;
mod rate;
pub(crate) mod suppression;
pub(crate) mod sync;
pub(crate) mod unwind;
