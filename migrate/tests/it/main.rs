//! The binary, run on files.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a failure here is a failed test"
)]

mod corpus;
mod files;
mod kit;
