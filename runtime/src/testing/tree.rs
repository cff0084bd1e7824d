//! A trace as indented text, and two such texts compared.

use std::fmt::Write as _;

use opentelemetry::Value;

use super::recorder::{RecordedSpan, Trace};
use crate::context::SpanContext;
use crate::span::Status;

const INDENT: &str = "  ";

pub(super) fn draw(trace: &Trace) -> String {
    let mut lines = Vec::new();
    for span in &trace.spans {
        if parent(trace, span).is_none() {
            draw_below(trace, span, 0, &mut lines);
        }
    }
    lines.extend(
        trace
            .hidden
            .iter()
            .map(|(leaf, name)| format!("under {leaf}: {name}")),
    );
    lines.extend(trace.orphans.iter().map(|name| format!("orphan {name}")));
    lines.join("\n")
}

fn parent<'a>(trace: &'a Trace, span: &RecordedSpan) -> Option<&'a RecordedSpan> {
    trace
        .spans
        .iter()
        .find(|above| is_same(&above.identity, &span.parent))
}

/// By the ids alone: an identity that was sent and received again is remote.
fn is_same(one: &SpanContext, other: &SpanContext) -> bool {
    (one.trace_id(), one.span_id()) == (other.trace_id(), other.span_id())
}

/// With a stack of its own: a trace may be deeper than the thread's.
fn draw_below<'a>(trace: &'a Trace, root: &'a RecordedSpan, depth: usize, lines: &mut Vec<String>) {
    let mut next = vec![(root, depth)];
    while let Some((span, depth)) = next.pop() {
        lines.push(format!("{}{}", INDENT.repeat(depth), line(trace, span)));
        let children = trace.spans.iter().rev();
        let children = children.filter(|child| is_same(&child.parent, &span.identity));
        next.extend(children.map(|child| (child, depth + 1)));
    }
}

fn line(trace: &Trace, span: &RecordedSpan) -> String {
    let mut line = one_line(&span.name);
    if span.kind != "internal" {
        let _ = write!(line, " [{}]", span.kind);
    }
    for attribute in &span.attributes {
        let key = attribute.key.as_str();
        if !is_drawn_otherwise(key) {
            let _ = write!(line, " {key}={}", value(&attribute.value));
        }
    }
    if let Status::Error(_) = span.status {
        let _ = write!(line, " !{}", error_type(span));
    }
    if let Some(outcome) = span.attribute("enter_span.outcome") {
        let _ = write!(line, " ~{}", outcome.0);
    }
    for link in &span.links {
        let mut spans = trace.spans.iter();
        let linked = spans.find(|other| is_same(&other.identity, link));
        let linked = linked.map_or("?".to_owned(), |linked| one_line(&linked.name));
        let _ = write!(line, " ^{linked}");
    }
    if span.end.is_none() {
        line.push_str(" (open)");
    }
    line
}

/// A name with a line break would look like two spans.
fn one_line(name: &str) -> String {
    let letter = |letter: char| match letter.is_control() {
        true => letter.escape_default().collect::<String>(),
        false => letter.into(),
    };
    name.chars().map(letter).collect()
}

fn is_drawn_otherwise(key: &str) -> bool {
    key.starts_with("code.") || matches!(key, "error.type" | "enter_span.outcome")
}

/// Text that could be taken for something else is quoted.
fn value(value: &Value) -> String {
    let text = value.to_string();
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && c != '"';
    match value {
        Value::String(_) if text.is_empty() || !text.chars().all(plain) => format!("{text:?}"),
        _ => text,
    }
}

/// The last segment of the error's type, without its generics.
fn error_type(span: &RecordedSpan) -> String {
    let Some(name) = span.attribute("error.type") else {
        return String::new();
    };
    let name = name.0.to_string();
    let path = name.split('<').next().unwrap_or(&name);
    path.rsplit("::").next().unwrap_or(path).to_owned()
}

/// Without the common indentation, and without empty lines around.
pub(super) fn normal(text: &str) -> String {
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let indent = |line: &&str| line.len() - line.trim_start().len();
    let common = lines.iter().map(indent).min().unwrap_or(0);
    let lines: Vec<&str> = lines.iter().map(|line| line[common..].trim_end()).collect();
    lines.join("\n")
}

/// Both texts, line beside line, with a mark where they part; or `None` if they are the same.
pub(super) fn difference(expected: &str, actual: &str) -> Option<String> {
    if expected == actual {
        return None;
    }
    let (mut left, mut right) = (expected.lines(), actual.lines());
    let mut text = String::new();
    loop {
        match (left.next(), right.next()) {
            (None, None) => return Some(text),
            (Some(same), Some(other)) if same == other => {
                let _ = writeln!(text, "  {same}");
            }
            (expected, actual) => {
                for (mark, line) in [('-', expected), ('+', actual)] {
                    if let Some(line) = line {
                        let _ = writeln!(text, "{mark} {line}");
                    }
                }
            }
        }
    }
}
