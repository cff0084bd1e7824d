//! A span without a closure around its body.

use crate::context::unwind::Payload;
use crate::outcome::probe::ReturnCheck;
use crate::span::active::ActiveSpan;
use crate::span::attach::AttachGuard;

/// For `#[track_caller]` and returned closures.
///
/// It sees a panic, though not what it says.
#[must_use]
pub struct Guard {
    active: ActiveSpan,
    attached: AttachGuard,
    panicking_before: bool,
}

impl Guard {
    pub fn new(active: ActiveSpan) -> Self {
        let attached = active.attach();
        Guard {
            active,
            attached,
            panicking_before: std::thread::panicking(),
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(std::mem::take(&mut self.attached));
        if std::thread::panicking() && !self.panicking_before {
            self.active
                .take()
                .end_with_panic(&(Box::new(()) as Payload))
        } else {
            self.active.take().end(ReturnCheck::Nothing)
        }
    }
}
