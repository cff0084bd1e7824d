//! Other macros beside ours, code that macros write, and the crates that stand between.

use std::borrow::Cow;
use std::fmt;
use std::process::Command;
use std::sync::Arc;

use enter_span::{ToAttribute, Value, enter_span, in_span};
use futures::future::BoxFuture;

use crate::support::check::{check, check_async};

#[enter_span(attributes(n))]
async fn step(n: u8) -> u8 {
    tokio::task::yield_now().await;
    n
}

#[tokio::main(flavor = "current_thread")]
#[enter_span]
async fn main_above() -> Result<u8, String> {
    Ok(step(1).await)
}

#[enter_span]
#[tokio::main(flavor = "current_thread")]
async fn main_below() -> Result<u8, String> {
    Err(step(2).await.to_string())
}

#[tokio::main]
#[enter_span(kind = server)]
async fn main_of_many_threads() {
    step(3).await;
}

/// `#[tokio::main]` on either side.
#[test]
fn a_runtime_is_made_around_or_inside_of_the_span() {
    check(
        || {
            assert_eq!(main_above(), Ok(1));
            assert!(main_below().is_err());
            main_of_many_threads();
        },
        "
        main_above
          step n=1
        main_below !String
          step n=2
        main_of_many_threads [server]
          step n=3
        ",
    );
}

/// Annotated tests. They run by themselves, and are called below to see their spans.
///
/// `#[rstest]` and `#[test_case]` move what stands below them to the function of each case, which
/// has no arguments and cannot be called from here.
mod annotated {
    use enter_span::enter_span;
    use rstest::rstest;
    use test_case::test_case;

    use super::step;

    #[test]
    #[enter_span]
    fn below_test() {}

    #[enter_span]
    #[test]
    fn above_test() -> Result<(), String> {
        Ok(())
    }

    #[tokio::test]
    #[enter_span]
    async fn below_tokio_test() {
        step(1).await;
    }

    #[enter_span]
    #[tokio::test]
    async fn above_tokio_test() -> Result<(), String> {
        step(2).await;
        Ok(())
    }

    #[test]
    #[should_panic(expected = "as told")]
    #[enter_span]
    fn below_should_panic() {
        std::panic::panic_any("as told");
    }

    #[enter_span]
    #[test]
    #[should_panic(expected = "as told")]
    fn above_should_panic() {
        std::panic::panic_any("as told");
    }

    #[rstest]
    #[case(1)]
    #[case(2)]
    #[enter_span]
    fn below_rstest(#[case] n: u8) {
        assert!(n < 3);
    }

    #[enter_span(attributes(n))]
    #[rstest]
    fn above_rstest(#[values(1, 2)] n: u8) {
        assert!(n < 3);
    }

    #[test_case(1; "one")]
    #[test_case(2; "two")]
    #[enter_span]
    fn below_test_case(n: u8) {
        assert!(n < 3);
    }

    #[enter_span(attributes(n))]
    #[test_case(1; "one")]
    #[test_case(2; "two")]
    fn above_test_case(n: u8) {
        assert!(n < 3);
    }

    /// `#[test]`, `#[tokio::test]`, `#[rstest]`, `#[test_case]` on either side.
    #[test]
    fn they_are_spans() {
        crate::support::check::check(
            || {
                below_test();
                assert!(above_test().is_ok());
                below_tokio_test();
                assert!(above_tokio_test().is_ok());
                above_test_case(2);
            },
            "
            below_test
            above_test
            below_tokio_test
              step n=1
            above_tokio_test
              step n=2
            above_test_case n=2
            ",
        );
    }
}

/// No test is lost or doubled by the attribute, `#[should_panic]` included.
#[test]
fn an_annotated_test_is_listed_once() {
    let binary = std::env::current_exe().expect("this binary");
    let listed = Command::new(binary)
        .args(["--list", "macros::neighbours::annotated::"])
        .output()
        .expect("a list of tests");
    let listed = String::from_utf8_lossy(&listed.stdout);
    let mut names: Vec<&str> = listed
        .lines()
        .filter_map(|line| {
            line.strip_prefix("macros::neighbours::annotated::")?
                .strip_suffix(": test")
        })
        .collect();
    names.sort_unstable();
    let expected = [
        "above_rstest::n_1_1",
        "above_rstest::n_2_2",
        "above_should_panic",
        "above_test",
        "above_test_case::test_case_1_one",
        "above_test_case::test_case_2_two",
        "above_tokio_test",
        "below_rstest::case_1",
        "below_rstest::case_2",
        "below_should_panic",
        "below_test",
        "below_test_case::test_case_1_one",
        "below_test_case::test_case_2_two",
        "below_tokio_test",
        "they_are_spans",
    ];
    assert_eq!(names, expected);
}

#[axum::debug_handler]
#[enter_span(kind = server, attributes(body.len = body.len()))]
async fn handler(body: String) -> Result<String, axum::http::StatusCode> {
    step(1).await;
    Err(axum::http::StatusCode::NOT_FOUND)
}

#[enter_span(kind = server)]
#[axum::debug_handler]
async fn handler_below(axum::extract::Path(id): axum::extract::Path<u8>) -> String {
    step(id).await.to_string()
}

/// `#[axum::debug_handler]`: the plain signature is left, on either side.
#[test]
fn a_handler_stays_a_handler() {
    fn assert_handler<T, H: axum::handler::Handler<T, ()>>(_: H) {}
    assert_handler(handler);
    assert_handler(handler_below);
    check_async(
        async {
            assert!(handler("body".into()).await.is_err());
            handler_below(axum::extract::Path(2)).await
        },
        "
        handler [server] body.len=4 !StatusCode
          step n=1
        handler_below [server]
          step n=2
        ",
    );
}

#[async_recursion::async_recursion]
#[enter_span(attributes(n))]
async fn counts_down(n: u8) -> u8 {
    match n {
        0 => 0,
        n => counts_down(n - 1).await,
    }
}

#[enter_span(attributes(n))]
#[async_recursion::async_recursion]
async fn counts_up<'a>(n: u8, text: &'a str) -> &'a str {
    match n {
        2 => text,
        n => counts_up(n + 1, text).await,
    }
}

/// Other wrappers: the second macro sees what the first has made.
#[test]
fn a_macro_that_boxes_is_around_or_inside_of_the_span() {
    check_async(
        async { (counts_down(1).await, counts_up(1, "end").await) },
        "
        counts_down n=1
          counts_down n=0
        counts_up n=1
          counts_up n=2
        ",
    );
}

/// Writes a function around another, as `#[cached]` and `#[autometrics]` do.
macro_rules! kept {
    ($(#[$attr:meta])* $vis:vis fn $name:ident($arg:ident: $ty:ty) -> $ret:ty $body:block) => {
        $(#[$attr])*
        $vis fn $name($arg: $ty) -> $ret {
            thread_local! {
                static KEPT: std::cell::RefCell<Vec<($ty, $ret)>> =
                    const { std::cell::RefCell::new(Vec::new()) };
            }
            $(#[$attr])*
            fn original($arg: $ty) -> $ret $body
            let known = |kept: &[($ty, $ret)]| {
                kept.iter().find(|(known, _)| *known == $arg).map(|(_, value)| value.clone())
            };
            KEPT.with_borrow(|kept| known(kept)).unwrap_or_else(|| {
                let value = original($arg);
                KEPT.with_borrow_mut(|kept| kept.push(($arg, value.clone())));
                value
            })
        }
    };
}

kept! {
    /// Doubles a number, once.
    #[enter_span(attributes(n))]
    pub(crate) fn doubled(n: u8) -> Result<u8, String> {
        n.checked_mul(2).ok_or_else(|| "too large".to_owned())
    }
}

/// `#[cached]`-like wrappers that copy attributes and bodies.
#[test]
fn a_wrapper_and_what_it_wraps_can_both_be_spans() {
    check(
        || {
            assert_eq!(doubled(1), Ok(2));
            assert_eq!(doubled(1), Ok(2));
            assert!(doubled(200).is_err());
        },
        "
        doubled n=1
          original n=1
        doubled n=1
        doubled n=200 !String
          original n=200 !String
        ",
    );
}

/// `#[wasm_bindgen]`, `#[pyfunction]`, `#[napi]`: the signature is what was written.
#[test]
fn a_signature_is_left_as_it_was() {
    #[enter_span]
    extern "C" fn exported(n: i32, text: &u8) -> Option<&u8> {
        (n > 0).then_some(text)
    }
    let exact: for<'a> extern "C" fn(i32, &'a u8) -> Option<&'a u8> = exported;
    check(|| assert_eq!(exact(1, &2), Some(&2)), "exported");
}

macro_rules! function {
    ($vis:vis $name:ident($arg:ident: $ty:ty) -> $ret:ty, $body:block) => {
        #[enter_span(attributes($arg))]
        $vis fn $name($arg: $ty) -> $ret $body
    };
    (name = $name:expr, $f:ident($pat:pat => $arg:ident: $ty:ty) = $e:expr) => {
        #[enter_span(name = $name, attributes($arg, key = $e, doubled = $arg + $arg))]
        fn $f($pat: $ty) -> u8 {
            $e
        }
    };
    ($title:literal, $kind:ident, $key:literal, $f:ident -> $ret:ty { $($body:tt)* }) => {
        #[enter_span($title, kind = $kind, attributes($key = 1))]
        fn $f() -> $ret { $($body)* }
    };
    (crate = $krate:path, when = $when:expr, $f:ident -> $ret:ty, $body:block) => {
        #[enter_span(crate = $krate, when = $when, err = |_| $when)]
        fn $f() -> $ret $body
    };
    (own = $own:ident, $f:ident) => {
        #[enter_span(attributes($own, hidden))]
        fn $f($own: u8, hidden: u8) -> u8 {
            $own + hidden
        }
    };
    (item: $item:item) => {
        #[enter_span]
        $item
    };
}

function!(pub(crate) from_block(id: &str) -> Result<usize, std::num::ParseIntError>, {
    let parsed: usize = id.parse()?;
    Ok(parsed)
});
function!(private(count: u64) -> u64, { count + 1 });
function!(name = ["a", "b"].concat(), from_pattern((first, _) => first: (u8, u8)) = 7);
function!("from literals", client, "a.b", from_tokens -> BoxFuture<'static, u8> {
    Box::pin(step(1))
});
function!(crate = ::enter_span, when = 1 < 2, conditional -> Result<u8, String>, {
    return Err("no".into());
});
function!(own = given, hygienic);
function!(item: fn from_item(n: u8) -> u8 { n });

/// Functions produced by `macro_rules!`, from fragments of every sort.
#[test]
fn functions_from_fragments_are_spans() {
    check_async(
        async {
            assert_eq!(from_block("12").ok(), Some(12));
            assert!(from_block("x").is_err());
            assert_eq!(private(1), 2);
            assert_eq!(from_pattern((2, 3)), 7);
            assert_eq!(from_tokens().await, 1);
            assert!(conditional().is_err());
            assert_eq!(hygienic(1, 2), 3);
            assert_eq!(from_item(1), 1);
        },
        "
        from_block id=12
        from_block id=x !ParseIntError
        private count=1
        ab first=2 key=7 doubled=4
        from literals [client] a.b=1
          step n=1
        conditional !String
        hygienic given=1 hidden=2
        from_item
        ",
    );
}

macro_rules! block {
    ($name:expr, $span:ident, $body:block) => {
        in_span!(name = $name, |$span| $body)
    };
}

/// Blocks produced by `macro_rules!`: the handle has the name that the user gave it.
#[test]
fn blocks_from_fragments_are_spans() {
    check(
        || {
            let n = block!("a".to_owned() + "b", handle, {
                handle.set_attribute("n", 1);
                1
            });
            assert_eq!(n, 1);
        },
        "
        ab n=1
        ",
    );
}

macro_rules! methods {
    ($ty:ident, $($name:ident = $e:expr),*) => {
        #[enter_span]
        impl $ty {
            $(fn $name(&self) -> u8 { self.0 + $e })*
        }
    };
}

struct Generated(u8);

methods!(Generated, one = 1, two = 2);

/// An `impl` produced by `macro_rules!`.
#[test]
fn methods_from_fragments_are_spans() {
    check(
        || assert_eq!(Generated(1).one() + Generated(1).two(), 5),
        "
        Generated::one
        Generated::two
        ",
    );
}

/// A module that hands on what it uses, as a prelude of an application does.
mod facade {
    pub(crate) use ::enter_span;

    pub(crate) mod traced {
        pub(crate) use ::enter_span::*;
    }
}

#[facade::enter_span::enter_span(crate = facade::enter_span, attributes(n))]
async fn through_a_module(n: u8) -> Result<u8, String> {
    facade::enter_span::in_span!("block", crate = facade::enter_span, async |_| step(n).await)
        .await;
    Ok(n)
}

#[facade::traced::enter_span(crate = self::facade::traced)]
fn through_a_glob() {}

#[enter_span_facade::enter_span::enter_span(crate = ::enter_span_facade::enter_span)]
fn through_a_crate() -> u8 {
    1
}

enter_span_facade::traced! {
    fn from_another_crate() -> Option<u8> {
        Some(1)
    }
}

/// A macro re-exported through a facade.
#[test]
fn a_facade_is_enough_to_name_the_crate() {
    check_async(
        async {
            assert_eq!(through_a_module(1).await, Ok(1));
            through_a_glob();
            through_a_crate();
            from_another_crate()
        },
        "
        through_a_module n=1
          block
            step n=1
        through_a_glob
        through_a_crate
        from_another_crate
        ",
    );
}

/// The crate renamed in `Cargo.toml`.
#[test]
fn a_renamed_crate_is_named_in_the_attribute() {
    let trace = check(
        || {
            assert!(enter_span_facade::renamed(3).is_err());
            assert_eq!(enter_span_facade::renamed_block(), 1);
        },
        "
        renamed id=3 !String
        renamed_block id=1
        ",
    );
    assert_eq!(trace.find("renamed").library().0, "enter-span-facade");
}

/// Everything that an expansion could name by mistake.
mod shadowed {
    #![expect(dead_code, unused_macros, reason = "they are here to be in the way")]

    use enter_span::enter_span;

    pub(super) struct Option;
    pub(super) struct Result;
    pub(super) struct String;
    pub(super) struct Vec;
    pub(super) struct Box;
    pub(super) struct Some;
    pub(super) struct None;
    pub(super) struct Ok;
    pub(super) struct Err;
    pub(super) struct Entered;
    pub(super) struct Span;
    pub(super) trait Drop {}
    pub(super) trait FnOnce {}
    pub(super) trait Future {}

    mod std {}
    mod core {}
    mod alloc {}
    mod tracing {}
    mod opentelemetry {}

    macro_rules! concat {
        ($($any:tt)*) => {
            compile_error!("of the user's")
        };
    }
    macro_rules! format {
        ($($any:tt)*) => {
            compile_error!("of the user's")
        };
    }
    macro_rules! vec {
        ($($any:tt)*) => {
            compile_error!("of the user's")
        };
    }
    macro_rules! line {
        ($($any:tt)*) => {
            compile_error!("of the user's")
        };
    }
    macro_rules! file {
        ($($any:tt)*) => {
            compile_error!("of the user's")
        };
    }
    macro_rules! module_path {
        ($($any:tt)*) => {
            compile_error!("of the user's")
        };
    }
    macro_rules! option_env {
        ($($any:tt)*) => {
            compile_error!("of the user's")
        };
    }

    #[enter_span(
        kind = client,
        attributes(n, m = n + 1, text = ?n, shown = %n),
        start(first = n),
        links(&enter_span::Span::current()),
        root,
        when = n > 0,
        ret(value = |v| v),
        err = |_| true
    )]
    pub(super) fn everything(n: u8) -> ::std::result::Result<u8, ::std::string::String> {
        ::std::result::Result::Ok(n)
    }

    #[enter_span(attributes(n), ret)]
    pub(super) async fn asynchronous(n: u8) -> ::std::option::Option<u8> {
        ::std::option::Option::Some(n)
    }

    #[enter_span]
    pub(super) fn later() -> impl ::std::future::Future<Output = u8> {
        async { 1 }
    }

    #[enter_span(ret)]
    pub(super) fn block() -> u8 {
        enter_span::in_span!("block", attributes(n = 1), ret, |_| 1)
    }
}

/// The prelude shadowed, and modules and macros with well-known names.
#[test]
fn names_of_the_user_are_not_taken() {
    check_async(
        async {
            assert_eq!(shadowed::everything(1), Ok(1));
            assert_eq!(shadowed::asynchronous(1).await, Some(1));
            assert_eq!(shadowed::later().await, 1);
            assert_eq!(shadowed::block(), 1);
        },
        "
        everything [client] first=1 n=1 m=2 text=1 shown=1 value=1
        asynchronous n=1 return=1
        later
        block return=1
          block n=1 return=1
        ",
    );
}

#[no_implicit_prelude]
mod without_prelude {
    #[::enter_span::enter_span(attributes(n, text = ?n), ret, err = type)]
    pub(super) async fn bare(n: u8) -> ::std::result::Result<u8, ::std::string::String> {
        ::enter_span::in_span!("block", ret(n = |n| n), |_| n);
        ::std::result::Result::Ok(n)
    }
}

/// `#[no_implicit_prelude]`.
#[test]
fn the_prelude_is_not_needed() {
    check_async(
        without_prelude::bare(1),
        "
        bare n=1 text=1 return=1
          block n=1
        ",
    );
}

/// Users who let nothing pass.
mod strict {
    #![deny(warnings, missing_docs, clippy::pedantic, clippy::nursery)]
    #![forbid(unsafe_code)]

    use enter_span::enter_span;

    /// A type with documented methods.
    #[derive(Default)]
    pub struct Strict(u8);

    #[enter_span(kind = client)]
    impl Strict {
        /// Sync.
        #[must_use]
        #[enter_span(attributes(n), ret)]
        pub fn sync(&self, n: u8) -> u8 {
            self.0 + n
        }

        /// Async.
        ///
        /// # Errors
        ///
        /// Where `n` is zero.
        #[enter_span(attributes(n, own = self.0), err = |error| !error.is_empty())]
        pub async fn asynchronous(&mut self, n: u8) -> Result<u8, String> {
            tokio::task::yield_now().await;
            self.0 += n;
            if n == 0 {
                return Err("zero".to_owned());
            }
            Ok(n)
        }

        /// Later.
        pub fn later(&self) -> impl Future<Output = u8> + use<> {
            std::future::ready(self.0)
        }

        /// Never.
        pub(super) fn leaves() -> ! {
            std::panic::panic_any(1)
        }
    }
}

/// `#![deny(warnings)]`, `forbid(unsafe_code)`, `deny(missing_docs)`, `clippy::pedantic`.
#[test]
fn the_expansion_has_no_lints_of_its_own() {
    check_async(
        async {
            let mut strict = strict::Strict::default();
            assert_eq!(strict.sync(1), 1);
            assert!(strict.asynchronous(0).await.is_err());
            assert_eq!(strict.asynchronous(2).await, Ok(2));
            assert_eq!(strict.later().await, 2);
            assert!(std::panic::catch_unwind(|| strict::Strict::leaves()).is_err());
        },
        "
        Strict::sync [client] n=1 return=1
        Strict::asynchronous [client] n=0 own=0 !String
        Strict::asynchronous [client] n=2 own=0
        Strict::later [client]
        Strict::leaves [client] !panic
        ",
    );
}

struct Cart(Vec<u64>);

#[enter_span(kind = client)]
impl Cart {
    const LIMIT: usize = 2;

    const fn new() -> Self {
        Cart(Vec::new())
    }

    #[enter_span("put", kind = producer, attributes(item, limit = Self::LIMIT))]
    fn put(&mut self, item: u64) -> Result<&mut Self, String> {
        if self.0.len() == Self::LIMIT {
            return Err("full".to_owned());
        }
        self.0.push(item);
        Ok(self)
    }

    #[enter_span(skip)]
    fn len(&self) -> usize {
        self.0.len()
    }

    async fn total(&self) -> u64 {
        step(1).await;
        self.0.iter().sum::<u64>() + self.len() as u64
    }
}

#[enter_span(err = ignore)]
impl std::str::FromStr for Cart {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let items: Result<_, _> = text.split(',').map(str::parse).collect();
        items.map(Cart)
    }
}

/// `#[enter_span]` on an `impl` and on its methods: one span each, with both options.
#[test]
fn methods_of_an_impl_are_spans_with_their_own_options() {
    check_async(
        async {
            let mut cart = Cart::new();
            assert!(cart.put(1).and_then(|cart| cart.put(2)).is_ok());
            assert!(cart.put(3).is_err());
            assert_eq!(cart.total().await, 5);
            assert!("1,x".parse::<Cart>().is_err());
        },
        "
        put [producer] item=1 limit=2
        put [producer] item=2 limit=2
        put [producer] item=3 limit=2 !String
        Cart::total [client]
          step n=1
        Cart::from_str
        ",
    );
}

#[derive(Debug)]
struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("refused")
    }
}

impl std::error::Error for Refused {}

type Res<T> = Result<T, Refused>;
type Done = std::io::Result<()>;

mod own {
    pub(super) type Result<T, E = super::Refused> = std::result::Result<T, E>;
}

#[enter_span]
fn own_alias(ok: bool) -> Res<u8> {
    if ok { Ok(1) } else { Err(Refused) }
}

#[enter_span]
async fn io_alias() -> Done {
    Err(std::io::Error::other("disk"))
}

#[enter_span(ret)]
fn shadowing_alias(n: u8) -> own::Result<u8> {
    own_alias(n > 0).map(|one| one + n)
}

#[enter_span]
async fn anyhow_alias(text: &str) -> anyhow::Result<u8> {
    let n: u8 = text.parse()?;
    anyhow::ensure!(n > 0, "zero");
    Ok(n)
}

/// Type aliases of `Result`: the type decides, not how it is spelled.
#[test]
fn aliases_of_result_tell_of_errors() {
    check_async(
        async {
            assert!(own_alias(true).is_ok());
            assert!(own_alias(false).is_err());
            assert!(io_alias().await.is_err());
            assert_eq!(shadowing_alias(1).ok(), Some(2));
            assert!(anyhow_alias("x").await.is_err());
            assert!(anyhow_alias("0").await.is_err());
            assert_eq!(anyhow_alias("1").await.ok(), Some(1));
        },
        "
        own_alias
        own_alias !Refused
        io_alias !Error
        shadowing_alias return=2
          own_alias
        anyhow_alias !ParseIntError
        anyhow_alias !Error
        anyhow_alias
        ",
    );
}

/// Both an attribute and a text, which differ.
struct Both;

impl fmt::Display for Both {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("shown")
    }
}

impl ToAttribute for Both {
    fn to_attribute(&self) -> Option<Value> {
        "typed".to_attribute()
    }
}

#[enter_span(attributes(both, some = *both, shown = %both))]
fn ambiguous(both: &Both) {}

#[enter_span(attributes(some, none, twice, boxed, shared, lent, owned, unique))]
#[expect(
    clippy::ptr_arg,
    clippy::too_many_arguments,
    reason = "one of each type"
)]
fn pointers(
    some: Option<&u8>,
    none: Option<&&str>,
    twice: &&u8,
    boxed: Box<str>,
    shared: Arc<str>,
    lent: Cow<'_, str>,
    owned: &Cow<'static, str>,
    unique: &mut Box<u8>,
) {
}

#[enter_span(attributes(n = 5, minus = -5, large = 5_000_000_000_u64, sum = 1 + 2, half = 0.5, text = "a"))]
fn literals() {}

/// Types that are several things at once, pointers to attributes, and integer literals.
#[test]
fn values_are_read_through_pointers_and_without_ambiguity() {
    check(
        || {
            ambiguous(&Both);
            pointers(
                Some(&1),
                None,
                &&2,
                "boxed".into(),
                "shared".into(),
                "lent".into(),
                &"owned".into(),
                &mut Box::new(3),
            );
            literals();
        },
        "
        ambiguous both=typed some=typed shown=shown
        pointers some=1 twice=2 boxed=boxed shared=shared lent=lent owned=owned unique=3
        literals n=5 minus=-5 large=5000000000 sum=3 half=0.5 text=a
        ",
    );
}
