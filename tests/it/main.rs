//! The promises of `enter-span`, as a user would see them broken.

mod bodies;
mod check;
mod drops;
mod hygiene;
mod lints;
mod parameters;
mod qualifiers;
