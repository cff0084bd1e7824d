//! The promises of `enter-span`, as a user would see them broken.

mod allocations;
mod async_forms;
mod bodies;
mod cancellation;
mod check;
mod child;
mod drops;
mod handle;
mod held;
mod hierarchy;
mod hygiene;
mod inferred;
mod kit;
mod lints;
mod neighbours;
mod off;
mod outcome;
mod parameters;
mod provider;
mod qualifiers;
mod readme;
mod relations;
mod robust;
mod scope;
mod send;
mod streams;
