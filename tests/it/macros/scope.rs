//! What generated code shares a scope with: the user's names, constants, methods and closures.

use enter_span::{enter_span, in_span};

use crate::support::check::{check, check_async};

/// A method of everything, in scope where the span's own readings are called.
trait Everywhere {
    fn read(&self) -> u32 {
        1
    }

    fn kind(&self) -> u32 {
        2
    }

    fn success(&self) -> u32 {
        3
    }
}

impl<T: ?Sized> Everywhere for T {}

/// Methods of the user's that everything has are not taken for ours.
#[test]
fn methods_that_everything_has_are_not_met() {
    #[enter_span(ret)]
    fn parse(text: &str) -> Result<u8, std::num::ParseIntError> {
        text.parse()
    }
    check(
        || {
            let _ = (parse("1"), parse("x"));
            assert_eq!(
                in_span!("block", |span| span.read() + 1.kind() + 1.success()),
                6
            );
        },
        "
        parse return=1
        parse !ParseIntError
        block
        ",
    );
}

#[expect(non_upper_case_globals, reason = "as hostile as a constant can be")]
const entered: u32 = 1;
#[expect(non_upper_case_globals, reason = "as hostile as a constant can be")]
const value: u32 = 2;

/// A constant of the user's is not taken for a pattern of ours.
#[test]
fn constants_named_like_locals_are_not_met() {
    #[enter_span(attributes(sum = entered + value), ret(doubled = |sum| sum * 2))]
    fn sum() -> u32 {
        entered + value
    }
    check(sum, "sum sum=3 doubled=6");
}

/// `ret` may name an argument, also one that the body has borrowed or changed.
#[test]
fn projections_may_name_arguments() {
    #[enter_span(ret(over = |total| *total > limit, last = |_| items.len()))]
    fn now(mut items: Vec<u64>, limit: u64) -> u64 {
        items.push(1);
        items.iter().sum()
    }
    #[enter_span(ret(over = |total| *total > limit, last = |_| items.len()), err = |_| limit > 1)]
    async fn later(mut items: Vec<u64>, limit: u64) -> Result<u64, String> {
        items.push(1);
        tokio::task::yield_now().await;
        match limit {
            0 => Err("no limit".to_owned()),
            _ => Ok(items.iter().sum()),
        }
    }
    check_async(
        async {
            now(vec![2, 3], 5);
            let _ = later(vec![2, 3], 6).await;
            let _ = later(vec![2, 3], 0).await;
        },
        "
        now over=true last=3
        later over=false last=3
        later
        ",
    );
}

/// `err` for a whole `impl` means the methods that can fail.
#[test]
fn err_on_an_impl_leaves_other_methods_alone() {
    struct Cart;
    #[enter_span(err = type, kind = client)]
    impl Cart {
        fn count(&self) -> u32 {
            3
        }
        fn clear(&self) {}
        #[enter_span(kind = server)]
        fn pay(&self) -> Result<(), String> {
            Err("no card".to_owned())
        }
        const fn size() -> usize {
            8
        }
    }
    let trace = check(
        || {
            Cart.count();
            Cart.clear();
            let _ = Cart.pay();
            Cart::size();
        },
        "
        Cart::count [client]
        Cart::clear [client]
        Cart::pay [server] !String
        ",
    );
    let status = trace.find("Cart::pay").status().clone();
    assert_eq!(status, enter_span::Status::error(""));
}

/// A raw identifier is a name without its `r#`, in types as well.
#[test]
fn raw_types_and_methods_have_plain_names() {
    #[expect(non_camel_case_types, reason = "it needs a raw identifier")]
    struct r#type;
    #[enter_span]
    impl r#type {
        fn r#match(&self) {}
    }
    check(|| r#type.r#match(), "type::match");
}

/// An argument that is not there is not named.
#[test]
fn arguments_may_be_conditional() {
    #[enter_span(attributes(here))]
    async fn conditional(here: u32, #[cfg(any())] gone: Missing) -> u32 {
        #[cfg(any())]
        drop(gone);
        here
    }
    check_async(conditional(1), "conditional here=1");
}

/// An argument that only a text has the name of is still unused.
#[test]
fn a_word_in_a_text_is_no_use_of_an_argument() {
    #[expect(unused_variables, reason = "the lint is the test")]
    #[enter_span]
    async fn named(input: u32) -> &'static str {
        "input"
    }
    check_async(named(1), "named");
}

macro_rules! measured {
    ($name:expr, $closure:expr) => {
        in_span!($name, $closure)
    };
}

/// A closure that came through a macro is a closure.
#[test]
fn a_closure_may_come_through_a_macro() {
    check_async(
        async {
            assert_eq!(measured!("now", |_| 1), 1);
            assert_eq!(measured!("later", async |_| 2).await, 2);
        },
        "
        now
        later
        ",
    );
}

/// A closure that gives no value says nothing, and compiles.
#[test]
fn a_block_may_diverge() {
    fn stops() -> u8 {
        in_span!("stops", |_| panic!("on purpose"))
    }
    check(
        || assert!(std::panic::catch_unwind(stops).is_err()),
        "stops !panic",
    );
}
