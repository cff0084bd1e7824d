//! What is promised, and whether it was kept.

use std::error::Error;

use crate::book::{Arrivals, Book};
use crate::totals::Totals;

/// What resident memory may grow by after the warm-up, in KiB: malloc's arenas come and go.
const TOLERANCE: u64 = 16 * 1024;

/// Resident memory in KiB, on Linux.
pub(crate) fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mut lines = status.lines();
    lines
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or_default()
}

pub(crate) fn report(book: &Book, totals: &Totals, memory: [u64; 2]) -> Result<(), Box<dyn Error>> {
    let arrived = book.arrivals();
    println!("spans made: {}; {totals:?}", book.made());
    println!("arrived: {arrived:?}");
    println!("resident KiB after the warm-up and at the end: {memory:?}");
    let mut is_right = true;
    for (promise, is_kept) in promises(book.made(), totals, &arrived, memory) {
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
    totals: &Totals,
    arrived: &Arrivals,
    [warm, end]: [u64; 2],
) -> [(&'static str, bool); 9] {
    let late = totals.shutdown_timed_out + totals.spooled_late;
    let taken = totals.exported + totals.sent;
    let done = totals.exported + totals.dropped + totals.spooled;
    let gone = totals.refused + totals.expired + totals.evicted;
    [
        (
            "each span that was made is recorded",
            made == totals.recorded,
        ),
        (
            "each recorded span is exported, dropped or spooled",
            totals.recorded == done && totals.queued == 0,
        ),
        (
            "each spooled span is sent, refused, expired or evicted",
            totals.spooled == totals.sent + gone + totals.waiting && totals.broken_files == 0,
        ),
        (
            "the spool is empty at the end",
            totals.waiting == 0 && totals.files == 0,
        ),
        (
            "no span arrives again after an answer, but what was on its way when a shutdown was over",
            arrived.again <= totals.spooled_late,
        ),
        (
            "each exported or sent span has arrived",
            taken <= arrived.spans,
        ),
        (
            "another span has arrived only if its answer was lost, or its shutdown was over",
            arrived.spans <= taken + arrived.unsure + late,
        ),
        (
            "each answered span is exported or sent, or its shutdown was over",
            arrived.answered <= taken + late,
        ),
        ("memory is flat", end <= warm + TOLERANCE),
    ]
}
