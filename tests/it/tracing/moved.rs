//! The pairs of snippets in `docs/from-tracing.md` make the same spans.

use enter_span::Status;

/// A snippet of the page, and a call of it.
macro_rules! snippet {
    ($name:ident $path:literal, |$argument:ident: $ty:ty| $call:expr) => {
        mod $name {
            include!($path);

            pub(super) fn record($argument: $ty) -> enter_span::testing::Trace {
                super::super::record_async($call)
            }

            #[test]
            fn is_on_the_page() {
                let page = include_str!("../../../docs/from-tracing.md");
                assert!(page.contains(include_str!($path)));
            }
        }
    };
}

snippet!(function_before "moved/before.rs", |amount: &str| charge(7, amount, "4000"));
snippet!(function_after "moved/after.rs", |amount: &str| charge(7, amount, "4000"));
snippet!(body_before "moved/body_before.rs", |rows: usize| import(rows));
snippet!(body_after "moved/body_after.rs", |rows: usize| import(rows));

#[test]
fn a_function_that_moved_has_the_same_span() {
    for record in [function_before::record, function_after::record] {
        let trace = record("1250");
        trace.assert_tree("charge order=7 amount=1250 currency=EUR cents=1250");
        trace
            .find("charge")
            .assert_event("charged", [("digits", 4)])
            .assert_succeeded();
    }
}

#[test]
fn a_function_that_moved_fails_as_before() {
    for record in [function_before::record, function_after::record] {
        let failed = Status::error("invalid digit found in string");
        record("x").find("charge").assert_status(&failed);
    }
}

#[test]
fn spans_in_a_body_that_moved_are_the_same() {
    for record in [body_before::record, body_after::record] {
        record(2).assert_tree("check rows=2\nload rows=2");
    }
}
