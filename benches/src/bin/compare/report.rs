//! The results as tables and as JSON.

use serde_json::{Map, Value, json};

use crate::child::Round;
use crate::peer::NAMES;
use crate::run::{Measured, OfScenario, Scaling};
use crate::scenario::THREADS;

/// A median, and the quartiles around it.
#[derive(Clone, Copy)]
pub(crate) struct Spread {
    pub(crate) low: f64,
    pub(crate) median: f64,
    pub(crate) high: f64,
}

impl Spread {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = values.collect();
        sorted.sort_by(f64::total_cmp);
        let at = |quarter: usize| match sorted.len() {
            0 => f64::NAN,
            length => sorted[(length - 1) * quarter / 4],
        };
        Spread {
            low: at(1),
            median: at(2),
            high: at(3),
        }
    }
}

/// What one peer took for a span, in nanoseconds.
pub(crate) struct Figures {
    pub(crate) caller: Spread,
    pub(crate) process: Spread,
    pub(crate) allocations: f64,
    /// Spans that did not arrive, or should not have; with one of them the run does not count.
    pub(crate) wrong: u64,
}

impl Figures {
    pub(crate) fn of(rounds: &[Round]) -> Self {
        // The first one was the warm-up.
        let measured = rounds.get(1..).unwrap_or_default();
        let each = |value: fn(&Round) -> u64| {
            let values = measured.iter();
            Spread::of(values.map(move |round| value(round) as f64 / round.spans as f64))
        };
        Figures {
            caller: each(|round| round.caller_ns),
            process: each(|round| round.process_ns),
            allocations: each(|round| round.allocations).median,
            wrong: rounds.iter().map(|round| round.wrong).sum(),
        }
    }
}

impl OfScenario {
    pub(crate) fn figures(&self) -> Vec<Figures> {
        self.peers.iter().map(|peer| Figures::of(peer)).collect()
    }
}

pub(crate) fn print(measured: &Measured) {
    println!(
        "{} rounds in turns. For a span: the median, in brackets the quartiles, and the ratio to `{}`.",
        measured.rounds, NAMES[0],
    );
    table(
        measured,
        "CPU of the calling thread, ns",
        |figures, ours| timed(figures.caller, ours.caller),
    );
    table(measured, "CPU of the process, ns", |figures, ours| {
        timed(figures.process, ours.process)
    });
    table(
        measured,
        "allocations of the calling thread",
        |figures, _| format!("{:.2}", figures.allocations),
    );
    if !measured.scaling.is_empty() {
        print_scaling(&measured.scaling);
    }
    print_lost(measured);
}

/// A row for each scenario, a column for each peer.
fn table(measured: &Measured, title: &str, cell: impl Fn(&Figures, &Figures) -> String) {
    println!("\n| {title} | {} |", NAMES.join(" | "));
    println!("|---|{}", "--:|".repeat(NAMES.len()));
    for of_scenario in &measured.scenarios {
        let all = of_scenario.figures();
        let cells = all.iter().map(|figures| match figures.wrong {
            0 => cell(figures, &all[0]),
            _ => "lost spans".to_owned(),
        });
        let cells: Vec<String> = cells.collect();
        let name = of_scenario.scenario.name();
        println!("| `{name}` | {} |", cells.join(" | "));
    }
}

fn timed(spread: Spread, ours: Spread) -> String {
    let Spread { low, median, high } = spread;
    let ratio = median / ours.median;
    match median < 10.0 {
        true => format!("{median:.2} ({low:.2}–{high:.2}) {ratio:.2}×"),
        false => format!("{median:.0} ({low:.0}–{high:.0}) {ratio:.2}×"),
    }
}

/// What was made and did not arrive, or arrived and should not have.
fn print_lost(measured: &Measured) {
    let mut all = 0;
    for of_scenario in &measured.scenarios {
        for (name, figures) in NAMES.iter().zip(of_scenario.figures()) {
            if figures.wrong > 0 {
                let scenario = of_scenario.scenario.name();
                println!(
                    "\n{scenario}, {name}: lost {} spans, and does not count",
                    figures.wrong
                );
            }
            all += figures.wrong;
        }
    }
    println!("\n{all} spans lost.");
}

fn cores() -> u64 {
    let cores = std::thread::available_parallelism();
    cores.map_or(1, |cores| cores.get() as u64)
}

/// The exporting threads have a share in the cores, so the throughput of the clock on the wall cannot
/// be linear where they are busy; what the threads cost each other shows in their CPU.
fn print_scaling(all: &[Scaling]) {
    let linear = cores().min(THREADS) as f64;
    println!(
        "\n| {THREADS} threads, {} cores | M spans/s, 1 thread | M spans/s, {THREADS} threads | of linear | \
         caller CPU, {THREADS} to 1 | process CPU, {THREADS} to 1 |",
        cores()
    );
    println!("|---|--:|--:|--:|--:|--:|");
    for (name, scaling) in NAMES.iter().zip(all) {
        let (one, several) = (throughput(&scaling.one), throughput(&scaling.several));
        let (alone, together) = (Figures::of(&scaling.one), Figures::of(&scaling.several));
        println!(
            "| {name} | {one:.2} | {several:.2} | {:.0} % | {:.2} | {:.2} |",
            100.0 * several / (one * linear),
            together.caller.median / alone.caller.median,
            together.process.median / alone.process.median,
        );
    }
}

/// Millions of spans in a second.
fn throughput(rounds: &[Round]) -> f64 {
    let measured = rounds.get(1..).unwrap_or_default().iter();
    Spread::of(measured.map(|round| 1e3 * round.spans as f64 / round.elapsed_ns as f64)).median
}

/// `{scenario: {peer: {caller_cpu_ns, process_cpu_ns, allocations}}}`, all for a span.
pub(crate) fn json(measured: &Measured) -> String {
    let scenarios = measured.scenarios.iter().map(|of_scenario| {
        let peers = NAMES.iter().zip(of_scenario.figures());
        let peers = peers.map(|(name, figures)| ((*name).to_owned(), object(&figures)));
        let name = of_scenario.scenario.name().to_owned();
        (name, Value::Object(peers.collect()))
    });
    let json = Value::Object(scenarios.collect::<Map<_, _>>());
    format!("{json:#}\n")
}

/// What was lost makes the figures those of something else.
fn object(figures: &Figures) -> Value {
    let counts = |value: f64| match figures.wrong {
        0 => json!((value * 100.0).round() / 100.0),
        _ => Value::Null,
    };
    json!({
        "caller_cpu_ns": counts(figures.caller.median),
        "process_cpu_ns": counts(figures.process.median),
        "allocations": counts(figures.allocations),
    })
}
