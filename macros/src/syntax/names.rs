//! The names of all arguments, and the places where each of them has a meaning.
//!
//! A function and a method take every argument: what does not fit there depends on their signature.

use proc_macro2::Ident;

use Place::{Current, Impl, InSpan, StartSpan};

/// Where arguments may be restricted by their names alone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// `#[enter_span(current, ..)]`, which starts no span.
    Current,
    /// `#[enter_span(..)]` on a whole `impl`.
    Impl,
    InSpan,
    StartSpan,
}

const ARGUMENTS: [(&str, &[Place]); 20] = [
    ("name", &[InSpan, StartSpan]),
    ("kind", &[Impl, InSpan, StartSpan]),
    ("attributes", &[Current, InSpan, StartSpan]),
    ("start", &[InSpan, StartSpan]),
    ("ret", &[Current, InSpan]),
    ("err", &[Impl, InSpan]),
    ("root", &[InSpan, StartSpan]),
    ("parent", &[InSpan, StartSpan]),
    ("links", &[InSpan, StartSpan]),
    ("invocation", &[InSpan, StartSpan]),
    ("when", &[Current, Impl, InSpan, StartSpan]),
    ("future", &[]),
    ("stream", &[]),
    ("call_only", &[InSpan]),
    ("leaf", &[InSpan, StartSpan]),
    ("ends_children", &[InSpan, StartSpan]),
    ("tracer", &[Impl, InSpan, StartSpan]),
    ("crate", &[Current, Impl, InSpan, StartSpan]),
    ("current", &[Current]),
    ("skip", &[]),
];

/// Two arguments of which only one may be written, and why.
pub(crate) const CONFLICTS: [(&str, &str, &str); 8] = [
    ("root", "parent", "a root has no parent"),
    ("invocation", "root", "it says where its span hangs"),
    ("invocation", "parent", "it says where its span hangs"),
    ("invocation", "leaf", "what it does is below its span"),
    ("future", "stream", "a value is one or the other"),
    ("call_only", "future", IN_OR_OUT),
    ("call_only", "stream", IN_OR_OUT),
    ("leaf", "ends_children", "a leaf has no children"),
];

const IN_OR_OUT: &str = "the returned work is in the span or it is not";

/// All names, in the order in which messages list them.
pub(crate) fn all() -> impl Iterator<Item = &'static str> {
    ARGUMENTS.iter().map(|(name, _)| *name)
}

pub(crate) fn is_allowed(name: &Ident, place: Place) -> bool {
    let mut arguments = ARGUMENTS.iter();
    arguments.any(|(known, places)| name == known && places.contains(&place))
}
