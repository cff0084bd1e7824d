//! Spans a second that arrive without loss: producers at nine tenths of what just does not fill the
//! queue.

use std::io;

use crate::report::Spread;
use crate::run::{Figures, Pair};
use crate::work::Work;

/// Halvings of the range on a logarithmic scale: a sixteenfold one comes down to two percent.
const HALVINGS: u32 = 7;

/// A pause of the machine is no limit of the peer: a rate is refused if it is not held twice.
const PROBES_OF_A_RATE: u32 = 2;

const PROBE_SECONDS: u64 = 2;

/// The rate that is reported is held for so long.
const FINAL_SECONDS: u64 = 4;

/// How often that rate is taken down by a twentieth if spans are lost at it all the same.
const FINAL_TRIES: u32 = 10;

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
    for _ in 0..HALVINGS {
        let rate = (held * refused).sqrt();
        if is_held(&mut pair, rate)? {
            held = rate;
        } else {
            refused = rate;
        }
    }
    let mut rate = 0.9 * held;
    for _ in 0..FINAL_TRIES {
        if let Some(reached) = probe(&mut pair, rate, FINAL_SECONDS)? {
            return Ok(Some(reached));
        }
        rate *= 0.95;
    }
    Ok(None)
}

fn is_held(pair: &mut Pair<'_>, rate: f64) -> io::Result<bool> {
    for _ in 0..PROBES_OF_A_RATE {
        if probe(pair, rate, PROBE_SECONDS)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The spans a second that were made, if all of them arrived and the producers were not late.
fn probe(pair: &mut Pair<'_>, rate: f64, seconds: u64) -> io::Result<Option<f64>> {
    pair.receiver.take()?;
    let (work, rate) = (Work::Trace, rate as u64);
    let order = format!("pace {work} {rate} {seconds} {THREADS}");
    let [spans, _, _, elapsed_ns] = pair.peer.ask(order)?;
    let arrived = pair.receiver.take()?;
    let elapsed = elapsed_ns as f64 / 1e9;
    let lost = spans.abs_diff(arrived.spans);
    if lost > 0 {
        eprintln!("    {rate}: {lost} of {spans} lost");
        return Ok(None);
    }
    if elapsed > seconds as f64 * LATE {
        eprintln!("    {rate}: {elapsed:.2} s instead of {seconds}");
        return Ok(None);
    }
    eprintln!("    {rate}: all arrived");
    Ok(Some(spans as f64 / elapsed))
}
