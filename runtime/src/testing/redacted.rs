//! A trace as text that is the same in each run: numbers for ids, and no times.

use std::collections::HashMap;

use super::entry::Entry;
use super::forest::Forest;
use super::tree::{self, INDENT};
use crate::context::identity::SpanContext;
use crate::span::handle::Status;

pub(super) fn draw(forest: &Forest) -> String {
    let numbers = Numbers::of(forest);
    let mut lines = Vec::new();
    for (place, depth) in forest.walk() {
        let indent = INDENT.repeat(depth);
        lines.push(indent.clone() + &line(forest, place));
        let details = details(forest.entry(place));
        lines.extend(details.map(|detail| [&indent, INDENT, &detail].concat()));
    }
    lines.extend(tree::strays(forest));
    numbers.instead_of_ids(&lines.join("\n"))
}

fn line(forest: &Forest, place: usize) -> String {
    let entry = forest.entry(place);
    let mut words = vec![
        entry.identity.span_id().to_string(),
        tree::one_line(&entry.name),
    ];
    words.extend(tree::facts(entry));
    words.extend(
        entry
            .links
            .iter()
            .map(|link| format!("^{}", link.span_id())),
    );
    if forest.parent(place).is_none() {
        words.insert(0, entry.identity.trace_id().to_string());
        if entry.parent.is_valid() {
            words.push(format!("below {}", entry.parent.span_id()));
        }
    }
    if entry.end.is_none() {
        words.push("(open)".to_owned());
    }
    words.join(" ")
}

/// What the tree has no place for: the status's text, and the events.
fn details(entry: &Entry) -> impl Iterator<Item = String> {
    let status = match &entry.status {
        Status::Error(text) if !text.is_empty() => Some(format!("! {}", tree::one_line(text))),
        Status::Ok => Some("ok".to_owned()),
        Status::Error(_) | Status::Unset => None,
    };
    let events = entry.events.iter().map(|event| {
        let mut words = vec!["•".to_owned(), tree::one_line(&event.name)];
        words.extend(event.attributes.iter().map(tree::pair));
        words.join(" ")
    });
    status.into_iter().chain(events)
}

/// The ids that are known, in the order in which they are drawn; then those of other places.
struct Numbers {
    traces: HashMap<u128, usize>,
    spans: HashMap<u64, usize>,
}

impl Numbers {
    fn of(forest: &Forest) -> Self {
        let mut numbers = Numbers {
            traces: HashMap::new(),
            spans: HashMap::new(),
        };
        let walk = forest.walk();
        let entries = || walk.iter().map(|(place, _)| forest.entry(*place));
        entries().for_each(|entry| numbers.add(&entry.identity));
        for entry in entries() {
            let others = entry.links.iter().chain([&entry.parent]);
            others
                .filter(|other| other.is_valid())
                .for_each(|other| numbers.add(other));
        }
        numbers
    }

    fn add(&mut self, identity: &SpanContext) {
        let trace = u128::from_be_bytes(identity.trace_id().to_bytes());
        let next = self.traces.len() + 1;
        self.traces.entry(trace).or_insert(next);
        let span = u64::from_be_bytes(identity.span_id().to_bytes());
        let next = self.spans.len() + 1;
        self.spans.entry(span).or_insert(next);
    }

    /// All ids, also in values such as that of a `traceparent`.
    fn instead_of_ids(&self, text: &str) -> String {
        let is_digit = |letter: char| letter.is_ascii_hexdigit();
        let mut redacted = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find(is_digit) {
            let (before, digits) = rest.split_at(start);
            let end = digits.find(|letter| !is_digit(letter));
            let (digits, after) = digits.split_at(end.unwrap_or(digits.len()));
            redacted.push_str(before);
            match self.instead_of(digits) {
                Some(number) => redacted.push_str(&number),
                None => redacted.push_str(digits),
            }
            rest = after;
        }
        redacted + rest
    }

    fn instead_of(&self, digits: &str) -> Option<String> {
        match digits.len() {
            32 => {
                let number = self.traces.get(&u128::from_str_radix(digits, 16).ok()?)?;
                Some(format!("<trace {number}>"))
            }
            16 => {
                let number = self.spans.get(&u64::from_str_radix(digits, 16).ok()?)?;
                Some(format!("<span {number}>"))
            }
            _ => None,
        }
    }
}
