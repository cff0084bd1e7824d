//! Modules and blocks, and which names they know.

use crate::scan::library::Library;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScopeKind {
    /// Sees what it imports itself.
    Module,
    /// Sees what is around it, too.
    Block,
}

pub(crate) struct Scope {
    pub(crate) kind: ScopeKind,
    pub(crate) parent: Option<usize>,
    /// `use tracing::*;`
    pub(crate) globs: Vec<Library>,
    /// `use super::*;`
    pub(crate) sees_parent: bool,
    /// `use enter_span::enter_span;`
    pub(crate) has_ours: bool,
    /// Something else has the name `enter_span`.
    pub(crate) has_other: bool,
}

impl Scope {
    pub(crate) fn new(kind: ScopeKind, parent: Option<usize>) -> Self {
        Scope {
            kind,
            parent,
            globs: Vec::new(),
            sees_parent: false,
            has_ours: false,
            has_other: false,
        }
    }

    /// The scope in which names that are not found here are looked up.
    pub(crate) fn outer(&self) -> Option<usize> {
        let sees = self.kind == ScopeKind::Block || self.sees_parent;
        self.parent.filter(|_| sees)
    }
}
