//! What a function does: control flow, coercions, drops, panics, lints.

#![deny(warnings, unfulfilled_lint_expectations)]

use std::cell::Cell;
use std::error::Error;
use std::fmt::Display;
use std::future::Future;
use std::num::ParseIntError;
use std::panic::catch_unwind;
use std::pin::Pin;

use enter_span::enter_span;
use enter_span::testing::Recorder;
use tokio::task::yield_now;

use crate::support::check::{block_on, check, check_async};
use crate::support::drops::{Noisy, assert_drops, take_log, twins};

/// Early `return` in sync with result capture.
#[test]
fn early_returns_are_read_like_late_ones() {
    #[enter_span(ret)]
    fn now(n: u32) -> Result<u32, String> {
        for i in 0..n {
            if i == 2 {
                return Err(String::from("too many"));
            }
        }
        if n == 0 {
            return Ok(10);
        }
        Ok(n)
    }
    #[enter_span(ret)]
    async fn later(n: u32) -> Result<u32, String> {
        yield_now().await;
        if n > 2 {
            return Err(String::from("too many"));
        }
        Ok(n)
    }

    check_async(
        async {
            assert_eq!(now(0), Ok(10));
            assert_eq!(now(1), Ok(1));
            assert_eq!(now(3), Err(String::from("too many")));
            assert_eq!(later(1).await, Ok(1));
            assert!(later(3).await.is_err());
        },
        "
            now return=10
            now return=1
            now !String
            later return=1
            later !String
        ",
    );
}

/// `?`, sync and async, with a conversion of the error.
#[test]
fn question_marks_leave_the_function_and_convert() {
    #[enter_span]
    fn number(text: &str) -> Result<u32, ParseIntError> {
        Ok(text.parse::<u32>()? + 1)
    }
    #[enter_span]
    fn boxed(text: &str) -> Result<u32, Box<dyn Error>> {
        let n = number(text)?;
        Ok(n)
    }
    #[enter_span]
    async fn later(text: &str) -> Result<u32, Box<dyn Error + Send + Sync>> {
        yield_now().await;
        let n = number(text)?;
        if n == 2 {
            Err("two")?;
        }
        Ok(n)
    }
    #[enter_span]
    fn first(list: &[u32]) -> Option<u32> {
        let first = list.first()?;
        Some(*first)
    }

    check_async(
        async {
            assert_eq!(boxed("1").unwrap(), 2);
            assert!(boxed("x").is_err());
            assert!(later("x").await.is_err());
            assert_eq!(later("2").await.unwrap(), 3);
            assert_eq!(first(&[]), None);
        },
        "
            boxed
              number
            boxed !ParseIntError
              number !ParseIntError
            later !ParseIntError
              number !ParseIntError
            later
              number
            first
        ",
    );
}

/// `-> Result<Pin<Box<dyn Future>>, E>`: an unsize coercion inside of `Ok`, here behind an
/// alias, since a future inside of a spelled `Result` is refused.
#[test]
fn coercions_inside_of_ok_are_kept() {
    type Made<T> = Result<T, String>;
    type Shown = Box<dyn Display>;

    #[enter_span]
    fn now(n: u32) -> Result<Box<dyn Display>, String> {
        if n == 0 {
            return Err(String::from("zero"));
        }
        Ok(Box::new(n))
    }
    #[enter_span]
    fn aliased(n: u32) -> Made<Shown> {
        match n {
            0 => Ok(Box::new("zero")),
            n => Ok(Box::new(n)),
        }
    }
    #[enter_span]
    async fn later(n: u32) -> Result<Pin<Box<dyn Future<Output = u32>>>, String> {
        yield_now().await;
        Ok(Box::pin(async move { n }))
    }
    #[enter_span]
    async fn shown_later(n: u32) -> Option<Box<dyn Display + Send>> {
        yield_now().await;
        if n == 0 {
            return Some(Box::new("zero"));
        }
        Some(Box::new(n))
    }

    check_async(
        async {
            assert_eq!(now(1).unwrap().to_string(), "1");
            assert!(now(0).is_err());
            assert_eq!(aliased(0).unwrap().to_string(), "zero");
            assert_eq!(later(3).await.unwrap().await, 3);
            assert_eq!(shown_later(0).await.unwrap().to_string(), "zero");
        },
        "
            now
            now !String
            aliased
            later
            shown_later
        ",
    );
}

/// `-> Box<dyn Trait>` and `-> impl Trait`; `-> impl Trait` inside `Result<impl Trait, E>`.
#[test]
fn the_returned_type_drives_coercion_and_stays_opaque() {
    #[enter_span]
    fn boxed<'a>(text: &'a str) -> Box<dyn Fn(u32) -> String + 'a> {
        if text.is_empty() {
            return Box::new(|n| n.to_string());
        }
        Box::new(move |n| format!("{text}{n}"))
    }
    #[enter_span]
    fn opaque(list: &[u32]) -> impl Iterator<Item = u32> + '_ {
        list.iter().map(|n| n + 1)
    }
    #[enter_span(ret(size = |list| list.len()))]
    fn inside(text: &str) -> Result<impl ExactSizeIterator<Item = u8> + '_, String> {
        if text.is_empty() {
            return Err(String::from("empty"));
        }
        Ok(text.as_bytes().iter().copied())
    }
    #[enter_span]
    async fn opaque_later(n: u32) -> impl Display {
        yield_now().await;
        n
    }
    #[enter_span]
    async fn inside_later(n: u32) -> Result<impl Display, String> {
        yield_now().await;
        if n == 0 {
            return Err(String::from("zero"));
        }
        Ok(n)
    }
    #[enter_span]
    fn several() -> (impl Display, impl Fn() -> u32) {
        (1, || 2)
    }

    check_async(
        async {
            assert_eq!(boxed("a")(1), "a1");
            assert_eq!(opaque(&[1, 2]).sum::<u32>(), 5);
            assert_eq!(inside("abc").unwrap().len(), 3);
            assert!(inside("").is_err());
            assert_eq!(opaque_later(4).await.to_string(), "4");
            assert!(inside_later(0).await.is_err());
            assert_eq!(several().1(), 2);
        },
        "
            boxed
            opaque
            inside size=3
            inside !String
            opaque_later
            inside_later !String
            several
        ",
    );
}

/// `-> !`, sync and async; infinite loop without return type.
#[test]
fn functions_that_never_return_compile_and_end_by_a_panic() {
    #[enter_span]
    fn never() -> ! {
        panic!("never")
    }
    #[enter_span]
    async fn never_later() -> ! {
        yield_now().await;
        panic!("never")
    }
    #[enter_span]
    fn endless(turns: &Cell<u32>) {
        loop {
            turns.set(turns.get() + 1);
            assert!(turns.get() < 3, "enough");
        }
    }
    #[enter_span]
    async fn endless_later() {
        loop {
            yield_now().await;
        }
    }
    #[enter_span]
    fn sometimes(n: u32) -> u32 {
        match n {
            0 => never(),
            n => n,
        }
    }

    check(
        || {
            assert!(catch_unwind(|| never()).is_err());
            assert!(catch_unwind(|| block_on(never_later())).is_err());
            assert!(catch_unwind(|| endless(&Cell::new(0))).is_err());
            assert!(catch_unwind(|| sometimes(0)).is_err());
            assert_eq!(sometimes(1), 1);
            block_on(async {
                tokio::select! {
                    biased;
                    () = endless_later() => {}
                    () = yield_now() => {}
                }
            });
        },
        "
            never !panic
            never_later !panic
            endless !panic
            sometimes !panic
              never !panic
            sometimes
            endless_later ~cancelled
        ",
    );
}

/// Unit body, trailing `;`, missing `;`.
#[test]
fn unit_bodies_may_end_as_they_like() {
    #[enter_span]
    fn empty() {}
    #[enter_span]
    fn trailing() {
        empty();
    }
    #[enter_span]
    fn missing() {
        empty()
    }
    #[enter_span]
    #[expect(clippy::unused_unit, reason = "the spelling is under test")]
    fn spelled() -> () {
        empty();
    }
    #[enter_span]
    async fn later() {
        empty()
    }
    #[enter_span]
    async fn later_trailing() {
        empty();
    }

    check_async(
        async {
            trailing();
            missing();
            spelled();
            later().await;
            later_trailing().await;
        },
        "
            trailing
              empty
            missing
              empty
            spelled
              empty
            later
              empty
            later_trailing
              empty
        ",
    );
}

/// Unused result, `#[must_use]` type: the lint fires at the caller, and in the body.
#[test]
fn unused_results_are_still_reported() {
    #[must_use]
    struct Ticket;

    #[enter_span]
    fn ticket() -> Ticket {
        Ticket
    }
    #[enter_span]
    fn result() -> Result<(), String> {
        Ok(())
    }
    #[enter_span]
    async fn later() -> Ticket {
        #[expect(unused_must_use, reason = "the lint under test")]
        ticket();
        yield_now().await;
        Ticket
    }

    check_async(
        async {
            #[expect(unused_must_use, reason = "the lint under test")]
            result();
            #[expect(unused_must_use, reason = "the lint under test")]
            later().await;
            #[expect(unused_must_use, reason = "the lint under test")]
            later();
        },
        "
            result
            later
              ticket
        ",
    );
}

/// `let … else`, let chains: the body is opaque, so its syntax does not matter.
#[test]
fn the_syntax_of_the_body_does_not_matter() {
    #[enter_span]
    fn let_else(text: &str) -> u32 {
        let Ok(n) = text.parse() else {
            return 0;
        };
        n
    }
    #[enter_span]
    async fn labelled(list: &[Option<u32>]) -> u32 {
        let found = 'search: {
            for item in list {
                if let Some(n @ 2..=9) = item {
                    break 'search *n;
                }
            }
            0
        };
        let closure = async |n: u32| n + found;
        closure(1).await
    }
    #[enter_span]
    fn literals() -> (&'static std::ffi::CStr, usize) {
        let raw = r#"a "quoted" text"#;
        (c"text", raw.len() + b'a' as usize)
    }

    check_async(
        async {
            assert_eq!(let_else("x"), 0);
            assert_eq!(let_else("5"), 5);
            assert_eq!(labelled(&[None, Some(1), Some(3)]).await, 4);
            assert_eq!(literals(), (c"text", 112));
        },
        "
            let_else
            let_else
            labelled
            literals
        ",
    );
}

/// Inner attributes `#![allow(..)]` in body.
#[test]
fn inner_attributes_of_the_body_hold() {
    #[enter_span]
    fn now() -> u32 {
        #![expect(unused_variables, reason = "the attribute is under test")]
        #![expect(clippy::let_and_return, reason = "the attribute is under test")]
        let unused = 1;
        let two = 2;
        two
    }
    #[enter_span]
    async fn later() -> u32 {
        #![expect(unused_variables, reason = "the attribute is under test")]
        //! And this is a comment for the docs.
        let unused = 1;
        yield_now().await;
        3
    }

    check_async(
        async {
            assert_eq!(now(), 2);
            assert_eq!(later().await, 3);
        },
        "
            now
            later
        ",
    );
}

fn outer_name() -> u32 {
    1
}

/// Inner items, inner fn with same name, `use` in body.
#[test]
fn items_of_the_body_are_found_first() {
    #[enter_span]
    fn same() -> u32 {
        use std::convert::identity as outer_name;

        const SITE: u32 = 3;
        fn same() -> u32 {
            SITE
        }
        outer_name(same())
    }
    #[enter_span]
    async fn later() -> u32 {
        #[enter_span]
        async fn later() -> u32 {
            outer_name()
        }
        #[enter_span]
        fn another() -> u32 {
            outer_name()
        }
        later().await + another()
    }

    check_async(
        async {
            assert_eq!(same(), 3);
            assert_eq!(later().await, 2);
        },
        "
            same
            later
              later
              another
        ",
    );
}

struct Two(
    Noisy,
    #[expect(dead_code, reason = "only its destructor is of interest")] Noisy,
);

twins! { locals:
    pub(crate) fn run(argument: Noisy, moved: Noisy, pair: super::super::Two, early: bool) -> Option<Noisy> {
        let _first = Noisy("first");
        let moved = moved;
        let super::super::Two(taken, _) = pair;
        if early {
            return None;
        }
        let _ = Noisy("blank");
        log(argument.0);
        drop(taken);
        let _last = Noisy("last");
        Some(moved)
    }
}

twins! { locals_later:
    pub(crate) async fn run(argument: Noisy, moved: Noisy, early: bool) -> Option<Noisy> {
        let _first = Noisy("first");
        let moved = moved;
        tokio::task::yield_now().await;
        if early {
            return None;
        }
        let _ = Noisy("blank");
        log(argument.0);
        let _last = Noisy("last");
        Some(moved)
    }
}

const LATE: [&str; 8] = [
    "blank inside",
    "argument",
    "taken inside",
    "last inside",
    "first inside",
    "rest outside",
    "argument outside",
    "moved outside",
];

const EARLY: [&str; 5] = [
    "taken inside",
    "moved inside",
    "first inside",
    "rest outside",
    "argument outside",
];

/// Drop order: plain order for locals and arguments; the arguments drop after the span.
#[test]
fn locals_drop_inside_the_span_and_arguments_after_it() {
    type Run = fn(Noisy, Noisy, Two, bool) -> Option<Noisy>;
    let call = |run: Run, early| {
        let pair = Two(Noisy("taken"), Noisy("rest"));
        drop(run(Noisy("argument"), Noisy("moved"), pair, early));
        take_log()
    };
    for (early, expected) in [(false, &LATE[..]), (true, &EARLY[..])] {
        let plain = call(locals::plain::run, early);
        let spanned = Recorder::new().enter(|| call(locals::spanned::run, early));
        assert_drops(&plain, &spanned, expected);
    }
}

/// Drop order, in an `async fn`.
#[test]
fn async_locals_drop_inside_the_span_and_arguments_after_it() {
    let late = [
        "blank inside",
        "argument",
        "last inside",
        "first inside",
        "argument outside",
        "moved outside",
    ];
    let early = ["moved inside", "first inside", "argument outside"];
    for (leave, expected) in [(false, &late[..]), (true, &early[..])] {
        let plain = locals_later::plain::run(Noisy("argument"), Noisy("moved"), leave);
        drop(block_on(plain));
        let plain = take_log();
        let spanned = locals_later::spanned::run(Noisy("argument"), Noisy("moved"), leave);
        drop(block_on(Recorder::new().enter_async(spanned)));
        assert_drops(&plain, &take_log(), expected);
    }
}

/// Recursion, direct and mutual, `async` with `Box::pin`.
#[test]
fn recursion_nests() {
    #[enter_span(attributes(n))]
    fn direct(n: u32) -> u32 {
        match n {
            0 => 0,
            n => n + direct(n - 1),
        }
    }
    #[enter_span(attributes(n))]
    fn even(n: u32) -> bool {
        n == 0 || odd(n - 1)
    }
    #[enter_span(attributes(n))]
    fn odd(n: u32) -> bool {
        n != 0 && even(n - 1)
    }
    #[enter_span(attributes(n))]
    async fn later(n: u32) -> u32 {
        yield_now().await;
        match n {
            0 => 0,
            n => n + Box::pin(later(n - 1)).await,
        }
    }

    check_async(
        async {
            assert_eq!(direct(2), 3);
            assert!(even(2));
            assert_eq!(later(2).await, 3);
        },
        "
            direct n=2
              direct n=1
                direct n=0
            even n=2
              odd n=1
                even n=0
            later n=2
              later n=1
                later n=0
        ",
    );
}

/// Panics inside body: recorded, not swallowed, no `AssertUnwindSafe` asked of the user.
#[test]
fn panics_pass_unchanged_and_are_recorded() {
    #[enter_span]
    fn now(seen: &Cell<u32>, list: &mut Vec<u32>) -> u32 {
        list.push(1);
        seen.set(1);
        std::panic::panic_any(7_u8)
    }
    #[enter_span]
    async fn later(seen: &Cell<u32>) -> u32 {
        yield_now().await;
        seen.set(2);
        std::panic::panic_any(8_u8)
    }

    check(
        || {
            let thrown = catch_unwind(|| now(&Cell::new(0), &mut Vec::new())).unwrap_err();
            assert_eq!(thrown.downcast_ref(), Some(&7_u8));
            let thrown = catch_unwind(|| block_on(later(&Cell::new(0)))).unwrap_err();
            assert_eq!(thrown.downcast_ref(), Some(&8_u8));
        },
        "
            now !panic
            later !panic
        ",
    );
}

/// Panics during unwinding: a destructor with a span does not abort, and did not panic.
#[test]
fn spans_of_destructors_during_unwinding_are_ordinary() {
    struct Closing;

    impl Drop for Closing {
        #[enter_span]
        fn drop(&mut self) {
            flush();
            assert!(catch_unwind(fails).is_err());
        }
    }

    #[enter_span]
    fn flush() {}
    #[enter_span]
    fn fails() {
        panic!("in a destructor")
    }
    #[enter_span]
    fn work() {
        let _closing = Closing;
        panic!("in the body")
    }

    check(
        || assert!(catch_unwind(work).is_err()),
        "
            work !panic
              drop
                flush
                fails !panic
        ",
    );
}

/// Nested `#[enter_span]` fns, and bodies that are very large.
#[test]
fn large_bodies_and_deep_nesting_compile() {
    macro_rules! many {
        ($n:expr; $($more:tt)*) => { many!($n + 1; $($more)* $($more)*) };
        () => {};
    }
    macro_rules! nested {
        ($($inner:tt)*) => {
            #[enter_span]
            async fn one() -> u32 {
                #[enter_span]
                async fn two() -> u32 {
                    #[enter_span]
                    async fn three() -> u32 {
                        #[enter_span]
                        async fn four() -> u32 {
                            0 $($inner)*
                        }
                        yield_now().await;
                        four().await
                    }
                    yield_now().await;
                    three().await
                }
                yield_now().await;
                two().await
            }
        };
    }
    macro_rules! doubled {
        ([] $($tokens:tt)*) => { nested! { $($tokens)* } };
        ([$_:tt $($left:tt)*] $($tokens:tt)*) => { doubled! { [$($left)*] $($tokens)* $($tokens)* } };
    }
    many!();
    doubled! { [x x x x x x] + 1 + 1 }

    check_async(
        async { assert_eq!(one().await, 128) },
        "
            one
              two
                three
                  four
        ",
    );
}

/// `#[test]` under the attribute: it runs once, as a test, without a provider.
#[enter_span]
#[test]
fn a_test_can_have_a_span() {
    assert!(!enter_span::is_traced());
}

/// `#[test]` above the attribute, with a result.
#[test]
#[enter_span]
#[should_panic(expected = "it is one")]
fn a_test_above_the_attribute_can_have_a_span() {
    panic!("it is one");
}

/// Dead code: a never-called annotated fn is still reported as dead: the expectations are
/// fulfilled only if the lint fires.
mod dead {
    use enter_span::enter_span;

    #[enter_span]
    #[expect(dead_code, reason = "the lint under test")]
    fn never_called() {}

    #[enter_span]
    #[expect(dead_code, reason = "the lint under test")]
    async fn never_called_later() {}

    pub(super) struct Type;

    impl Type {
        #[enter_span]
        #[expect(dead_code, reason = "the lint under test")]
        fn never_called(&self) {}
    }

    #[enter_span]
    impl Type {
        #[expect(dead_code, reason = "the lint under test")]
        fn never_called_too(&self) {}

        pub(super) fn called(&self) {}
    }
}

/// Dead code beside code that lives.
#[test]
fn what_is_called_is_not_dead() {
    check(|| dead::Type.called(), "Type::called");
}

/// Lints of the body still fire: unused variables, unreachable code, assignments never read.
#[test]
fn lints_of_the_body_still_fire() {
    #[enter_span]
    fn now() -> u32 {
        #[expect(unused_variables, reason = "the lint under test")]
        let unused = 1;
        #[expect(unused_mut, reason = "the lint under test")]
        let mut two = 2;
        return two;
        #[expect(unreachable_code, reason = "the lint under test")]
        two
    }
    #[enter_span]
    async fn later() -> u32 {
        #[expect(unused_variables, reason = "the lint under test")]
        let unused = 1;
        #[expect(unused_assignments, reason = "the lint under test")]
        let mut n = 2;
        n = 3;
        return n;
        #[expect(unreachable_code, reason = "the lint under test")]
        n
    }

    check_async(
        async {
            assert_eq!(now(), 2);
            assert_eq!(later().await, 3);
        },
        "
            now
            later
        ",
    );
}
