//! The results as a bar chart: an SVG without scripts, readable on a light page and on a dark one.
//!
//! Each scenario has a scale of its own, since they differ by a factor of a thousand.

use enter_span_benches::svg;

use crate::peer::NAMES;
use crate::report::Figures;
use crate::run::{Measured, OfScenario};

const WIDTH: usize = 860;
const COLUMNS: usize = 2;
const COLUMN: usize = WIDTH / COLUMNS;
const MARGIN: usize = 12;
const TOP: usize = 44;
/// Where the bars begin, in a column, and how long the longest is.
const BARS: usize = 158;
const LONGEST: f64 = 152.0;
const LINE: usize = 17;
const GROUP: usize = 26 + NAMES.len() * LINE + 14;

pub(crate) fn draw(measured: &Measured) -> String {
    let rows = measured.scenarios.len().div_ceil(COLUMNS);
    let height = TOP + rows * GROUP;
    let mut svg = svg::open((WIDTH, height), "CPU time of the calling thread for a span");
    let heading = format!(
        "CPU time of the calling thread for a span: ns, and the ratio to {}",
        NAMES[0]
    );
    svg::text(&mut svg, "title", MARGIN, 24, &heading);
    for (place, of_scenario) in measured.scenarios.iter().enumerate() {
        let (column, row) = (place / rows, place % rows);
        group(
            &mut svg,
            of_scenario,
            column * COLUMN + MARGIN,
            TOP + row * GROUP,
        );
    }
    svg.push_str("</svg>\n");
    svg
}

fn group(svg: &mut String, of_scenario: &OfScenario, left: usize, top: usize) {
    let all = of_scenario.figures();
    let name = of_scenario.scenario.name();
    svg::text(svg, "scenario", left, top + 14, name);
    let counted = all.iter().filter(|figures| figures.wrong == 0);
    let most = counted.map(|figures| figures.caller.median);
    let most = most.fold(f64::MIN_POSITIVE, f64::max);
    for (place, (name, figures)) in NAMES.iter().zip(&all).enumerate() {
        let class = match place {
            0 => "ours",
            1 => "sdk",
            _ => "",
        };
        let y = top + 20 + place * LINE;
        let name_class = format!("name {class}");
        svg::text(svg, &name_class, left + BARS - 6, y + 12, name);
        if figures.wrong > 0 {
            svg::text(svg, "value", left + BARS + 6, y + 12, "lost spans");
            continue;
        }
        let length = (figures.caller.median / most * LONGEST).max(1.0);
        let x = left + BARS;
        svg::bar(svg, class, (x, y + 1), (length, LINE - 3));
        let end = x + length as usize + 6;
        svg::text(svg, "value", end, y + 12, &label(figures, &all[0]));
    }
}

fn label(figures: &Figures, ours: &Figures) -> String {
    let median = figures.caller.median;
    let ratio = median / ours.caller.median;
    let ns = match median < 10.0 {
        true => format!("{median:.1}"),
        false => format!("{median:.0}"),
    };
    match ratio < 10.0 {
        true => format!("{ns} · {ratio:.2}×"),
        false => format!("{ns} · {ratio:.0}×"),
    }
}
