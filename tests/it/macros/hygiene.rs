//! What the user's own names mean to generated code: nothing.

use enter_span::{enter_span, in_span};

use crate::support::check::check_async;

/// A module without the prelude.
mod bare {
    #![no_implicit_prelude]

    use ::enter_span::{enter_span, in_span};

    #[enter_span(
        "sync",
        kind = client,
        start(first = id),
        attributes(id, text, shown = %id, debugged = ?id, constant = "text"),
        links(::enter_span::Span::current()),
        when = id > 0,
        ret(doubled = |n| n * 2, typed = |n: &u32| -> u32 { *n }),
        err = |error| !error.is_empty(),
    )]
    pub(super) fn now(id: u32, text: &str) -> ::std::result::Result<u32, ::std::string::String> {
        match id {
            1 => ::std::result::Result::Err(::std::convert::From::from("one")),
            id => ::std::result::Result::Ok(id),
        }
    }

    #[enter_span(name = text, attributes(id), ret, err = type, |span|)]
    pub(super) async fn later(
        id: u32,
        text: &str,
    ) -> ::std::result::Result<u32, ::std::string::String> {
        ::std::future::ready(()).await;
        span.set_attribute("late", true);
        match id {
            1 => ::std::result::Result::Err(::std::convert::From::from("one")),
            id => ::std::result::Result::Ok(id),
        }
    }

    #[enter_span(attributes(id))]
    pub(super) fn future(id: u32) -> impl ::std::future::Future<Output = u32> {
        ::std::future::ready(id)
    }

    #[enter_span]
    pub(super) fn stream(id: u32) -> impl ::futures::stream::Stream<Item = u32> {
        ::futures::stream::iter([id])
    }

    #[enter_span]
    #[track_caller]
    pub(super) fn tracked() {}

    pub(super) fn block(id: u32) -> u32 {
        in_span!("block", attributes(id), |_span| id)
    }

    pub(super) async fn async_block(id: u32) -> u32 {
        in_span!("async block", attributes(id), async |_span| id).await
    }

    const KEY: ::enter_span::Key<i64> = ::enter_span::Key::new("key");

    #[derive(::enter_span::Attributes)]
    #[attributes(prefix = "facts")]
    struct Facts<'a, T> {
        id: &'a T,
        #[attributes(key = KEY)]
        key: u32,
        #[attributes(?)]
        debug: u32,
        #[attributes(%)]
        display: u32,
        #[attributes(skip)]
        _skipped: (),
        #[attributes(prefix = "more")]
        more: More,
    }

    #[derive(::enter_span::Attributes)]
    struct More {
        is: ::std::primitive::bool,
    }

    #[enter_span]
    pub(super) fn facts(id: u32) -> u32 {
        add(Facts {
            id: &id,
            key: id,
            debug: id,
            display: id,
            _skipped: (),
            more: More { is: true },
        })
    }

    #[enter_span(current, attributes(..facts, KEY = *facts.id), ret(KEY = |n| n))]
    fn add(facts: Facts<'_, u32>) -> u32 {
        facts.key
    }

    #[enter_span(current, attributes(id), ret(later = |n| n))]
    pub(super) async fn add_later(id: u32) -> u32 {
        id
    }
}

/// A module in which every well-known name means something else.
mod hostile {
    #![expect(
        dead_code,
        unused_macros,
        non_camel_case_types,
        reason = "the names are there to be in the way"
    )]

    use ::enter_span::{enter_span, in_span};

    mod std {}
    mod core {}
    mod alloc {}
    mod tracing {}
    mod opentelemetry {}
    mod enter_span {}
    mod private {}

    struct Result;
    struct Ok;
    struct Err;
    struct Option;
    struct Some;
    struct None;
    struct String;
    struct Vec;
    struct Box;
    struct Pin;
    struct Span;
    struct Entered;
    struct Current;
    struct Sink;
    struct Probe;
    struct Site;
    struct Reading;
    struct bool;
    struct str;
    struct u64;
    trait Drop {}
    trait Fn {}
    trait FnOnce {}
    trait FnMut {}
    trait Future {}
    trait Send {}
    trait Sync {}
    trait Sized {}
    trait Clone {}
    trait Default {}
    trait Into {}
    trait From {}
    trait ToString {}
    trait Outcome {}
    trait ToAttribute {}
    trait Debug {}
    trait Display {}

    fn drop() {}

    macro_rules! refused {
        ($($name:ident)*) => {
            $(refused! { @one $name })*
        };
        (@one $name:ident) => {
            macro_rules! $name {
                ($any:tt) => {
                    compile_error!("a name of the user's")
                };
            }
        };
    }

    refused! {
        concat format vec module_path file line option_env env stringify panic unreachable assert
        matches
    }

    type Returned = ::std::result::Result<u32, ::std::string::String>;

    #[enter_span(
        "sync",
        kind = client,
        start(first = id),
        attributes(id, text, shown = %id, debugged = ?id, constant = "text"),
        links(::enter_span::Span::current()),
        when = id > 0,
        ret(doubled = |n| n * 2, typed = |n: &u32| -> u32 { *n }),
        err = |error| !error.is_empty(),
    )]
    pub(super) fn now(id: u32, text: &'static ::std::primitive::str) -> Returned {
        match id {
            1 => Returned::Err("one".into()),
            id => Returned::Ok(id),
        }
    }

    #[enter_span(name = text, attributes(id), ret, err = type, |span|)]
    pub(super) async fn later(id: u32, text: &::std::primitive::str) -> Returned {
        ::std::future::ready(()).await;
        span.set_attribute("late", true);
        match id {
            1 => Returned::Err("one".into()),
            id => Returned::Ok(id),
        }
    }

    #[enter_span(call_only, attributes(id))]
    pub(super) fn future(id: u32) -> ::std::future::Ready<u32> {
        ::std::future::ready(id)
    }

    #[enter_span]
    pub(super) fn stream(
        id: u32,
    ) -> ::std::pin::Pin<::std::boxed::Box<dyn ::futures::stream::Stream<Item = u32>>> {
        ::std::boxed::Box::pin(::futures::stream::iter([id]))
    }

    #[enter_span]
    #[track_caller]
    pub(super) fn tracked() {}

    pub(super) fn block(id: u32) -> u32 {
        in_span!("block", attributes(id), |_span| id)
    }

    pub(super) async fn async_block(id: u32) -> u32 {
        in_span!("async block", attributes(id), async |_span| id).await
    }

    const KEY: ::enter_span::Key<i64> = ::enter_span::Key::new("key");

    #[derive(::enter_span::Attributes)]
    #[attributes(prefix = "facts")]
    struct Facts<'a, T> {
        id: &'a T,
        #[attributes(key = KEY)]
        key: u32,
        #[attributes(?)]
        debug: u32,
        #[attributes(%)]
        display: u32,
        #[attributes(skip)]
        _skipped: (),
        #[attributes(prefix = "more")]
        more: More,
    }

    #[derive(::enter_span::Attributes)]
    struct More {
        is: ::std::primitive::bool,
    }

    #[enter_span]
    pub(super) fn facts(id: u32) -> u32 {
        add(Facts {
            id: &id,
            key: id,
            debug: id,
            display: id,
            _skipped: (),
            more: More { is: true },
        })
    }

    #[enter_span(current, attributes(..facts, KEY = *facts.id), ret(KEY = |n| n))]
    fn add(facts: Facts<'_, u32>) -> u32 {
        facts.key
    }

    #[enter_span(current, attributes(id), ret(later = |n| n))]
    pub(super) async fn add_later(id: u32) -> u32 {
        id
    }
}

macro_rules! is_hygienic {
    ($test:ident: $module:ident) => {
        #[test]
        fn $test() {
            check_async(
                async {
                    assert_eq!($module::now(2, "text"), Ok(2));
                    assert!($module::now(1, "text").is_err());
                    assert_eq!($module::later(2, "named").await, Ok(2));
                    assert!($module::later(1, "named").await.is_err());
                    assert_eq!($module::future(3).await, 3);
                    drop($module::stream(4));
                    $module::tracked();
                    assert_eq!($module::block(5), 5);
                    assert_eq!($module::async_block(6).await, 6);
                    assert_eq!($module::facts(7), 7);
                    assert_eq!(enter_span::enter_span_async("current", |_| $module::add_later(8)).await, 8);
                },
                "
                    sync [client] first=2 id=2 text=text shown=2 debugged=2 constant=text doubled=4 typed=2
                    sync [client] first=1 id=1 text=text shown=1 debugged=1 constant=text !String
                    named id=2 late=true return=2
                    named id=1 late=true !String
                    future id=3
                    stream ~cancelled
                    tracked
                    block id=5
                    async block id=6
                    facts facts.id=7 key=7 facts.debug=7 facts.display=7 facts.more.is=true
                    current id=8 later=8
                ",
            );
        }
    };
}

// Prelude shadowed, by nothing at all (`#![no_implicit_prelude]`).
is_hygienic!(generated_code_needs_no_prelude: bare);
// Prelude shadowed: local `Result`, `Ok`, `Err`, `Some`, `None`, `Option`, `String`, `Vec`,
// `Box`, `Drop`; modules `std`, `core`, `alloc`, `tracing`, `opentelemetry`; macros `concat!`,
// `format!`, `vec!`.
is_hygienic!(generated_code_ignores_the_names_around_it: hostile);

/// Args named like internals: `span`, `e`, `x`, `guard`, `result`, `__span`, `debug`,
/// `display`, `cx`, and the names of our own locals; in the body of every form.
#[test]
fn locals_of_generated_code_are_out_of_sight() {
    macro_rules! named {
        ($(#[$attribute:meta])* $function:ident($($name:ident),*)) => {
            $(#[$attribute])*
            #[expect(clippy::too_many_arguments, reason = "all names at once")]
            fn $function($($name: u32),*) -> u32 {
                0 $(+ $name)*
            }
        };
        ($(#[$attribute:meta])* async $function:ident($($name:ident),*)) => {
            $(#[$attribute])*
            #[expect(clippy::too_many_arguments, reason = "all names at once")]
            async fn $function($($name: u32),*) -> u32 {
                0 $(+ $name)*
            }
        };
    }
    named! {
        #[enter_span(
            name = "sync",
            start(s = start),
            attributes(e = entered, s2 = slot, g = guard),
            when = value > 0,
            ret(r = |value| *value),
        )]
        now(span, e, x, guard, result, __span, debug, display, cx, entered, value, start, slot,
            shown, handle, made, body, finish, outcome)
    }
    named! {
        #[enter_span(start(s = start), attributes(e = entered, s2 = slot, g = guard), ret)]
        async later(span, e, x, guard, result, __span, debug, display, cx, entered, value, start,
            slot, shown, handle, made, body, finish, outcome)
    }

    check_async(
        async {
            let sum = now(1, 1, 1, 2, 1, 1, 1, 1, 1, 3, 1, 4, 5, 1, 1, 1, 1, 1, 1);
            assert_eq!(sum, 29);
            let sum = later(1, 1, 1, 2, 1, 1, 1, 1, 1, 3, 1, 4, 5, 1, 1, 1, 1, 1, 1);
            assert_eq!(sum.await, 29);
        },
        "
            sync s=4 e=3 s2=5 g=2 r=29
            later s=4 e=3 s2=5 g=2 return=29
        ",
    );
}

/// Our locals are not seen by the body: it finds what stands around the function.
#[test]
fn the_body_finds_the_users_items_and_not_our_locals() {
    mod items {
        pub(super) fn entered() -> u32 {
            1
        }
        pub(super) fn guard() -> u32 {
            2
        }
        pub(super) fn value() -> u32 {
            3
        }
    }
    use items::{entered, guard, value};

    #[enter_span(attributes(seen = entered()), ret(value = |_| value()))]
    fn now() -> u32 {
        entered() + guard() + value()
    }
    #[enter_span(|handle|)]
    async fn later() -> u32 {
        handle.set_attribute("seen", guard());
        entered() + guard() + value()
    }
    #[enter_span]
    #[track_caller]
    fn tracked() {
        assert_eq!(guard(), 2);
    }
    fn block() -> u32 {
        in_span!("block", attributes(seen = value()), |handle| {
            handle.set_attribute("more", entered());
            entered() + value()
        })
    }

    check_async(
        async {
            assert_eq!(now(), 6);
            assert_eq!(later().await, 6);
            tracked();
            assert_eq!(block(), 4);
        },
        "
            now seen=1 value=3
            later seen=2
            tracked
            block seen=3 more=1
        ",
    );
}

/// The handle may have any name, also one of an argument or of ours.
#[test]
fn the_handle_may_be_called_anything() {
    #[enter_span(|entered|)]
    fn now() {
        entered.set_attribute("seen", 1);
    }
    #[enter_span(|r#type|, ret(n = |n| *n))]
    async fn later(n: u32) -> u32 {
        r#type.set_attribute("seen", n);
        n
    }

    check_async(
        async {
            now();
            assert_eq!(later(2).await, 2);
        },
        "
            now seen=1
            later seen=2 n=2
        ",
    );
}
