//! Eight threads make spans for a long time, while the receiver goes away, comes back, is slow, refuses and resets
//! connections, and while pipelines are flushed, shut down and replaced, all at random. At the end each span has
//! arrived once or is in a counter, and memory has not grown. `scripts/soak.sh` runs it.
//!
//! The arguments are seconds and, to repeat a run, its seed.
#![expect(clippy::print_stdout, reason = "it reports to whoever runs it")]

mod actors;
mod book;
mod receiver;

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

use actors::{Stage, Sums, Totals};
use book::{Arrivals, Book};
use receiver::Receiver;

/// What resident memory may grow by after the warm-up, in KiB: malloc's arenas come and go.
const TOLERANCE: u64 = 16 * 1024;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let seconds: u64 = arguments.next().map_or(Ok(600), |text| text.parse())?;
    let seed = match arguments.next() {
        Some(seed) => seed.parse()?,
        None => SmallRng::from_os_rng().random(),
    };
    println!("{seconds} s, seed {seed}");
    let book = Arc::new(Book::new(seconds));
    let receiver = Receiver::start(Arc::clone(&book), SmallRng::seed_from_u64(seed))?;
    let mut stage = Stage::new(receiver, Arc::clone(&book), SmallRng::seed_from_u64(!seed))?;
    let threads = stage.start_threads(seed);
    let start = Instant::now();
    // The first quarter has seen all that happens.
    stage.act_until(start + Duration::from_millis(seconds * 250));
    let warm = memory();
    stage.act_until(start + Duration::from_secs(seconds));
    stage.stop();
    for thread in threads {
        thread.join().map_err(|_| "a thread has panicked")?;
    }
    let totals = stage.end()?;
    report(&book, &totals, [warm, memory()])
}

/// Resident memory in KiB, on Linux.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mut lines = status.lines();
    lines
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or_default()
}

fn report(book: &Book, totals: &Totals, memory: [u64; 2]) -> Result<(), Box<dyn Error>> {
    let (counts, arrived) = (&totals.counts, book.arrivals());
    println!(
        "pipelines: {}; flushes: {}",
        totals.pipelines, totals.flushes
    );
    println!("spans made: {}; {counts:?}", book.made());
    println!("arrived: {arrived:?}");
    println!("resident KiB after the warm-up and at the end: {memory:?}");
    let mut is_right = true;
    for (promise, is_kept) in promises(book.made(), counts, &arrived, memory) {
        println!("{} {promise}", if is_kept { "ok  " } else { "FAIL" });
        is_right &= is_kept;
    }
    if is_right {
        Ok(())
    } else {
        Err("a promise is broken; the seed above repeats what happened".into())
    }
}

fn promises(
    made: u64,
    counts: &Sums,
    arrived: &Arrivals,
    [warm, end]: [u64; 2],
) -> [(&'static str, bool); 7] {
    let late = counts.shutdown_timed_out;
    let done = counts.exported + counts.dropped;
    [
        (
            "each span that was made is recorded",
            made == counts.recorded,
        ),
        (
            "each recorded span is exported or dropped",
            counts.recorded == done && counts.queued == 0,
        ),
        ("no span arrives again after an answer", arrived.again == 0),
        (
            "each exported span has arrived",
            counts.exported <= arrived.spans,
        ),
        (
            "a dropped span has arrived only if its answer was lost",
            arrived.spans <= counts.exported + arrived.unsure + late,
        ),
        (
            "each answered span is exported, or its shutdown was over",
            arrived.answered <= counts.exported + late,
        ),
        ("memory is flat", end <= warm + TOLERANCE),
    ]
}
