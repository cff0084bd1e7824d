//! What is attached while a body runs.

use opentelemetry::{Context, ContextGuard};

use crate::backend::site::Site;
use crate::context::stack;
use crate::span::entered_mirror::{EnteredMirror, MirroredContext};
use crate::span::recorder_hooks::LeafMark;

/// Detaches when dropped.
#[derive(Default)]
pub(crate) struct AttachGuard {
    _attached: Attached,
    _leaf: LeafMark,
}

#[derive(Default)]
#[expect(dead_code, reason = "its parts are there to be dropped")]
enum Attached {
    #[default]
    Nothing,
    Context(ContextGuard),
    Mirrored(MirroredContext),
}

// A call that is off moves it too. Where it did not fit a register, that took 9 ns, and takes 1.
const _: () = assert!(size_of::<Attached>() <= 4, "a call that is off costs more");

impl AttachGuard {
    /// Attaches a context, and enters the mirror of its span in it.
    #[inline]
    pub(crate) fn context(
        context: Context,
        mirror: impl FnOnce() -> Option<EnteredMirror>,
    ) -> Self {
        let context = stack::attach(context);
        AttachGuard {
            _attached: match mirror() {
                None => Attached::of(context),
                Some(mirror) => Attached::mirrored(mirror, context),
            },
            _leaf: LeafMark::default(),
        }
    }

    pub(super) fn leaf(site: &'static Site) -> Self {
        AttachGuard {
            _attached: Attached::Nothing,
            _leaf: LeafMark::enter(site),
        }
    }
}

impl Attached {
    fn of(context: Option<ContextGuard>) -> Self {
        context.map_or(Attached::Nothing, Attached::Context)
    }

    fn mirrored(mirror: EnteredMirror, context: Option<ContextGuard>) -> Self {
        match MirroredContext::keep(mirror, context) {
            Ok(mirrored) => Attached::Mirrored(mirrored),
            Err(context) => Attached::of(context),
        }
    }
}
