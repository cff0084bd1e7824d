//! The two scenarios of OpenTelemetry's performance benchmark, over HTTP, on one logical core: exported
//! spans a second, and the CPU at 10,000 spans a second.
//!
//! <https://opentelemetry.io/docs/specs/otel/performance-benchmark/>

use std::io;

use serde_json::{Map, Value, json};

use crate::process::{Cpu, Process};
use crate::report::rounded;
use crate::run::Receiver;
use crate::transport::Transport;
use crate::work::{BURST, Work};

/// The span of the specification is the whole span: the SDK has no second way to record it.
const PEERS: [&str; 6] = [
    "enter_span",
    "enter_span_without_code",
    "opentelemetry_sdk",
    "tracing_opentelemetry",
    "tracing_on_enter_span",
    "fastrace",
];

/// Bursts in a round.
const BURSTS: u64 = 100;

/// Of the second scenario.
const SPANS_A_SECOND: u64 = 10_000;

/// The least that the specification suggests for one iteration.
const SECONDS: u64 = 15;

/// In nanoseconds of CPU.
const SECOND: f64 = 1e9;

/// What one peer took. In the order of [`PEERS`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures {
    /// A value for each round.
    spans_per_second: Vec<f64>,
    /// Percent of one core.
    average: f64,
    peak: f64,
    /// Spans that did not arrive. With one of them the figures do not count.
    lost: u64,
}

pub(crate) fn run(rounds: usize) -> io::Result<Vec<Figures>> {
    let mut receiver = Receiver::start()?;
    let start = |name| receiver.peer(name, Transport::Http, Cpu::First);
    let mut processes: Vec<Process> = PEERS.into_iter().map(start).collect::<io::Result<_>>()?;
    let mut all = vec![Figures::default(); PEERS.len()];
    for peer in &mut processes {
        peer.ask::<3>(format_args!("bursts {} {BURSTS}", Work::Specified))?;
    }
    for round in 0..rounds {
        for turn in 0..processes.len() {
            let index = (round + turn) % processes.len();
            throughput(&mut processes[index], &mut receiver, &mut all[index])?;
        }
    }
    for ((peer, figures), name) in processes.iter_mut().zip(&mut all).zip(PEERS) {
        eprintln!("  {name}: {SPANS_A_SECOND} spans a second for {SECONDS} s");
        cpu(peer, &mut receiver, figures)?;
    }
    processes.into_iter().try_for_each(Process::end)?;
    receiver.end()?;
    Ok(all)
}

fn throughput(
    peer: &mut Process,
    receiver: &mut Receiver,
    figures: &mut Figures,
) -> io::Result<()> {
    receiver.take()?;
    let [_, _, elapsed] = peer.ask(format_args!("bursts {} {BURSTS}", Work::Specified))?;
    let spans = BURSTS * BURST;
    let a_second = spans as f64 * SECOND / elapsed as f64;
    figures.spans_per_second.push(a_second);
    figures.lost += spans.abs_diff(receiver.take()?.spans);
    Ok(())
}

fn cpu(peer: &mut Process, receiver: &mut Receiver, figures: &mut Figures) -> io::Result<()> {
    receiver.take()?;
    let work = Work::Specified;
    let order = format!("pace {work} {SPANS_A_SECOND} {SECONDS} 1");
    let [spans, cpu, peak, elapsed] = peer.ask(order)?;
    figures.average = 100.0 * cpu as f64 / elapsed as f64;
    figures.peak = 100.0 * peak as f64 / SECOND;
    figures.lost += spans.abs_diff(receiver.take()?.spans);
    Ok(())
}

impl Figures {
    /// The mean, and the standard deviation.
    fn throughput(&self) -> (f64, f64) {
        let count = self.spans_per_second.len() as f64;
        let mean = self.spans_per_second.iter().sum::<f64>() / count;
        let squares = self.spans_per_second.iter();
        let squares = squares.map(|value| (value - mean).powi(2));
        (mean, (squares.sum::<f64>() / count).sqrt())
    }
}

pub(crate) fn print(measured: &[Figures]) {
    println!(
        "| OpenTelemetry's performance benchmark, one core | spans a second, mean | standard deviation | \
         CPU at {SPANS_A_SECOND} spans a second | peak |"
    );
    println!("|---|--:|--:|--:|--:|");
    for (name, figures) in PEERS.iter().zip(measured) {
        let (mean, deviation) = figures.throughput();
        let Figures { average, peak, .. } = figures;
        if figures.lost > 0 {
            println!("| {name} | lost {} spans | | | |", figures.lost);
        } else {
            println!("| {name} | {mean:.0} | {deviation:.0} | {average:.1} % | {peak:.1} % |");
        }
    }
}

/// `{peer: {spans_per_second, standard_deviation, cpu_percent, peak_cpu_percent}}`
pub(crate) fn json(measured: &[Figures]) -> String {
    let peers = PEERS.iter().zip(measured).map(|(name, figures)| {
        let (mean, deviation) = figures.throughput();
        let counts = |value| rounded(Some(value).filter(|_| figures.lost == 0));
        let object = json!({
            "spans_per_second": counts(mean),
            "standard_deviation": counts(deviation),
            "cpu_percent": counts(figures.average),
            "peak_cpu_percent": counts(figures.peak),
        });
        ((*name).to_owned(), object)
    });
    let json = Value::Object(peers.collect::<Map<_, _>>());
    format!("{json:#}\n")
}
