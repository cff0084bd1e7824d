//! The mode, and its variable.

use enter_span::invocation::{Invocation, Message, TraceMode};

use crate::support::child::{errors_of_child, is_child_with};

/// Nothing and an empty value mean linked; the exact word means continuous.
#[test]
fn the_variable_says_the_mode() {
    let cases = [
        ("", "linked"),
        ("linked", "linked"),
        ("continuous", "continuous"),
        ("Continuous", "linked"),
        (" continuous", "linked"),
    ];
    for (value, expected) in cases {
        let variables = [("ENTER_SPAN_TRACE_MODE", value), ("EXPECTED", expected)];
        if is_child_with("invocation::mode::the_variable_says_the_mode", &variables) {
            let expected = std::env::var("EXPECTED").expect("a mode");
            assert_eq!(TraceMode::from_env().to_string(), expected);
            let invocation = Invocation::of(&Message::default());
            assert_eq!(invocation.mode().to_string(), expected);
            // What is said in code holds.
            let said = invocation.with_mode(TraceMode::Continuous);
            assert_eq!(said.mode(), TraceMode::Continuous);
            return;
        }
    }
}

/// A typo is told once for each distinct value, with what it is and what is accepted.
#[test]
fn an_unknown_value_is_told_once() {
    let test = "invocation::mode::an_unknown_value_is_told_once";
    let Some(errors) = errors_of_child(test, &[("ENTER_SPAN_TRACE_MODE", "continous\u{1b}[31m")])
    else {
        assert_eq!(TraceMode::from_env(), TraceMode::Linked);
        assert_eq!(TraceMode::from_env(), TraceMode::Linked);
        return;
    };
    let warnings: Vec<&str> = errors
        .lines()
        .filter(|line| line.contains("ENTER_SPAN_TRACE_MODE"))
        .collect();
    let [warning] = &*warnings else {
        panic!("one warning, and not {warnings:?}");
    };
    for expected in ["continous\\u{1b}[31m", "`linked`", "`continuous`"] {
        assert!(warning.contains(expected), "{expected}: {warning}");
    }
}

#[test]
fn a_mode_is_parsed_strictly() {
    assert_eq!("linked".parse(), Ok(TraceMode::Linked));
    assert_eq!("continuous".parse(), Ok(TraceMode::Continuous));
    let unknown = "continous".parse::<TraceMode>().expect_err("a typo");
    let text = "\"continous\" is no trace mode; write `linked` or `continuous`";
    assert_eq!(unknown.to_string(), text);
    assert!("".parse::<TraceMode>().is_err());
}
