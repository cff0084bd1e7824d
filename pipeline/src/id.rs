//! Trace ids and span ids: random, from a generator of each thread that the operating system seeds.
//!
//! All 16 bytes of a trace id are random, so the `random` flag of W3C Trace Context level 2 is set.

use std::cell::RefCell;

use opentelemetry::trace::{SpanId, TraceId};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

thread_local! {
    static GENERATOR: RefCell<SmallRng> = RefCell::new(SmallRng::from_os_rng());
}

/// A generator for a thread whose own is gone already.
#[inline]
fn generate<T>(make: impl Fn(&mut SmallRng) -> T) -> T {
    let own = GENERATOR.try_with(|generator| make(&mut generator.borrow_mut()));
    own.unwrap_or_else(|_| make(&mut SmallRng::from_os_rng()))
}

pub(crate) fn trace_id() -> TraceId {
    generate(|generator| {
        loop {
            let id = generator.random::<u128>();
            if id != 0 {
                return TraceId::from(id);
            }
        }
    })
}

pub(crate) fn span_id() -> SpanId {
    generate(|generator| {
        loop {
            let id = generator.random::<u64>();
            if id != 0 {
                return SpanId::from(id);
            }
        }
    })
}
