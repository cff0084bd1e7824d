//! Arbitrary carriers and messages, as lines of text, as maps and as headers: never a panic, and what is
//! written is read as it was.

#![no_main]

use enter_span::invocation::{Carrier, Invocation, Message, NextMessage, TraceMode};
use libfuzzer_sys::fuzz_target;

type Entries = Vec<(String, String)>;

/// Lines of a name and a value, with a `:` between them.
fn entries(input: &str) -> Entries {
    let lines = input.lines().filter_map(|line| line.split_once(':'));
    lines
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn is_one_line(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// As text, and as a map, it is the same again.
fn check_carrier(carrier: &Carrier) {
    let line = carrier.to_string();
    assert!(is_one_line(&line), "{line}");
    assert_eq!(line.parse().as_ref(), Ok(carrier));
    assert_eq!(&Carrier::from_iter(carrier.iter()), carrier);
    let json = serde_json::to_string(carrier).expect("a map of texts");
    // Of a name that is there twice, every value stays.
    assert_eq!(&serde_json::from_str::<Carrier>(&json).expect("a map"), carrier);
}

/// Linked, since what was received goes on to the letter.
fn next_message(message: &Message) -> NextMessage {
    let invocation = Invocation::of(message).with_mode(TraceMode::Linked);
    invocation.next_message()
}

/// What is handed on is read as it was sent, in each of its forms, and is handed on again as it came.
fn check_message(message: &Message) {
    check_carrier(message.delivery());
    check_carrier(message.origin());
    let next = next_message(message);
    let line = next.to_string();
    assert!(is_one_line(&line), "{line}");
    let json = serde_json::to_string(&next).expect("a map of texts");
    let mut headers = Entries::new();
    next.write(&mut headers);
    let forms: [Message; 3] = [
        line.parse().unwrap_or_default(),
        next.iter().collect(),
        serde_json::from_str(&json).expect("a map"),
    ];
    for form in &forms {
        assert_eq!(form, &forms[0]);
        assert_eq!(form.delivery(), next.delivery());
        assert_eq!(form.origin(), next.origin());
    }
    let again = next_message(&forms[0]);
    assert_eq!(again.origin(), next.origin());
    let received = Message::read(&headers);
    assert_eq!(
        received.origin().remote().span_context(),
        next.origin().remote().span_context(),
    );
}

fuzz_target!(|input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    let entries = entries(&text);
    check_carrier(&text.parse().unwrap_or_default());
    check_carrier(&entries.iter().map(|(name, value)| (name, value)).collect());
    check_message(&text.parse().unwrap_or_default());
    check_message(&entries.iter().map(|(name, value)| (name, value)).collect());
    check_message(&Message::read(&entries));
    let _ = serde_json::from_slice::<Carrier>(input);
    let _ = serde_json::from_slice::<Message>(input);
});
