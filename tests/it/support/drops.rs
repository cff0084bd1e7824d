//! What is dropped, in which order, and whether a span is current at that moment.

use std::cell::RefCell;
use std::mem;

use enter_span::Span;

thread_local! {
    static LOG: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Says when it is dropped.
pub(crate) struct Noisy(pub(crate) &'static str);

impl Drop for Noisy {
    fn drop(&mut self) {
        let place = if Span::current().is_traced() {
            "inside"
        } else {
            "outside"
        };
        log(format!("{} {place}", self.0));
    }
}

pub(crate) fn log(event: impl Into<String>) {
    LOG.with_borrow_mut(|log| log.push(event.into()));
}

/// What was logged on this thread since the last call.
pub(crate) fn take_log() -> Vec<String> {
    LOG.with_borrow_mut(mem::take)
}

/// Compares what was logged with and without a span: the same order, and these places.
#[track_caller]
pub(crate) fn assert_drops(plain: &[String], spanned: &[String], expected: &[&str]) {
    fn name(event: &str) -> &str {
        event.split(' ').next().unwrap_or_default()
    }
    let plain: Vec<&str> = plain.iter().map(|event| name(event)).collect();
    let names: Vec<&str> = expected.iter().map(|event| name(event)).collect();
    assert_eq!(plain, names, "the order of the plain function");
    assert_eq!(spanned, expected, "the function with a span");
}

/// The same function twice: as `plain::run`, and with a span as `spanned::run`.
macro_rules! twins {
    ($name:ident: $($function:tt)*) => {
        mod $name {
            pub(super) mod plain {
                use crate::support::drops::*;

                $($function)*
            }

            pub(super) mod spanned {
                use crate::support::drops::*;

                #[enter_span::enter_span]
                $($function)*
            }
        }
    };
}

pub(crate) use twins;
