//! A backend for everything below a context.

use std::sync::Arc;

use crate::process::{count_override, uncount_override};
use crate::shared_backend::SharedBackend;

/// A backend for everything below a context, in which it is a value.
///
/// The process counts as on while one of its copies lives.
#[derive(Clone, Debug)]
pub struct ContextOverride(Arc<Counted>);

#[derive(Debug)]
struct Counted(SharedBackend);

impl ContextOverride {
    /// For what records below the context.
    pub fn new(backend: SharedBackend) -> Self {
        count_override();
        ContextOverride(Arc::new(Counted(backend)))
    }

    /// What records below the context.
    pub fn backend(&self) -> &SharedBackend {
        &self.0.0
    }

    /// Whether both are copies of one.
    pub fn is_same(&self, other: &ContextOverride) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        uncount_override();
    }
}
