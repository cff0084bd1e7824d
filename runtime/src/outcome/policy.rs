//! What may be recorded of errors.

use crate::outcome::failure::ErrorDetail;

/// The process's choices that a span is recorded under.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy {
    pub(crate) detail: ErrorDetail,
    pub(crate) exception_events: bool,
}

impl Policy {
    pub(crate) const SILENT: Policy = Policy {
        detail: ErrorDetail::Status,
        exception_events: false,
    };
}
