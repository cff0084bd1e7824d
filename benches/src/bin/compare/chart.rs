//! The results as a bar chart: an SVG without scripts, readable on a light page and on a dark one.
//!
//! Each scenario has a scale of its own, since they differ by a factor of a thousand.

use std::fmt::Write as _;

use crate::peer::NAMES;
use crate::report::Figures;
use crate::run::{Measured, OfScenario};

const WIDTH: usize = 860;
const COLUMNS: usize = 2;
const COLUMN: usize = WIDTH / COLUMNS;
const MARGIN: usize = 12;
const TOP: usize = 44;
/// Where the bars begin, in a column, and how long the longest is.
const BARS: usize = 148;
const LONGEST: f64 = 162.0;
const LINE: usize = 17;
const GROUP: usize = 26 + 6 * LINE + 14;

const STYLE: &str = "
  text { font: 12px system-ui, sans-serif; fill: #1f2328 }
  .title { font-size: 15px; font-weight: 600 }
  .scenario { font-size: 13px; font-weight: 600 }
  .name { text-anchor: end; fill: #59636e }
  .value { fill: #59636e; font-variant-numeric: tabular-nums }
  .ours { fill: #1f2328; font-weight: 600 }
  rect { fill: #8c959f }
  rect.ours { fill: #0969da }
  rect.sdk { fill: #80b3f0 }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc }
    .name, .value { fill: #9198a1 }
    .ours { fill: #f0f6fc }
    rect { fill: #656c76 }
    rect.ours { fill: #4493f8 }
    rect.sdk { fill: #2c5d9e }
  }
";

pub(crate) fn draw(measured: &Measured) -> String {
    let rows = measured.scenarios.len().div_ceil(COLUMNS);
    let height = TOP + rows * GROUP;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" role=\"img\">\n<title>CPU time of the calling thread for a span</title>\n\
         <style>{STYLE}</style>\n<text class=\"title\" x=\"{MARGIN}\" y=\"24\">CPU time of the calling \
         thread for a span: ns, and the ratio to {}</text>\n",
        NAMES[0]
    );
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
    line(svg, "scenario", left, top + 14, name);
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
        line(svg, &name_class, left + BARS - 6, y + 12, name);
        if figures.wrong > 0 {
            line(svg, "value", left + BARS + 6, y + 12, "lost spans");
            continue;
        }
        let length = (figures.caller.median / most * LONGEST).max(1.0);
        let x = left + BARS;
        // Writing to a `String` does not fail.
        let _ = writeln!(
            svg,
            "<rect class=\"{class}\" x=\"{x}\" y=\"{}\" width=\"{length:.1}\" height=\"{}\" rx=\"2\"/>",
            y + 1,
            LINE - 3
        );
        let end = x + length as usize + 6;
        line(svg, "value", end, y + 12, &label(figures, &all[0]));
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

fn line(svg: &mut String, class: &str, x: usize, y: usize, text: &str) {
    // Writing to a `String` does not fail. The texts are names and numbers of ours.
    let _ = writeln!(
        svg,
        "<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{text}</text>"
    );
}
