//! The versions that take part.

use std::sync::{Mutex, PoisonError};

/// A version of `enter-span` that has met a backend of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Member {
    /// Such as `enter-span 0.1.0`.
    pub version: &'static str,
    /// How it recorded when it last asked.
    pub way: Way,
}

/// How a version records what it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Way {
    /// Through the form that this version has installed.
    Own,
    /// Through the provider of the OpenTelemetry that it shares with the version that installed.
    OpenTelemetry,
    /// It records nothing: it knows no form of what is installed, as where its OpenTelemetry is another one.
    Nothing,
}

/// One for each version that is linked into the process.
static MEMBERS: Mutex<Vec<Member>> = Mutex::new(Vec::new());

/// Says how a version records. The last word counts.
pub fn join(version: &'static str, way: Way) {
    let mut members = MEMBERS.lock().unwrap_or_else(PoisonError::into_inner);
    match members.iter_mut().find(|known| known.version == version) {
        Some(known) => known.way = way,
        None => members.push(Member { version, way }),
    }
}

/// The versions that have joined, in that order.
pub fn members() -> Vec<Member> {
    let members = MEMBERS.lock().unwrap_or_else(PoisonError::into_inner);
    members.clone()
}
