//! What is attached while a body runs.

use opentelemetry::{Context, ContextGuard};

use crate::backend::site::Site;
use crate::context::stack;
use crate::span::entered_mirror::EnteredMirror;
use crate::span::recorder_hooks::LeafMark;

/// Detaches when dropped.
#[derive(Default)]
pub(crate) struct AttachGuard {
    /// Exited first, as it was entered last.
    _mirror: EnteredMirror,
    _context: Option<ContextGuard>,
    _leaf: LeafMark,
}

impl AttachGuard {
    /// Attaches a context, and enters the mirror of its span in it.
    #[inline]
    pub(crate) fn context(context: Context, mirror: impl FnOnce() -> EnteredMirror) -> Self {
        let context = stack::attach(context);
        AttachGuard {
            _mirror: mirror(),
            _context: context,
            _leaf: LeafMark::default(),
        }
    }

    pub(super) fn leaf(site: &'static Site) -> Self {
        AttachGuard {
            _mirror: EnteredMirror::default(),
            _context: None,
            _leaf: LeafMark::enter(site),
        }
    }
}
