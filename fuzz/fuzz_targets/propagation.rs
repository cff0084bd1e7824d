//! Arbitrary bytes as headers: never a panic, and what is accepted comes through a second process as it
//! came through the first.
//!
//! The input is lines; the first byte of a line says which header the rest is the value of.

#![no_main]

use enter_span::invocation::display_name;
use enter_span::propagation::{Propagator, Remote};
use libfuzzer_sys::fuzz_target;

type Headers = Vec<(&'static str, Vec<u8>)>;

const KEYS: [&str; 4] = ["a", "b", "tenant", "%"];

fn headers(input: &[u8]) -> Headers {
    let lines = input.split(|byte| *byte == b'\n');
    let header = |line: &[u8]| {
        let (first, value) = line.split_first()?;
        let name = match first % 3 {
            0 => "traceparent",
            1 => "tracestate",
            _ => "baggage",
        };
        Some((name, value.to_vec()))
    };
    lines.filter_map(header).collect()
}

fn pass(propagator: &Propagator, received: &Headers) -> (Remote, Headers) {
    let remote = propagator.extract(received);
    let mut sent = Headers::new();
    propagator.inject_context_of(&remote.context(), &mut sent);
    (remote, sent)
}

fuzz_target!(|input: &[u8]| {
    let propagator = Propagator::new().with_baggage_keys(KEYS);
    let (first, sent) = pass(&propagator, &headers(input));
    let (second, again) = pass(&propagator, &sent);
    assert_eq!(sent, again);
    assert_eq!(first.span_context(), second.span_context());
    assert_eq!(first.is_valid(), !sent.is_empty());
    for (_, value) in &sent {
        assert!(value.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t')));
    }
    if let Ok(name) = std::str::from_utf8(input) {
        assert!(name.contains(&*display_name(name)));
    }
});
