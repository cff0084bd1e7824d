//! What may be recorded of errors.

use crate::outcome::failure::ErrorDetail;

/// The process's choices that a span is recorded under.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ErrorPolicy {
    pub(crate) detail: ErrorDetail,
    pub(crate) exception_events: bool,
}
