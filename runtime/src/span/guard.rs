//! A span without a closure around its body.

use crate::context::unwind::Payload;
use crate::outcome::probe::Reading;
use crate::span::active::{Attached, Entered};

/// For `#[track_caller]` and returned closures.
///
/// It sees a panic, though not what it says.
#[must_use]
pub struct Guard {
    entered: Entered,
    attached: Attached,
    panicking_before: bool,
}

impl Guard {
    pub fn new(entered: Entered) -> Self {
        let attached = entered.attach();
        Guard {
            entered,
            attached,
            panicking_before: std::thread::panicking(),
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(std::mem::take(&mut self.attached));
        match std::thread::panicking() && !self.panicking_before {
            true => self.entered.take().panicked(&(Box::new(()) as Payload)),
            false => self.entered.take().end(Reading::Nothing),
        }
    }
}
