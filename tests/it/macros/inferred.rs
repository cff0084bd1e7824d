//! Values whose type comes from the signature and not from the body, and types that borrow.

use std::error::Error;
use std::fmt::Display;
use std::future::Future;

use enter_span::{enter_span, in_span};

use crate::support::check::{check, check_async};

#[enter_span]
fn question(text: &str) -> impl Future<Output = Result<u8, String>> + Send {
    let text = text.to_owned();
    async move {
        let number = text.parse::<u8>().map_err(|error| error.to_string())?;
        Ok(number)
    }
}

#[enter_span(ret(count = |list| list.len()))]
fn collected(list: &[u8]) -> impl Future<Output = Vec<u8>> {
    async { list.iter().map(|number| number * 2).collect() }
}

#[enter_span]
fn boxed_error() -> impl Future<Output = Result<(), Box<dyn Error>>> {
    async { Err("boxed")? }
}

/// `-> impl Future`: what the future gives is said by the signature alone.
#[test]
fn a_returned_future_gives_what_the_signature_says() {
    check_async(
        async {
            assert_eq!(question("7").await, Ok(7));
            assert!(question("x").await.is_err());
            assert_eq!(collected(&[1, 2]).await, [2, 4]);
            assert!(boxed_error().await.is_err());
        },
        "
        question
        question !String
        collected count=2
        boxed_error !Box
        ",
    );
}

/// `-> impl Trait`: a closure finds the types of its arguments in the signature.
#[test]
fn a_returned_closure_finds_its_types_in_the_signature() {
    #[enter_span(attributes(power))]
    fn raised(power: u32) -> impl Fn(u32) -> u32 {
        move |number| number.pow(power)
    }
    #[enter_span]
    fn lengths() -> impl Fn(&str) -> usize {
        |text| text.len()
    }
    #[enter_span]
    fn same() -> impl Fn(&str) -> &str {
        |text| text
    }
    check(
        || {
            assert_eq!(raised(2)(3), 9);
            assert_eq!(lengths()("four"), 4);
            assert_eq!(same()("same"), "same");
        },
        "
        raised power=2
        lengths
        same
        ",
    );
}

/// A list of closures' owner, generic around the function that returns one.
struct Joiner<T>(T);

impl<T: Display> Joiner<T> {
    #[enter_span]
    async fn later(self) -> impl FnOnce(&T, Vec<&'static str>) -> String {
        let Self(own) = self;
        move |other, rest| format!("{own}{other}{}", rest.concat())
    }
}

/// The same in an `async fn`, for every kind of closure, and of what is generic around it.
#[test]
fn a_closure_that_is_returned_later_finds_its_types_in_the_signature() {
    #[enter_span]
    async fn lengths() -> impl Fn(&str) -> usize {
        |text| text.len()
    }
    #[enter_span]
    async fn pushes(mut count: usize) -> impl FnMut(&mut String) + Send {
        let mark = '!';
        move |text| {
            count += 1;
            text.extend(std::iter::repeat_n(mark, count));
        }
    }
    #[enter_span]
    async fn same() -> impl for<'a> Fn(&'a str, u8) -> &'a str {
        |text, _| text
    }
    #[enter_span]
    async fn asks_later() -> impl AsyncFn(&str) -> usize {
        async |text| text.len()
    }
    #[enter_span(current, attributes(now = 1), ret(read = |_| true))]
    async fn adds() -> impl Fn(&[u8]) -> usize {
        |list| list.len()
    }
    check_async(
        async {
            assert_eq!(lengths().await("four"), 4);
            let mut push = pushes(0).await;
            let mut text = String::new();
            push(&mut text);
            push(&mut text);
            assert_eq!(text, "!!!");
            assert_eq!(same().await("same", 1), "same");
            assert_eq!(asks_later().await("four").await, 4);
            assert_eq!(Joiner(1).later().await(&2, vec!["3", "4"]), "1234");
            assert_eq!(in_span!("outer", async |_| adds().await).await(&[1]), 1);
        },
        "
        lengths
        pushes
        same
        asks_later
        later
        outer now=1 read=true
        ",
    );
}

/// And beside something else.
#[test]
fn a_closure_in_a_tuple_finds_its_types_in_the_signature() {
    #[enter_span]
    fn now() -> (impl Fn(&str) -> usize, impl Display) {
        (|text| text.len(), 1)
    }
    #[enter_span]
    async fn later<T>(value: T) -> (T, impl Fn(&str) -> usize) {
        (value, |text| text.len())
    }
    check_async(
        async {
            assert_eq!(now().0("four"), 4);
            assert_eq!(later(1).await.1("four"), 4);
        },
        "
        now
        later
        ",
    );
}

/// `-> Box<dyn Trait>` with something unnameable inside.
#[test]
fn an_opaque_type_may_stand_inside_of_an_object() {
    #[enter_span]
    fn shown() -> Box<dyn Iterator<Item = impl Display>> {
        Box::new([1, 2].into_iter())
    }
    check(|| assert_eq!(shown().count(), 2), "shown");
}

/// An error object that borrows has its text, and no type to ask for.
#[test]
fn an_error_may_borrow() {
    #[derive(Debug)]
    struct At<'a>(&'a str);
    impl Display for At<'_> {
        fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(formatter, "at {}", self.0)
        }
    }
    impl Error for At<'_> {}
    #[enter_span]
    fn now<'a>(place: &'a str) -> Result<u8, Box<dyn Error + 'a>> {
        Err(Box::new(At(place)))
    }
    #[enter_span]
    async fn later<'a>(place: &'a str) -> Result<u8, Box<dyn Error + Send + Sync + 'a>> {
        Err(Box::new(At(place)))
    }
    #[enter_span]
    fn named(place: &str) -> Result<u8, At<'_>> {
        Err(At(place))
    }
    let trace = check_async(
        async {
            assert!(now("here").is_err());
            assert!(later("there").await.is_err());
            assert!(named("anywhere").is_err());
        },
        "
        now !Box
        later !Box
        named !At
        ",
    );
    let status = trace.find("now").status();
    assert_eq!(status, &enter_span::Status::error("at here"));
}

/// A block whose type comes from outside says it.
#[test]
fn a_block_may_say_its_type() {
    let list: Vec<u8> = in_span!("collect", |_| -> Vec<u8> { (1..3).collect() });
    assert_eq!(list, [1, 2]);
}

fn fail() -> ! {
    panic!("on purpose")
}

/// A block that never gives a value takes the type that is expected, and none where none is.
#[test]
fn a_block_that_diverges_takes_any_type() {
    fn never() -> ! {
        in_span!("never", |_| fail())
    }
    fn number() -> u8 {
        in_span!("number", attributes(a = 1), |_| fail())
    }
    fn text(early: bool) -> Result<String, u8> {
        let text = if early {
            in_span!("text", |_| { fail() })
        } else {
            String::from("late")
        };
        Ok(text)
    }
    fn nothing() {
        in_span!("nothing", |_| fail());
    }
    fn macros() -> Vec<u8> {
        in_span!("macros", err = ignore, |_| todo!())
    }
    fn endless() -> u8 {
        in_span!("endless", |_| loop {
            assert!(std::hint::black_box(false), "enough");
        })
    }
    fn question() -> u8 {
        let Some(number) = None else {
            in_span!("question", |_| fail())
        };
        number
    }
    let thrown = |work: fn()| assert!(std::panic::catch_unwind(work).is_err());
    check(
        || {
            thrown(|| never());
            thrown(|| assert_eq!(number(), 0));
            thrown(|| drop(text(true)));
            thrown(nothing);
            thrown(|| drop(macros()));
            thrown(|| assert_eq!(endless(), 0));
            thrown(|| assert_eq!(question(), 0));
            assert!(text(false).is_ok());
        },
        "
        never !panic
        number a=1 !panic
        text !panic
        nothing !panic
        macros !panic
        endless !panic
        question !panic
        ",
    );
}

/// The same for a block that works later.
#[test]
fn an_async_block_that_diverges_takes_any_type() {
    use futures::FutureExt as _;

    async fn never() -> ! {
        in_span!("never", async |_| fail()).await
    }
    async fn number() -> u8 {
        in_span!("number", async |_| fail()).await
    }
    async fn nothing() {
        in_span!("nothing", async |_| {
            std::future::ready(()).await;
            fail()
        })
        .await;
    }
    async fn macros() -> Result<u8, String> {
        Ok(in_span!("macros", async move |_| unimplemented!()).await)
    }
    check_async(
        async {
            assert!(async { never().await }.catch_unwind().await.is_err());
            assert!(number().catch_unwind().await.is_err());
            assert!(nothing().catch_unwind().await.is_err());
            assert!(macros().catch_unwind().await.is_err());
        },
        "
        never !panic
        number !panic
        nothing !panic
        macros !panic
        ",
    );
}

/// A block may give what cannot be, as it is.
#[test]
fn a_block_of_a_type_without_values_is_one_that_diverges() {
    use std::convert::Infallible;

    fn sure(result: Result<u8, Infallible>) -> u8 {
        match result {
            Ok(number) => number,
            Err(never) => in_span!("never", |_| never),
        }
    }
    check(|| assert_eq!(sure(Ok(1)), 1), "");
}

/// A future that is polled inside of `catch_unwind` needs nothing more than the plain one.
#[test]
fn a_future_is_unwind_safe_where_its_parts_are() {
    use futures::FutureExt as _;

    #[enter_span(|span|)]
    async fn fails(text: &str) -> usize {
        span.set_attribute("seen", true);
        assert!(text.is_empty(), "on purpose");
        0
    }
    check_async(
        async { assert!(fails("text").catch_unwind().await.is_err()) },
        "fails seen=true !panic",
    );
}
