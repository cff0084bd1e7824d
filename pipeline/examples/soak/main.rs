//! Eight threads make spans for a long time, while the receiver goes away, comes back, is slow, refuses and resets
//! connections, and while pipelines are flushed, shut down and replaced, all at random. At the end each span has
//! arrived once or is in a counter, and memory has not grown. `scripts/soak.sh` runs it.
//!
//! The arguments are `--spool`, for pipelines that share a spool, then seconds and, to repeat a run, its seed.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it prints a report"
)]

mod actors;
mod book;
mod receiver;
mod recipe;
mod report;
mod totals;

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

use actors::Stage;
use book::Book;
use receiver::Receiver;
use recipe::Recipe;
use report::{memory, report};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1).peekable();
    let has_spool = arguments.next_if_eq("--spool").is_some();
    let seconds: u64 = arguments.next().map_or(Ok(600), |text| text.parse())?;
    let seed = match arguments.next() {
        Some(seed) => seed.parse()?,
        None => SmallRng::from_os_rng().random(),
    };
    println!("{seconds} s, seed {seed}");
    let book = Arc::new(Book::new(seconds));
    let receiver = Receiver::start(Arc::clone(&book), SmallRng::seed_from_u64(seed))?;
    let recipe = Recipe::new(receiver.address);
    let recipe = if has_spool {
        recipe.with_spool()
    } else {
        recipe
    };
    let random = SmallRng::seed_from_u64(!seed);
    let mut stage = Stage::new(receiver, recipe, Arc::clone(&book), random)?;
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
