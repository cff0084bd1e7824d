//! The promises of `enter-span`, as a user would see them broken.

mod async_forms;
mod cancellation;
mod check;
mod neighbours;
mod send;
mod streams;
