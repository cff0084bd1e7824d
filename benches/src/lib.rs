//! What the benches share: measurements in rounds, CPU clocks, a future and its executor, an exporter,
//! a count of allocations, and the parts of a chart.

pub mod clock;
pub mod svg;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

/// Measured values, one for each round.
pub struct Samples(Vec<f64>);

impl Samples {
    /// The value below which `percent` of a hundred lie.
    fn percentile(&self, percent: usize) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted[(sorted.len() - 1) * percent / 100]
    }

    pub fn median(&self) -> f64 {
        self.percentile(50)
    }

    /// Where the middle eight tenths of the rounds lie.
    pub fn spread(&self) -> (f64, f64) {
        (self.percentile(10), self.percentile(90))
    }

    /// The difference to `base`, round by round: what slows down a whole round cancels out.
    pub fn over(&self, base: &Samples) -> Samples {
        Samples(self.0.iter().zip(&base.0).map(|(a, b)| a - b).collect())
    }
}

/// Something to measure: it runs its work so many times.
pub struct Candidate {
    pub name: &'static str,
    pub run: fn(u64),
}

impl Candidate {
    pub fn new(name: &'static str, run: fn(u64)) -> Self {
        Candidate { name, run }
    }
}

/// Nanoseconds for each call, in rounds that alternate between the candidates. Each round begins
/// with another one, so that none is always the one after a pause.
pub fn measure(candidates: &[Candidate], rounds: usize, calls: u64) -> Vec<Samples> {
    let mut all: Vec<Samples> = candidates.iter().map(|_| Samples(Vec::new())).collect();
    for candidate in candidates {
        (candidate.run)(calls);
    }
    for round in 0..rounds {
        for turn in 0..candidates.len() {
            let index = (round + turn) % candidates.len();
            let start = Instant::now();
            (candidates[index].run)(calls);
            let spent = start.elapsed().as_nanos() as f64;
            all[index].0.push(spent / calls as f64);
        }
    }
    all
}

/// Takes spans and forgets them.
#[derive(Debug)]
pub struct Nowhere;

impl SpanExporter for Nowhere {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        black_box(batch);
        Ok(())
    }
}

/// Pending once.
#[derive(Default)]
pub struct Yield(bool);

impl Future for Yield {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        match std::mem::replace(&mut self.0, true) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }
}

/// Polls as an executor does, through a `dyn` future and with a waker of no use.
#[inline(never)]
pub fn drive(mut future: Pin<&mut dyn Future<Output = u64>>) -> u64 {
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
}

thread_local! {
    // Without a destructor, so that it can be counted on a thread that is dying.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

/// Allocations of all threads, while somebody asks for them.
static OF_PROCESS: AtomicU64 = AtomicU64::new(0);
static IS_COUNTED: AtomicBool = AtomicBool::new(false);

/// The system's allocator, which counts for each thread how often it is asked for memory.
pub struct Counting;

fn count() {
    ALLOCATIONS.set(ALLOCATIONS.get() + 1);
    // Threads would fight for one counter, so that it stands still while time is measured.
    if IS_COUNTED.load(Ordering::Relaxed) {
        OF_PROCESS.fetch_add(1, Ordering::Relaxed);
    }
}

/// How often this thread has asked for memory, where [`Counting`] is the global allocator.
pub fn allocated() -> u64 {
    ALLOCATIONS.get()
}

/// How often all threads of the process ask for memory during this work, where [`Counting`] is the global
/// allocator.
pub fn allocations_of_process<R>(work: impl FnOnce() -> R) -> (R, u64) {
    let before = OF_PROCESS.load(Ordering::Relaxed);
    IS_COUNTED.store(true, Ordering::Relaxed);
    let result = work();
    IS_COUNTED.store(false, Ordering::Relaxed);
    (result, OF_PROCESS.load(Ordering::Relaxed) - before)
}

// SAFETY: each call is handed unchanged to the system's allocator, whose contract it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(block, layout) }
    }
}

/// Allocations of this thread for each of so many calls.
pub fn allocations(candidate: &Candidate, calls: u64) -> f64 {
    let before = allocated();
    (candidate.run)(calls);
    (allocated() - before) as f64 / calls as f64
}
