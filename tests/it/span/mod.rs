//! Spans: their start, their parents, what they record, and their end.

mod attribution;
mod cancellation;
mod children;
mod emitted;
mod entries;
mod evaluated;
mod handle;
mod hierarchy;
mod identity;
mod interop;
mod kept;
mod limits;
mod logs;
mod numbers;
mod off;
mod open;
mod open_roots;
mod outcome;
mod owned;
pub(crate) mod random;
mod relations;
mod robust;
mod tracers;
