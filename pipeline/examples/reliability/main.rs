//! Ten million spans, or as many as the first argument says: nothing is lost without being counted.
//!
//! `cargo run --release -p enter-span-pipeline --example reliability -- [SPANS] [SEED]`

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a program that checks"
)]

use std::process::ExitCode;

mod run;

fn main() -> ExitCode {
    let mut numbers = std::env::args().skip(1).map(|number| number.parse());
    let mut next = |default| numbers.next().unwrap_or(Ok(default)).expect("a number");
    let (spans, seed) = (next(10_000_000), next(7));
    let end = run::run(spans, 20, seed, |counts| {
        let done = counts.exported + counts.dropped.total();
        assert_eq!((counts.recorded, counts.queued), (done, 0), "{counts:?}");
    });
    println!("seed {seed}: {end:#?}");
    let is_right = end.doubles == 0 && end.lost_parents == 0 && end.taken == end.counts.exported;
    match is_right {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
