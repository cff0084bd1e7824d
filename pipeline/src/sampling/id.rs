//! Trace ids and span ids: random, from a generator of each thread that the operating system seeds.
//!
//! All 16 bytes of a trace id are random, so the `random` flag of W3C Trace Context level 2 is set.
//!
//! A forked child has the generators of its parent, and would make the same ids. It is off until it
//! builds a pipeline of its own, so with each one all generators begin anew.

use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering};

use opentelemetry::trace::{SpanId, TraceId};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

/// How often all generators have begun anew.
static AGE: AtomicUsize = AtomicUsize::new(0);

struct Generator {
    age: usize,
    random: SmallRng,
}

thread_local! {
    static GENERATOR: RefCell<Generator> = RefCell::new(Generator::seeded());
}

impl Generator {
    #[cold]
    fn seeded() -> Self {
        Generator {
            age: AGE.load(Ordering::Relaxed),
            random: SmallRng::from_os_rng(),
        }
    }

    #[inline]
    fn random(&mut self) -> &mut SmallRng {
        // Relaxed is enough: who may use a pipeline was told of it by who built it.
        if self.age != AGE.load(Ordering::Relaxed) {
            *self = Generator::seeded();
        }
        &mut self.random
    }
}

/// From now on no thread goes on where it, or its parent process, was.
pub(crate) fn begin_anew() {
    AGE.fetch_add(1, Ordering::Relaxed);
}

/// A generator for a thread whose own is gone already.
#[inline(always)]
fn generate<T>(make: impl Fn(&mut SmallRng) -> T) -> T {
    let own = GENERATOR.try_with(|generator| make(generator.borrow_mut().random()));
    own.unwrap_or_else(|_| make(&mut SmallRng::from_os_rng()))
}

/// The ids of a root, in one visit of the generator.
#[inline(never)]
pub(crate) fn of_root() -> (TraceId, SpanId) {
    generate(|generator| (trace_id(generator), span_id_of(generator)))
}

#[inline(always)]
fn trace_id(generator: &mut SmallRng) -> TraceId {
    loop {
        let id = generator.random::<u128>();
        if id != 0 {
            return TraceId::from(id);
        }
    }
}

#[inline(always)]
pub(crate) fn span_id() -> SpanId {
    generate(span_id_of)
}

#[inline(always)]
fn span_id_of(generator: &mut SmallRng) -> SpanId {
    loop {
        let id = generator.random::<u64>();
        if id != 0 {
            return SpanId::from(id);
        }
    }
}

/// From 0 to 1, for what only has to differ between processes.
pub(crate) fn fraction() -> f64 {
    generate(|generator| generator.random())
}
