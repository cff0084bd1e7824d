//! What the pipeline needs of its host: time, locks, the process, and protection from code that panics.

pub(crate) mod clock;
pub(crate) mod process;
pub(crate) mod suppression;
pub(crate) mod sync;
pub(crate) mod unwind;
