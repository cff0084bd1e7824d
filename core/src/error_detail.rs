//! How much of an error spans may show.

use std::sync::atomic::{AtomicU8, Ordering};

static ERROR_DETAIL: AtomicU8 = AtomicU8::new(2);

/// The most that errors may say about themselves, in one relaxed load: 0 only that there was one, 1 its type,
/// 2 its message (the default), 3 its sources too.
#[inline(always)]
pub fn error_detail() -> u8 {
    ERROR_DETAIL.load(Ordering::Relaxed)
}

/// Sets it, for the spans of all versions that start afterwards.
pub fn set_error_detail(most: u8) {
    ERROR_DETAIL.store(most, Ordering::Relaxed);
}
