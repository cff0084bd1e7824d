//! What the macros make of functions, blocks and structs.

mod async_forms;
mod bodies;
mod current;
mod facts;
mod held;
mod hygiene;
mod inferred;
mod keys;
mod lints;
mod neighbours;
mod parameters;
mod projections;
pub(crate) mod qualifiers;
mod returned;
mod scope;
mod send;
mod signs;
