//! What is attached while a body runs.

use opentelemetry::{Context, ContextGuard};

use crate::backend::site::Site;
use crate::context::stack;
use crate::span::recorder_hooks::LeafMark;

/// Detaches when dropped.
#[derive(Default)]
pub(crate) struct AttachGuard {
    _context: Option<ContextGuard>,
    _leaf: LeafMark,
}

impl AttachGuard {
    pub(super) fn context(context: Context) -> Self {
        AttachGuard {
            _context: stack::attach(context),
            _leaf: LeafMark::default(),
        }
    }

    pub(super) fn leaf(site: &'static Site) -> Self {
        AttachGuard {
            _context: None,
            _leaf: LeafMark::enter(site),
        }
    }
}
