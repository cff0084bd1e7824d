//! What stands before `fn`: attributes, visibility, safety, ABI, the edition.
//!
//! That a `const fn`, and `#[track_caller]` on a function whose value is read, do not compile is
//! shown in `ui-tests`. `default fn` and `gen fn` are not stable.

#![deny(warnings, unfulfilled_lint_expectations)]

use std::cell::RefCell;
use std::panic::Location;

use enter_span::enter_span;
use enter_span_edition_2015 as e2015;
use enter_span_edition_2018 as e2018;
use enter_span_edition_2021 as e2021;
use tokio::task::yield_now;

use crate::support::check::{block_on, check, check_async};

mod unsafe_functions {
    #![expect(unsafe_code, reason = "the qualifier is under test")]

    use std::ffi::c_int;

    use enter_span::enter_span;
    use tokio::task::yield_now;

    #[enter_span(attributes(offset))]
    pub(super) unsafe fn read(at: *const u32, offset: usize) -> u32 {
        // SAFETY: the caller's promise.
        unsafe { *at.add(offset) }
    }

    #[enter_span]
    #[expect(unsafe_op_in_unsafe_fn, reason = "the lint under test")]
    pub(super) unsafe fn without_a_block(at: *const u32) -> u32 {
        *at
    }

    #[enter_span(attributes(offset))]
    pub(super) async unsafe fn read_later(at: *const u32, offset: usize) -> u32 {
        yield_now().await;
        // SAFETY: the caller's promise.
        unsafe { *at.add(offset) }
    }

    #[enter_span]
    #[expect(unsafe_op_in_unsafe_fn, reason = "the lint under test")]
    pub(super) async unsafe fn later_without_a_block(at: *const u32) -> u32 {
        yield_now().await;
        *at
    }

    #[enter_span(attributes(n))]
    pub(super) extern "C" fn foreign(n: c_int) -> c_int {
        n + 1
    }

    #[enter_span(attributes(n))]
    pub(super) unsafe extern "C-unwind" fn unwinding(n: c_int) -> c_int {
        assert!(n > 0, "not positive");
        n
    }

    #[enter_span]
    #[unsafe(no_mangle)]
    pub extern "C" fn enter_span_tests_exported() -> c_int {
        7
    }

    #[enter_span]
    #[unsafe(export_name = "enter_span_tests_also_exported")]
    pub extern "C" fn renamed() -> c_int {
        8
    }

    unsafe extern "C" {
        #[link_name = "enter_span_tests_exported"]
        pub(super) safe fn by_its_name() -> c_int;
        #[link_name = "enter_span_tests_also_exported"]
        pub(super) safe fn by_its_other_name() -> c_int;
    }

    pub(super) trait Raw {
        unsafe fn raw(&self) -> u32;
    }

    impl Raw for u32 {
        #[enter_span(attributes(me = self))]
        unsafe fn raw(&self) -> u32 {
            *self
        }
    }
}

/// `async unsafe fn`; `unsafe fn` body.
#[test]
#[expect(unsafe_code, reason = "the qualifier is under test")]
fn unsafe_functions_stay_unsafe_and_their_bodies_too() {
    let numbers = [1, 2];
    let at = numbers.as_ptr();
    check_async(
        async {
            // SAFETY: both numbers can be read.
            unsafe {
                assert_eq!(unsafe_functions::read(at, 1), 2);
                assert_eq!(unsafe_functions::without_a_block(at), 1);
                assert_eq!(unsafe_functions::read_later(at, 1).await, 2);
                assert_eq!(unsafe_functions::later_without_a_block(at).await, 1);
                assert_eq!(unsafe_functions::Raw::raw(&3), 3);
            }
        },
        "
            read offset=1
            without_a_block
            read_later offset=1
            later_without_a_block
            raw me=3
        ",
    );
}

/// `extern "C" fn`; `#[no_mangle]` stays on the function, once.
#[test]
#[expect(unsafe_code, reason = "the qualifier is under test")]
fn foreign_functions_keep_their_abi_and_their_symbol() {
    let pointer: extern "C" fn(i32) -> i32 = unsafe_functions::foreign;
    check(
        || {
            assert_eq!(pointer(1), 2);
            assert_eq!(unsafe_functions::by_its_name(), 7);
            assert_eq!(unsafe_functions::by_its_other_name(), 8);
            // SAFETY: it has nothing to keep safe.
            let unwound = std::panic::catch_unwind(|| unsafe { unsafe_functions::unwinding(0) });
            assert!(unwound.is_err());
        },
        "
            foreign n=1
            enter_span_tests_exported
            renamed
            unwinding n=0 !panic
        ",
    );
}

#[enter_span]
#[inline(always)]
fn inlined(n: u32) -> u32 {
    n
}

#[enter_span]
#[cold]
#[inline(never)]
fn cold() {}

#[enter_span]
#[must_use = "it is the answer"]
fn answer() -> u32 {
    42
}

#[enter_span]
#[must_use = "it is the answer"]
async fn answer_later() -> u32 {
    yield_now().await;
    42
}

#[enter_span]
#[deprecated(note = "use `answer`")]
fn old_answer() -> u32 {
    41
}

/// `#[inline]`, `#[cold]`, `#[must_use]`, `#[deprecated]` act as on a plain function: the
/// expectations are fulfilled only if the lints fire.
#[test]
fn attributes_of_the_function_act_as_before() {
    check_async(
        async {
            assert_eq!(inlined(1), 1);
            cold();
            #[expect(unused_must_use, reason = "the lint under test")]
            answer();
            #[expect(unused_must_use, reason = "the lint under test")]
            answer_later().await;
            #[expect(deprecated, reason = "the lint under test")]
            let old = old_answer();
            assert_eq!(old, 41);
        },
        "
            inlined
            cold
            answer
            answer_later
            old_answer
        ",
    );
}

/// The attributes stand on the function, before or after ours.
#[test]
fn the_order_of_attributes_does_not_matter() {
    #[must_use]
    #[enter_span]
    fn above() -> u32 {
        1
    }
    #[inline]
    #[enter_span]
    #[doc = "Between."]
    #[must_use]
    fn around() -> u32 {
        2
    }

    check(
        || {
            #[expect(unused_must_use, reason = "the lint under test")]
            above();
            #[expect(unused_must_use, reason = "the lint under test")]
            around();
        },
        "
            above
            around
        ",
    );
}

thread_local! {
    static CALLER: RefCell<u32> = const { RefCell::new(0) };
}

/// `#[track_caller]`: the caller is the caller, also with a span around the body.
#[test]
fn the_tracked_caller_is_the_caller() {
    #[enter_span(attributes(n))]
    #[track_caller]
    fn note(n: u32) {
        if n > 0 {
            return CALLER.set(Location::caller().line());
        }
        inner();
    }
    #[enter_span]
    fn inner() {}
    #[enter_span(err = ignore)]
    #[track_caller]
    fn line(n: Option<u32>) -> Option<u32> {
        n?;
        Some(Location::caller().line())
    }
    #[enter_span]
    #[track_caller]
    fn never() -> ! {
        panic!("never")
    }

    check(
        || {
            note(1);
            let here = line!() - 1;
            assert_eq!(CALLER.take(), here);
            note(0);
            assert_eq!(line(Some(1)), Some(line!()));
            assert_eq!(line(None), None);
            let unwound = std::panic::catch_unwind(|| never());
            assert!(unwound.is_err());
        },
        "
            note n=1
            note n=0
              inner
            line
            line
            never !panic
        ",
    );
}

mod outer {
    pub(super) mod inner {
        use enter_span::enter_span;

        #[derive(Default)]
        pub(in crate::macros::qualifiers) struct Private(u32);

        impl Private {
            #[enter_span(attributes(n = self.0))]
            pub(in crate::macros::qualifiers) fn within(&self) -> u32 {
                super::super::outside(self)
            }
        }

        #[enter_span]
        pub(crate) fn everywhere() {
            private();
            self::up();
        }

        #[enter_span]
        pub(super) fn up() {}

        #[enter_span]
        fn private() {}
    }
}

#[enter_span]
fn outside(_: &outer::inner::Private) -> u32 {
    5
}

/// `pub(crate)`, `pub(in path)`.
#[test]
fn visibility_is_kept() {
    check(
        || {
            outer::inner::everywhere();
            assert_eq!(outer::inner::Private::default().within(), 5);
        },
        "
            everywhere
              private
              up
            within n=0
              outside
        ",
    );
}

/// A caller of edition 2015.
#[test]
#[expect(unsafe_code, reason = "the qualifier is under test")]
fn edition_2015_can_have_spans() {
    let mut row = e2015::Row {
        id: 1,
        name: String::from("a"),
    };
    check(
        || {
            e2015::name_of(&mut row).unwrap().push('!');
            row.id = 0;
            assert!(e2015::name_of(&mut row).is_err());
            assert_eq!(e2015::parse("7").unwrap(), 7);
            assert!(e2015::parse("x").is_err());
            // SAFETY: a reference can be read from.
            assert_eq!(unsafe { e2015::read(&8) }, 8);
            assert_eq!(e2015::generate(3), 3);
        },
        "
            name_of row.id=1 len=1
            name_of row.id=0 !String
            parse text=7 return=7
            parse text=x !ParseIntError
            read
            generate gen=3
        ",
    );
    assert_eq!(row.name, "a!");
}

macro_rules! checks_an_edition {
    ($test:ident: $edition:ident) => {
        /// A caller of an edition that has `async`.
        #[test]
        #[expect(unsafe_code, reason = "the qualifier is under test")]
        fn $test() {
            let mut row = $edition::Row {
                id: 1,
                name: String::from("a"),
            };
            check_async(
                async {
                    $edition::name_of(&mut row).unwrap().push('!');
                    $edition::name_later(&mut row).await.unwrap().push('?');
                    row.id = 0;
                    assert!($edition::name_of(&mut row).is_err());
                    assert!($edition::name_later(&mut row).await.is_err());
                    // SAFETY: a reference can be read from.
                    unsafe {
                        assert_eq!($edition::read(&8), 8);
                        assert_eq!($edition::read_later(&9).await, 9);
                    }
                    assert_eq!($edition::generate(3), 3);
                },
                "
                    name_of row.id=1
                    name_later row.id=2
                    name_of row.id=0 !String
                    name_later row.id=0 !String
                    read
                    read_later
                    generate gen=3
                ",
            );
            assert_eq!(row.name, "a!?");
        }
    };
}

checks_an_edition!(edition_2018_can_have_spans: e2018);
checks_an_edition!(edition_2021_can_have_spans: e2021);

/// Blocks that never give a value, by the rules of fallback of each edition.
#[test]
fn a_block_that_diverges_takes_any_type_in_each_edition() {
    use std::panic::catch_unwind;

    check_async(
        async {
            assert!(catch_unwind(|| e2018::never()).is_err());
            assert!(catch_unwind(e2018::number).is_err());
            assert!(catch_unwind(e2018::nothing).is_err());
            assert!(catch_unwind(|| e2021::never()).is_err());
            assert!(catch_unwind(e2021::number).is_err());
            assert!(catch_unwind(e2021::nothing).is_err());
            assert!(catch_unwind(|| futures::executor::block_on(e2021::never_later())).is_err());
            assert!(catch_unwind(|| futures::executor::block_on(e2021::number_later())).is_err());
            assert_eq!(e2021::sum().await, 3);
        },
        "
            never !panic
            number !panic
            nothing !panic
            never !panic
            number !panic
            nothing !panic
            never later !panic
            number later !panic
            future
            value
        ",
    );
}

/// Tail temporaries: they drop by the rules of the caller's edition.
#[test]
fn temporaries_of_the_last_expression_drop_as_in_a_plain_function() {
    let told = RefCell::new(Vec::new());
    let tell = |name| told.borrow_mut().push(name);
    e2021::plain_tail(&tell);
    e2021::tail(&tell);
    assert_eq!(told.take(), ["local", "temporary", "local", "temporary"]);
    block_on(e2021::plain_tail_later(&tell));
    block_on(e2021::tail_later(&tell));
    assert_eq!(told.take(), ["local", "temporary", "local", "temporary"]);
}
