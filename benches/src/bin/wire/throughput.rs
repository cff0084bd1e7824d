//! Spans a second that arrive without loss: producers at nine tenths of what just does not fill the
//! queue.

use std::io;

use crate::report::Spread;
use crate::run::{Figures, Pair};
use crate::work::Work;

/// Halvings of the range on a logarithmic scale: a sixteenfold one comes down to two percent.
const PROBES: u32 = 7;

/// How often the rate is taken down by a tenth if spans are lost at it all the same.
const TRIES: u32 = 5;

/// So many produce, and the exporter has to share the cores with them.
const THREADS: u64 = 2;

/// A rate that the producers fall behind by more than this is more than the machine takes.
const LATE: f64 = 1.05;

/// `None` if spans are lost at each rate that was tried.
pub(crate) fn search(mut pair: Pair<'_>, figures: &Figures) -> io::Result<Option<f64>> {
    let cpu = Spread::of(&figures.process_cpu).median;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let estimate = cores as f64 * 1e9 / cpu;
    let (mut held, mut refused) = (estimate / 8.0, estimate * 2.0);
    for _ in 0..PROBES {
        let rate = (held * refused).sqrt();
        if probe(&mut pair, rate, 1)?.is_some() {
            held = rate;
        } else {
            refused = rate;
        }
    }
    let mut rate = held;
    for _ in 0..TRIES {
        rate *= 0.9;
        if let Some(reached) = probe(&mut pair, rate, 3)? {
            return Ok(Some(reached));
        }
    }
    Ok(None)
}

/// The spans a second that were made, if all of them arrived and the producers were not late.
fn probe(pair: &mut Pair<'_>, rate: f64, seconds: u64) -> io::Result<Option<f64>> {
    pair.receiver.take()?;
    let (work, rate) = (Work::Trace, rate as u64);
    let order = format!("pace {work} {rate} {seconds} {THREADS}");
    let [spans, _, _, elapsed_ns] = pair.peer.ask(order)?;
    let arrived = pair.receiver.take()?;
    let elapsed = elapsed_ns as f64 / 1e9;
    let is_late = elapsed > seconds as f64 * LATE;
    let is_lost = arrived.spans != spans;
    if is_late || is_lost {
        return Ok(None);
    }
    Ok(Some(spans as f64 / elapsed))
}
