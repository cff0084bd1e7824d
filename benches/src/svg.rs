//! The parts of a bar chart: an SVG without scripts, readable on a light page and on a dark one.
//!
//! The texts are names and numbers of ours, and are not escaped.

use std::fmt::Write as _;

/// For a light page and for a dark one.
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

/// The head, with its style; the caller closes it with `</svg>`.
pub fn open((width, height): (usize, usize), title: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\">\n<title>{title}</title>\n<style>{STYLE}</style>\n"
    )
}

pub fn text(svg: &mut String, class: &str, x: usize, y: usize, text: &str) {
    // Writing to a `String` does not fail.
    let _ = writeln!(
        svg,
        "<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{text}</text>"
    );
}

pub fn bar(svg: &mut String, class: &str, (x, y): (usize, usize), (length, height): (f64, usize)) {
    // Writing to a `String` does not fail.
    let _ = writeln!(
        svg,
        "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{length:.1}\" height=\"{height}\" rx=\"2\"/>"
    );
}
