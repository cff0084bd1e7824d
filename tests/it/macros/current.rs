//! Functions without a span of their own, which add to the current one.

use std::cell::Cell;
use std::future::Future;

use enter_span::testing::Recorder;
use enter_span::{Attributes, Key, enter_span, in_span};

use crate::support::check::{block_on, check, check_async};

const USER: Key<str> = Key::new("user.id");

#[derive(Attributes)]
struct Facts {
    plan: &'static str,
}

#[enter_span]
fn handle(user: &str) -> bool {
    authenticate(user, &Facts { plan: "free" })
}

#[enter_span(current, attributes(USER = user, ..facts), ret(user.is_admin = |is| is))]
fn authenticate(user: &str, facts: &Facts) -> bool {
    if user == "root" {
        return true;
    }
    child();
    false
}

#[enter_span]
fn child() {}

/// What is given and what is returned stands on the caller's span, whose children the body's are.
#[test]
fn a_function_adds_to_its_callers_span() {
    check(
        || assert!(!handle("u7")),
        "
        handle user.id=u7 plan=free user.is_admin=false
          child
        ",
    );
    check(
        || assert!(handle("root")),
        "handle user.id=root plan=free user.is_admin=true",
    );
}

#[enter_span(current, attributes(id), ret(rows = |rows| rows.len()))]
async fn load(id: u64, name: String) -> Result<Vec<String>, String> {
    tokio::task::yield_now().await;
    match id {
        0 => Err(name),
        _ => Ok(vec![name]),
    }
}

#[enter_span]
async fn request(id: u64) -> bool {
    load(id, "n".to_owned()).await.is_ok()
}

/// An `Err` is the caller's to tell: only the `Ok` part is shown.
#[test]
fn an_async_function_adds_to_the_span_it_is_awaited_in() {
    check_async(request(1), "request id=1 rows=1");
    check_async(request(0), "request id=0");
}

/// The span is that at the beginning, also where another one is current later.
#[test]
fn what_is_returned_goes_where_the_arguments_went() {
    #[enter_span(current, attributes(a = 1), ret(b = |b| b))]
    fn both() -> u8 {
        in_span!("inner", |_| 2)
    }
    check(
        || in_span!("outer", |_| both()),
        "
        outer a=1 b=2
          inner
        ",
    );
}

#[test]
fn a_function_that_returns_a_future_adds_at_the_call() {
    #[enter_span(current, attributes(id))]
    fn later(id: u8) -> impl Future<Output = u8> {
        async move { id }
    }
    check(
        || {
            // In a tuple, so that `in_span!` does not take the future into its span.
            let (future,) = in_span!("call", |_| (later(1),));
            in_span!("wait", |_| block_on(future));
        },
        "call id=1\nwait",
    );
}

#[test]
fn the_handle_is_that_of_the_current_span() {
    #[enter_span(current, |span|)]
    fn note() {
        span.set_attribute("noted", true);
    }
    check(|| in_span!("one", |_| note()), "one noted=true");
}

#[test]
fn a_method_of_an_annotated_impl_adds_too() {
    struct Cart(u8);
    #[enter_span(kind = client)]
    impl Cart {
        fn total(&self) -> u8 {
            self.note();
            self.0
        }

        #[enter_span(current, attributes(items = self.0))]
        fn note(&self) {}
    }
    check(|| Cart(3).total(), "Cart::total [client] items=3");
}

thread_local! {
    static EVALUATED: Cell<u32> = const { Cell::new(0) };
}

fn evaluated() -> u32 {
    EVALUATED.set(EVALUATED.get() + 1);
    EVALUATED.get()
}

#[enter_span(current, attributes(n = evaluated()), ret(m = |_| evaluated()))]
fn counting() -> u8 {
    0
}

#[enter_span(current, when = false, attributes(n = evaluated()))]
fn never() {}

/// Without a span, below one that is not sampled, and where the condition does not hold.
#[test]
fn nothing_is_evaluated_where_nothing_is_traced() {
    counting();
    Recorder::new().run(counting).assert_tree("");
    Recorder::new()
        .with_sampler(|_| false)
        .run(|| in_span!("not sampled", |_| counting()));
    check(|| in_span!("one", |_| never()), "one");
    assert_eq!(EVALUATED.get(), 0);
    check(|| in_span!("one", |_| counting()), "one n=1 m=2");
}

/// An argument that the body consumes, a borrow that is returned, and an early return.
#[test]
fn bodies_are_as_they_were() {
    #[enter_span(current, attributes(len = text.len()), ret(first = |t| t.map(str::len)))]
    fn first<'a>(text: &'a str, parts: Vec<&'a str>) -> Option<&'a str> {
        let part = parts.into_iter().next()?;
        text.find(part).map(|_| part)
    }
    #[enter_span(current, attributes(len = text.len()))]
    fn consume(text: String) -> String {
        text
    }
    assert_eq!(first("abc", vec!["b"]), Some("b"));
    check(
        || in_span!("one", |_| consume("abc".to_owned())),
        "one len=3",
    );
}

/// `#[track_caller]` sees the caller, since there is no closure.
#[test]
fn the_caller_is_tracked() {
    #[track_caller]
    #[enter_span(current, attributes(a = 1))]
    fn here() -> u32 {
        std::panic::Location::caller().line()
    }
    assert_eq!(here(), line!());
}
