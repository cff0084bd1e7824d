//! What was decided about a trace.

/// Whether a trace is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Kept(Reason),
    NotKept,
}

/// Why a trace is kept: the first rule that says so, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    Error,
    Slower,
    /// The key of this number is set.
    With(u16),
    By,
    Fraction,
    /// The pipeline was shut down before.
    Undecided,
}

/// The attribute of a local root that says why its trace was kept.
pub(super) const KEPT: &str = "enter_span.kept";
