//! The promises of `enter-span`, as a user would see them broken.

mod check;
mod child;
mod handle;
mod hierarchy;
mod outcome;
mod relations;
