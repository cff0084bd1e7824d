//! The promises of `enter-span`, as a user would see them broken.

mod check;
mod hunt;
mod send;
