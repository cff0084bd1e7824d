//! The results as tables and as JSON.

use serde_json::{Map, Value, json};

use crate::peer::NAMES;
use crate::run::{Figures, OfTransport};

/// A median, and the range around it.
#[derive(Clone, Copy)]
pub(crate) struct Spread {
    pub(crate) least: f64,
    pub(crate) median: f64,
    pub(crate) most: f64,
}

impl Spread {
    pub(crate) fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
        Spread {
            least: at(0),
            median: at(sorted.len().saturating_sub(1) / 2),
            most: at(sorted.len().saturating_sub(1)),
        }
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Spread {
            least,
            median,
            most,
        } = self;
        write!(formatter, "{median:.0} ({least:.0}–{most:.0})")
    }
}

impl Figures {
    /// The throughput as a text: a rate at which no span was lost may not have been found.
    pub(crate) fn throughput(&self) -> String {
        match self.spans_per_second {
            Some(rate) => format!("{:.0}k", rate / 1e3),
            None if self.bytes == 0.0 => "–".to_owned(),
            None => "lost spans".to_owned(),
        }
    }
}

pub(crate) fn print(measured: &[OfTransport], rounds: usize) {
    println!(
        "{rounds} rounds in turns. For a span: the median, in brackets the least and the most, and the \
         ratio to `{}`.",
        NAMES[0]
    );
    for of_transport in measured {
        println!(
            "\n| `{}` | process CPU, ns | | caller CPU, ns | allocations | bytes | spans a second | \
             receiver CPU, ns |",
            of_transport.transport.name()
        );
        println!("|---|--:|--:|--:|--:|--:|--:|--:|");
        let ours = Spread::of(&of_transport.peers[0].process_cpu).median;
        for (name, figures) in NAMES.iter().zip(&of_transport.peers) {
            println!("| {name} | {} |", row(figures, ours));
        }
    }
}

fn row(figures: &Figures, ours: f64) -> String {
    if figures.lost > 0 {
        return format!("lost {} spans | | | | | |", figures.lost);
    }
    let process = Spread::of(&figures.process_cpu);
    format!(
        "{process} | {:.2}× | {} | {:.2} | {:.0} | {} | {:.0}",
        process.median / ours,
        Spread::of(&figures.caller_cpu),
        figures.allocations,
        figures.bytes,
        figures.throughput(),
        Spread::of(&figures.receiver_cpu).median,
    )
}

/// `{transport: {peer: {process_cpu_ns, caller_cpu_ns, allocations, bytes, spans_per_second}}}`: the first
/// four for a span.
pub(crate) fn json(measured: &[OfTransport]) -> String {
    let transports = measured.iter().map(|of_transport| {
        let peers = NAMES.iter().zip(&of_transport.peers);
        let peers = peers.map(|(name, figures)| ((*name).to_owned(), object(figures)));
        let name = of_transport.transport.name().to_owned();
        (name, Value::Object(peers.collect()))
    });
    let json = Value::Object(transports.collect::<Map<_, _>>());
    format!("{json:#}\n")
}

/// What was lost makes the figures those of something else.
fn object(figures: &Figures) -> Value {
    let counts = |value| rounded(Some(value).filter(|_| figures.lost == 0));
    json!({
        "process_cpu_ns": counts(Spread::of(&figures.process_cpu).median),
        "caller_cpu_ns": counts(Spread::of(&figures.caller_cpu).median),
        "allocations": counts(figures.allocations),
        "bytes": counts(figures.bytes),
        "spans_per_second": rounded(figures.spans_per_second.filter(|_| figures.lost == 0)),
    })
}

/// To two digits.
pub(crate) fn rounded(value: Option<f64>) -> Value {
    value.map_or(Value::Null, |value| json!((value * 100.0).round() / 100.0))
}
