//! The results as a bar chart: a row for each transport, the CPU on the left and the throughput on the
//! right.

use enter_span_benches::svg;

use crate::peer::NAMES;
use crate::report::Spread;
use crate::run::{Figures, OfTransport};

const WIDTH: usize = 900;
const COLUMN: usize = WIDTH / 2;
const MARGIN: usize = 12;
const TOP: usize = 34;
/// Where the bars begin, in a column, and how long the longest is.
const BARS: usize = 190;
const LONGEST: f64 = 150.0;
const LINE: usize = 17;
const GROUP: usize = 26 + NAMES.len() * LINE + 14;

/// What a column shows.
struct Column {
    title: &'static str,
    value: fn(&Figures) -> Option<f64>,
    label: fn(f64) -> String,
}

const COLUMNS: [Column; 2] = [
    Column {
        title: "CPU of the process, ns a span: less is better",
        value: |figures| Some(Spread::of(&figures.process_cpu).median),
        label: |value| format!("{value:.0}"),
    },
    Column {
        title: "spans a second without loss: more is better",
        value: |figures| figures.spans_per_second,
        label: |value| format!("{:.0}k", value / 1e3),
    },
];

pub(crate) fn draw(measured: &[OfTransport]) -> String {
    let height = TOP + measured.len() * GROUP;
    let title = "A span from its start to the wire, over OTLP";
    let mut svg = svg::open((WIDTH, height), title);
    for (place, column) in COLUMNS.iter().enumerate() {
        let left = place * COLUMN + MARGIN;
        svg::text(&mut svg, "title", left, 24, column.title);
        for (row, of_transport) in measured.iter().enumerate() {
            group(&mut svg, of_transport, column, (left, TOP + row * GROUP));
        }
    }
    svg.push_str("</svg>\n");
    svg
}

fn group(
    svg: &mut String,
    of_transport: &OfTransport,
    column: &Column,
    (left, top): (usize, usize),
) {
    svg::text(
        svg,
        "scenario",
        left,
        top + 14,
        of_transport.transport.name(),
    );
    let of = |figures: &Figures| (column.value)(figures).filter(|_| figures.lost == 0);
    let values: Vec<Option<f64>> = of_transport.peers.iter().map(of).collect();
    let most = values.iter().flatten().copied();
    let most = most.fold(f64::MIN_POSITIVE, f64::max);
    for (place, (name, value)) in NAMES.iter().zip(&values).enumerate() {
        let class = match place {
            0 => "ours",
            1 => "sdk",
            _ => "",
        };
        let (x, y) = (left + BARS, top + 20 + place * LINE);
        svg::text(svg, &format!("name {class}"), x - 6, y + 12, name);
        let Some(value) = *value else {
            svg::text(svg, "value", x + 6, y + 12, "lost spans");
            continue;
        };
        let length = (value / most * LONGEST).max(1.0);
        svg::bar(svg, class, (x, y + 1), (length, LINE - 3));
        let ratio = values[0].map_or(f64::NAN, |ours| value / ours);
        let label = format!("{} · {ratio:.2}×", (column.label)(value));
        svg::text(svg, "value", x + length as usize + 6, y + 12, &label);
    }
}
