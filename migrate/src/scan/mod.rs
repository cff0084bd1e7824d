//! What is in a file: scopes, their imports, and the attributes of functions.

mod hidden;
pub(crate) mod import;
pub(crate) mod library;
pub(crate) mod scope;
mod visitor;

pub(crate) use visitor::{Candidate, Scan, scan};
