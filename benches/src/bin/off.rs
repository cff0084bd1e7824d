//! What an annotated function costs while nothing is installed, beside the peers, in one run.
//!
//! Arguments, both optional: the rounds, and the calls in each round.

use std::hint::black_box;
use std::pin::pin;

use enter_span_benches::{Candidate, Counting, Samples, Yield, allocations, drive, measure};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const YIELDS: u32 = 10;

/// Ten times pending, then ready.
const POLLS: f64 = 11.0;

/// The same functions, bare and annotated: nothing but the attribute differs. The argument's name
/// comes from outside, where the attributes name it too.
macro_rules! bodies {
    ($(|$id:ident| $module:ident: $(#[$attribute:meta])?;)+) => {$(
        mod $module {
            use super::*;

            #[inline(never)]
            $(#[$attribute])?
            fn sync($id: u64) -> u64 {
                black_box($id).wrapping_add(1)
            }

            $(#[$attribute])?
            pub(super) async fn yields($id: u64) -> u64 {
                for _ in 0..YIELDS {
                    black_box($id);
                    Yield::default().await;
                }
                $id.wrapping_add(1)
            }

            #[inline(never)]
            pub(super) fn call(times: u64) {
                for id in 0..times {
                    black_box(sync(id));
                }
            }

            #[inline(never)]
            pub(super) fn poll(times: u64) {
                for id in 0..times {
                    black_box(drive(pin!(yields(id))));
                }
            }
        }
    )+};
}

bodies! {
    |id| bare:;
    |id| ours: #[enter_span::enter_span(attributes(id))];
    |id| tracing_attribute: #[tracing::instrument(skip_all, fields(id = id))];
    |id| fastrace_attribute: #[fastrace::trace(properties = { "id": "{id}" })];
}

/// The bare future, taken along.
#[inline(never)]
fn poll_carried(times: u64) {
    use enter_span::FutureInSpan;
    for id in 0..times {
        let carried = FutureInSpan::in_current_span(bare::yields(id));
        black_box(drive(pin!(carried)));
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse());
    let rounds = arguments.next().and_then(Result::ok).unwrap_or(51);
    let calls = arguments.next().and_then(Result::ok).unwrap_or(1_000_000);
    assert!(!enter_span::is_enabled(), "nothing is installed here");

    println!("{rounds} rounds of {calls} calls; medians, p10..p90; ns over the bare function\n");
    let sync = [
        Candidate::new("bare", bare::call),
        Candidate::new("enter_span", ours::call),
        Candidate::new("tracing", tracing_attribute::call),
        Candidate::new("fastrace", fastrace_attribute::call),
    ];
    table("sync, a call", &sync, rounds, calls as u64, 1.0);
    let polled = [
        Candidate::new("bare", bare::poll),
        Candidate::new("enter_span", ours::poll),
        Candidate::new("tracing", tracing_attribute::poll),
        Candidate::new("fastrace", fastrace_attribute::poll),
        Candidate::new("enter_span, `.in_current_span()`", poll_carried),
    ];
    table("async, a poll", &polled, rounds, calls as u64 / 10, POLLS);
}

fn table(title: &str, candidates: &[Candidate], rounds: usize, calls: u64, parts: f64) {
    let samples = measure(candidates, rounds, calls);
    println!("| {title} | ns | added | p10..p90 | allocations a call |");
    println!("|---|--:|--:|--:|--:|");
    for (candidate, own) in candidates.iter().zip(&samples) {
        let added = own.over(&samples[0]);
        let (low, high) = added.spread();
        println!(
            "| {} | {:.2} | {:.2} | {:.2}..{:.2} | {} |",
            candidate.name,
            own.median() / parts,
            added.median() / parts,
            low / parts,
            high / parts,
            allocations(candidate, calls),
        );
    }
    let [_, ours, tracing, ..] = &samples[..] else {
        return;
    };
    let behind: Samples = ours.over(tracing);
    let (low, high) = behind.spread();
    println!(
        "\nenter_span minus tracing: {:+.2} ns ({:+.2}..{:+.2})\n",
        behind.median() / parts,
        low / parts,
        high / parts,
    );
}
