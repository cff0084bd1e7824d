//! The promises of `enter-span`, as a user would see them broken.

mod allocations;
mod check;
mod child;
mod handle;
mod hierarchy;
mod kit;
mod off;
mod outcome;
mod provider;
mod readme;
mod relations;
mod robust;
