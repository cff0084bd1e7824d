//! Work that leaves its task or thread.

mod inheritance;
mod many;
mod streams;
