//! Ten million spans, or the number of the first argument: none is lost without being counted.
//!
//! `cargo run --release -p enter-span-pipeline --example reliability -- [SPANS] [SEED]`

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a program that checks"
)]

use std::process::ExitCode;
use std::time::Instant;

use run::{Plan, Way};

mod run;
mod work;

/// No round fills it.
const AMPLE: usize = 1 << 40;
const SMALL: usize = 4_096;

fn main() -> ExitCode {
    let mut numbers = std::env::args().skip(1).map(|number| number.parse());
    let mut next = |default| numbers.next().unwrap_or(Ok(default)).expect("a number");
    let (spans, seed) = (next(10_000_000), next(7));
    let runs = [
        (Way::Installed, AMPLE),
        (Way::Installed, SMALL),
        (Way::Provider, SMALL),
    ];
    let are_right = runs.map(|(way, queue_spans)| {
        let rounds = 20;
        let plan = Plan {
            way,
            spans,
            rounds,
            queue_spans,
            seed,
        };
        is_right(plan)
    });
    match are_right {
        [true, true, true] => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn is_right(plan: Plan) -> bool {
    let begun = Instant::now();
    let end = run::run(plan, |counts| {
        let done = counts.exported + counts.dropped.total();
        assert_eq!((counts.recorded, counts.queued), (done, 0), "{counts:?}");
    });
    println!("{plan:?} in {:.1?}: {end:#?}", begun.elapsed());
    // Without drops in the queue, the exporter saw every parent.
    let has_room = plan.queue_spans == SMALL || end.unseen == 0;
    end.is_right() && has_room
}
