//! Calls of `enter_span(..)` whose value does its work later, after the end of the span.
//!
//! A function without bounds knows only the name of its value's type. In debug builds that is enough for a
//! warning, once for each call site. The calls are kept in a table of fixed size, without a lock. Whether the
//! span is traced is the caller's question.

use std::any::type_name;
use std::fmt;
use std::panic::Location;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::diagnose::report::Report;

const SLOTS: usize = 64;

static TABLE: [Slot; SLOTS] = [const { Slot::empty() }; SLOTS];

struct Slot {
    escape: OnceLock<Escape>,
    is_taken: AtomicBool,
}

impl Slot {
    const fn empty() -> Self {
        Slot {
            escape: OnceLock::new(),
            is_taken: AtomicBool::new(false),
        }
    }
}

/// A call, and what is to be written in its place.
struct Escape {
    call: &'static Location<'static>,
    remedy: &'static str,
}

/// Keeps the call around this one, if its value does its work later. For a span that is traced.
#[inline]
#[cfg_attr(debug_assertions, track_caller)]
pub(crate) fn check<R>(remedy: &'static str) {
    if cfg!(debug_assertions) && is_later(type_name::<R>()) {
        keep(Location::caller(), remedy);
    }
}

/// Async blocks, the futures of async functions, and closures are all called so; what is in a box says it.
fn is_later(type_name: &str) -> bool {
    const OBJECTS: [&str; 2] = [
        "dyn core::future::future::Future<",
        "dyn futures_core::stream::Stream<",
    ];
    type_name.ends_with("{{closure}}") || OBJECTS.iter().any(|object| type_name.contains(object))
}

fn keep(call: &'static Location<'static>, remedy: &'static str) {
    for slot in &TABLE {
        let kept = slot.escape.get_or_init(|| Escape { call, remedy });
        if kept.call == call {
            return;
        }
    }
}

fn kept() -> impl Iterator<Item = (&'static Slot, &'static Escape)> {
    TABLE
        .iter()
        .filter_map(|slot| Some((slot, slot.escape.get()?)))
}

/// Those that nobody has taken yet, as warnings.
pub fn take_escapes() -> impl Iterator<Item = String> {
    kept()
        .filter(|(slot, _)| !slot.is_taken.swap(true, Ordering::Relaxed))
        .map(|(_, escape)| escape.to_string())
}

pub(crate) fn add_findings(report: &mut Report) {
    for (_, escape) in kept() {
        report.add("later", escape);
    }
}

impl fmt::Display for Escape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Escape { call, remedy } = self;
        write!(
            formatter,
            "{call}: the value of this span is a future or a closure: what it does later is not in the span; use {remedy}"
        )
    }
}
