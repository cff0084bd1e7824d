//! What a function takes: receivers, patterns, generics, names.
//!
//! Functions of every shape compile, or are refused with a word that says why (`ui-tests`).
//! C-variadic definitions are not stable yet.

#![deny(unused_mut, unused_variables, unfulfilled_lint_expectations)]

use std::fmt::Display;
use std::future::{Future, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::str::FromStr;
use std::sync::Arc;

use enter_span::enter_span;
use enter_span::testing::Recorder;
use tokio::task::yield_now;

use crate::support::check::{block_on, check, check_async};
use crate::support::drops::{Noisy, assert_drops, take_log, twins};

struct Words<'a>(&'a str);

/// `async fn f(x: &str)`, several lifetimes, elided lifetimes.
#[test]
fn async_functions_borrow_their_arguments() {
    #[enter_span(attributes(text))]
    async fn elided(text: &str) -> &str {
        yield_now().await;
        text.trim()
    }
    #[enter_span(attributes(a, b))]
    async fn several<'a, 'b>(a: &'a str, b: &'b str) -> (&'a str, &'b str) {
        yield_now().await;
        (a, b)
    }
    #[enter_span]
    async fn outlives<'long: 'short, 'short>(a: &'long str, b: &'short str) -> &'short str {
        yield_now().await;
        if a.len() > b.len() { a } else { b }
    }
    #[enter_span(attributes(text = words.0))]
    async fn inside_of_a_type<'a>(words: Words<'a>) -> &'a str {
        yield_now().await;
        words.0
    }
    #[enter_span(attributes(text = words.0))]
    async fn anonymous(words: &Words<'_>) -> usize {
        yield_now().await;
        words.0.len()
    }

    check_async(
        async {
            let text = String::from("one ");
            assert_eq!(elided(&text).await, "one");
            assert_eq!(several(&text, "2").await, ("one ", "2"));
            assert_eq!(outlives(&text, "2").await, "one ");
            assert_eq!(inside_of_a_type(Words(&text)).await, "one ");
            assert_eq!(anonymous(&Words("2")).await, 1);
        },
        r#"
            elided text="one "
            several a="one " b=2
            outlives
            inside_of_a_type text="one "
            anonymous text=2
        "#,
    );
}

struct Row {
    id: u32,
    name: String,
}

impl Row {
    fn new(id: u32) -> Self {
        Row {
            id,
            name: format!("row {id}"),
        }
    }

    #[enter_span]
    fn name_mut(&mut self) -> Option<&mut String> {
        Some(&mut self.name)
    }

    #[enter_span]
    async fn name_later(&mut self, suffix: &str) -> Result<&mut String, String> {
        yield_now().await;
        self.name.push_str(suffix);
        Ok(&mut self.name)
    }
}

/// `fn f(x: &mut T) -> Result<&mut U, E>` with result capture.
#[test]
fn a_mutable_borrow_leaves_through_the_result() {
    #[enter_span(ret(id = |row| row.id))]
    fn first(rows: &mut [Row]) -> Result<&mut Row, String> {
        rows.first_mut().ok_or_else(|| String::from("empty"))
    }
    #[enter_span(ret(id = |row| row.id))]
    async fn by_id<'a>(rows: &'a mut [Row], id: &u32) -> Result<&'a mut Row, String> {
        yield_now().await;
        let row = rows.iter_mut().find(|row| row.id == *id);
        let row = row.ok_or("no such row")?;
        row.id += 10;
        Ok(row)
    }
    #[enter_span(ret)]
    fn part(row: &mut Row) -> Result<&mut u32, String> {
        Ok(&mut row.id)
    }

    check_async(
        async {
            let mut rows = vec![Row::new(1), Row::new(2)];
            first(&mut rows).unwrap().id = 3;
            assert_eq!(rows[0].id, 3);
            assert!(first(&mut []).is_err());
            assert_eq!(by_id(&mut rows, &2).await.unwrap().name, "row 2");
            *part(&mut rows[1]).unwrap() += 1;
            assert_eq!(rows[1].id, 13);
            rows[0].name_mut().unwrap().push('!');
            assert_eq!(rows[0].name_later("?").await.unwrap(), "row 1!?");
        },
        "
            first id=1
            first !String
            by_id id=12
            part return=12
            name_mut
            name_later
        ",
    );
}

/// `mut x: T`.
#[test]
fn mutable_arguments_stay_mutable_and_show_their_value_at_entry() {
    #[enter_span(attributes(n))]
    fn count_down(mut n: u32) -> u32 {
        let mut steps = 0;
        while n > 0 {
            n -= 1;
            steps += 1;
        }
        steps
    }
    #[enter_span(attributes(list))]
    fn with_one_more(mut list: Vec<u32>) -> Vec<u32> {
        list.push(9);
        list
    }
    #[enter_span(attributes(list))]
    async fn later(mut list: Vec<u32>, (mut a, b): (u32, u32)) -> Vec<u32> {
        yield_now().await;
        a += b;
        list.push(a);
        list
    }

    check_async(
        async {
            assert_eq!(count_down(3), 3);
            assert_eq!(with_one_more(vec![1]), [1, 9]);
            assert_eq!(later(vec![2], (3, 4)).await, [2, 7]);
        },
        "
            count_down n=3
            with_one_more list=[1]
            later list=[2]
        ",
    );
}

#[derive(Clone, Copy)]
struct Point {
    x: u32,
    y: u32,
    #[expect(dead_code, reason = "what a pattern leaves out")]
    z: u32,
}

const POINT: Point = Point { x: 1, y: 2, z: 3 };

struct Text(String);

/// Destructuring finds every bound name.
#[test]
fn every_name_that_a_pattern_binds_can_be_an_attribute() {
    #[enter_span(attributes(a, b, x, other, c, d, e, f, g, h, i, whole.y = whole.y))]
    fn all(
        (a, b): (u32, u32),
        Point { x, y: other, .. }: Point,
        &(c, d): &(u32, u32),
        [e, f]: [u32; 2],
        Text(ref g): Text,
        ((h, _), [.., i]): ((u32, u32), [u32; 3]),
        whole @ Point { .. }: Point,
    ) -> u32 {
        let length = u32::try_from(g.len()).unwrap();
        a + b + x + other + c + d + e + f + length + h + i + whole.x
    }
    #[enter_span(attributes(a, b, x, other, c, d, e, f, g, h, i, whole.y = whole.y))]
    async fn later(
        (a, b): (u32, u32),
        Point { x, y: other, .. }: Point,
        &(c, d): &(u32, u32),
        [e, f]: [u32; 2],
        Text(ref g): Text,
        ((h, _), [.., i]): ((u32, u32), [u32; 3]),
        whole @ Point { .. }: Point,
    ) -> u32 {
        yield_now().await;
        let length = u32::try_from(g.len()).unwrap();
        a + b + x + other + c + d + e + f + length + h + i + whole.x
    }

    let text = || Text(String::from("six"));
    check_async(
        async {
            // 1 + 2 + 1 + 2 + 3 + 4 + 5 + 6 + 3 + 7 + 8 + 1
            let sum = all(
                (1, 2),
                POINT,
                &(3, 4),
                [5, 6],
                text(),
                ((7, 0), [0, 0, 8]),
                POINT,
            );
            assert_eq!(sum, 43);
            let sum = later(
                (1, 2),
                POINT,
                &(3, 4),
                [5, 6],
                text(),
                ((7, 0), [0, 0, 8]),
                POINT,
            );
            assert_eq!(sum.await, 43);
        },
        "
            all a=1 b=2 x=1 other=2 c=3 d=4 e=5 f=6 g=six h=7 i=8 whole.y=2
            later a=1 b=2 x=1 other=2 c=3 d=4 e=5 f=6 g=six h=7 i=8 whole.y=2
        ",
    );
}

/// Destructuring, where the pattern looks through a reference.
#[test]
fn names_bound_through_a_reference_are_borrowed() {
    #[enter_span(attributes(id, name))]
    fn now(Row { id, name }: &mut Row) -> &mut String {
        *id += 1;
        name
    }
    #[enter_span(attributes(id, name))]
    async fn later(Row { id, name }: &mut Row, (a, _): &(u32, u32)) -> u32 {
        yield_now().await;
        *id += a;
        name.push('!');
        *id
    }

    check_async(
        async {
            let mut row = Row::new(1);
            now(&mut row).push('?');
            assert_eq!(later(&mut row, &(5, 6)).await, 7);
            assert_eq!(row.name, "row 1?!");
        },
        r#"
            now id=1 name="row 1"
            later id=2 name="row 1?"
        "#,
    );
}

/// `_` and `_x` params; two `_` params, or `_` next to `x`.
#[test]
fn arguments_without_a_name_do_not_collide() {
    #[enter_span(attributes(x))]
    fn now(_: u32, x: u32, _: &str, _y: u32, (_, _): (u32, u32)) -> u32 {
        x
    }
    #[enter_span(attributes(x))]
    async fn later(_: u32, x: u32, _: &str, _y: u32, (_, _): (u32, u32)) -> u32 {
        yield_now().await;
        x
    }
    // To name it is the user's decision.
    #[enter_span(attributes(_y))]
    fn named(_y: u32) {}

    check_async(
        async {
            assert_eq!(now(1, 2, "3", 4, (5, 6)), 2);
            assert_eq!(later(1, 2, "3", 4, (5, 6)).await, 2);
            named(7);
        },
        "
            now x=2
            later x=2
            named _y=7
        ",
    );
}

/// An unused param must still warn: the expectations are fulfilled only if the lint fires.
#[test]
fn unused_arguments_are_still_reported() {
    #[enter_span]
    #[expect(unused_variables, reason = "the lint under test")]
    fn now(input: u32) {}
    #[enter_span]
    #[expect(unused_variables, reason = "the lint under test")]
    async fn later(input: u32) {}
    #[enter_span]
    fn one_of_two(
        used: u32,
        #[expect(unused_variables, reason = "the lint under test")] not: u32,
    ) -> u32 {
        used
    }
    #[enter_span]
    async fn one_of_two_later(
        used: u32,
        #[expect(unused_variables, reason = "the lint under test")] not: u32,
    ) -> u32 {
        used
    }
    #[enter_span]
    #[expect(unused_variables, reason = "the lint under test")]
    fn in_a_pattern((a, b): (u32, u32)) -> u32 {
        a
    }
    #[enter_span]
    #[expect(unused_mut, reason = "the lint under test")]
    fn needlessly_mutable(mut a: u32) -> u32 {
        a
    }

    check_async(
        async {
            now(1);
            later(1).await;
            assert_eq!(one_of_two(2, 3), 2);
            assert_eq!(one_of_two_later(2, 3).await, 2);
            assert_eq!(in_a_pattern((4, 5)), 4);
            assert_eq!(needlessly_mutable(6), 6);
        },
        "
            now
            later
            one_of_two
            one_of_two_later
            in_a_pattern
            needlessly_mutable
        ",
    );
}

twins! { arguments:
    pub(crate) fn run(first: Noisy, _: Noisy, used: Noisy, _unused: Noisy, _: Noisy) {
        let _local = Noisy("local");
        log(used.0);
        let _ = &first;
    }
}

twins! { later:
    pub(crate) async fn run(first: Noisy, _: Noisy, used: Noisy, _unused: Noisy, _: Noisy) {
        let _local = Noisy("local");
        tokio::task::yield_now().await;
        log(used.0);
        let _ = &first;
    }
}

/// Arguments drop in the order of the plain function, after the span.
#[test]
fn arguments_drop_after_the_span_as_in_a_plain_function() {
    fn call(run: fn(Noisy, Noisy, Noisy, Noisy, Noisy)) -> Vec<String> {
        let noisy = ["first", "blank", "used", "unused", "last"].map(Noisy);
        let [first, blank, used, unused, last] = noisy;
        run(first, blank, used, unused, last);
        take_log()
    }
    let plain = call(arguments::plain::run);
    let spanned = Recorder::new().enter(|| call(arguments::spanned::run));
    assert_drops(
        &plain,
        &spanned,
        &[
            "used",
            "local inside",
            "last outside",
            "unused outside",
            "used outside",
            "blank outside",
            "first outside",
        ],
    );
}

/// An unused param in an async fn drops as late, and in the same order, as in a plain one.
#[test]
fn async_arguments_drop_after_the_span_as_in_a_plain_function() {
    let noisy = || ["first", "blank", "used", "unused", "last"].map(Noisy);
    let [a, b, c, d, e] = noisy();
    block_on(later::plain::run(a, b, c, d, e));
    let plain = take_log();
    let [a, b, c, d, e] = noisy();
    block_on(Recorder::new().enter_async(later::spanned::run(a, b, c, d, e)));
    assert_drops(
        &plain,
        &take_log(),
        &[
            "used",
            "local inside",
            "last outside",
            "unused outside",
            "used outside",
            "blank outside",
            "first outside",
        ],
    );
}

/// An unused param in an async fn is held until the future is dropped.
#[test]
fn arguments_of_a_dropped_future_drop_as_in_a_plain_function() {
    let noisy = || ["first", "blank", "used", "unused", "last"].map(Noisy);
    let [a, b, c, d, e] = noisy();
    drop(later::plain::run(a, b, c, d, e));
    let plain = take_log();
    let [a, b, c, d, e] = noisy();
    Recorder::new().enter(|| drop(later::spanned::run(a, b, c, d, e)));
    // Never polled, so there was no span; and a future's parts drop in the order of their names.
    assert_drops(
        &plain,
        &take_log(),
        &[
            "first outside",
            "blank outside",
            "used outside",
            "unused outside",
            "last outside",
        ],
    );
}

twins! { consumed:
    pub(crate) fn run(first: Noisy, second: Noisy, consume: bool) {
        let _local = Noisy("local");
        if consume {
            drop(first);
            drop(second);
        }
    }
}

/// An argument that the body consumes drops where the body drops it.
#[test]
fn consumed_arguments_drop_inside_the_span() {
    let call = |run: fn(Noisy, Noisy, bool)| {
        run(Noisy("first"), Noisy("second"), true);
        take_log()
    };
    let plain = call(consumed::plain::run);
    let spanned = Recorder::new().enter(|| call(consumed::spanned::run));
    let expected = ["first inside", "second inside", "local inside"];
    assert_drops(&plain, &spanned, &expected);
}

/// One that the body could have consumed, and did not, drops at the end of the body: the body
/// has it. (In the plain function it would drop with the other arguments.)
#[test]
fn arguments_that_may_be_consumed_drop_with_the_body() {
    Recorder::new().enter(|| consumed::spanned::run(Noisy("first"), Noisy("second"), false));
    let log = take_log();
    assert_eq!(log, ["local inside", "first inside", "second inside"]);
}

/// `impl Trait` arg, `impl Fn(&str)`, `&dyn Trait`.
#[test]
fn arguments_of_unnameable_types_are_passed_on() {
    #[enter_span(attributes(shown = %shown, size = each("four")))]
    fn now(name: impl AsRef<str>, each: impl Fn(&str) -> usize, shown: &dyn Display) -> String {
        format!("{} {} {shown}", name.as_ref(), each(name.as_ref()))
    }
    #[enter_span(attributes(shown = %shown))]
    async fn later(
        once: impl FnOnce() -> u32,
        mut each: impl FnMut(u32),
        work: impl Future<Output = u32>,
        shown: &dyn Display,
    ) -> String {
        each(once());
        format!("{} {shown}", work.await)
    }

    check_async(
        async {
            assert_eq!(now("ab", str::len, &3), "ab 2 3");
            let mut seen = 0;
            assert_eq!(later(|| 1, |n| seen = n, ready(2), &3).await, "2 3");
            assert_eq!(seen, 1);
        },
        "
            now shown=3 size=4
            later shown=3
        ",
    );
}

/// Generics needing no bound.
#[test]
fn generics_get_no_bound_from_the_span() {
    struct Bare;

    #[enter_span]
    fn pass<T>(value: T) -> T {
        value
    }
    #[enter_span]
    fn fail<T, E>(error: E) -> Result<T, E> {
        Err(error)
    }
    #[enter_span]
    async fn later<T>(value: T) -> T {
        yield_now().await;
        value
    }
    #[enter_span]
    fn unsized_too<T: ?Sized>(_: &T) {}
    // The bound is the user's, for the value that is named.
    #[enter_span(attributes(value = ?value))]
    fn shown<T: std::fmt::Debug>(value: T) -> T {
        value
    }

    check_async(
        async {
            let Bare = pass(Bare);
            let Err(Bare) = fail::<(), Bare>(Bare) else {
                panic!("it fails")
            };
            let Bare = later(Bare).await;
            unsized_too("text");
            assert_eq!(shown(Some(1)), Some(1));
        },
        "
            pass
            fail !Bare
            later
            unsized_too
            shown value=Some(1)
        ",
    );
}

/// Generics only in return position.
#[test]
fn generics_that_only_the_caller_knows_are_inferred() {
    #[enter_span]
    fn make<T: Default>() -> T {
        T::default()
    }
    #[enter_span(attributes(text))]
    fn parse<T: FromStr>(text: &str) -> Result<T, T::Err> {
        text.parse()
    }
    #[enter_span(attributes(n = N))]
    fn zeros<const N: usize>() -> [u8; N] {
        [0; N]
    }
    #[enter_span]
    async fn make_later<T: Default>() -> T {
        yield_now().await;
        T::default()
    }

    check_async(
        async {
            assert_eq!(make::<u32>(), 0);
            assert_eq!(parse::<u8>("7"), Ok(7));
            assert!(parse::<u8>("x").is_err());
            assert_eq!(zeros::<2>(), [0, 0]);
            let text: String = make_later().await;
            assert_eq!(text, "");
        },
        "
            make
            parse text=7
            parse text=x !ParseIntError
            zeros n=2
            make_later
        ",
    );
}

#[derive(Clone, Default)]
struct Counter(u32);

impl Counter {
    const STEP: u32 = 2;

    #[enter_span(attributes(step = Self::STEP))]
    fn starting_at(at: u32) -> Self {
        Self(at)
    }

    #[enter_span]
    fn checked(at: u32) -> Result<Self, String> {
        match at {
            0 => Err(String::from("zero")),
            at => Ok(Self(at)),
        }
    }

    #[enter_span(attributes(at = self.0))]
    fn by_value(self) -> u32 {
        self.0
    }

    #[enter_span(attributes(at = self.0))]
    fn by_ref(&self) -> &u32 {
        &self.0
    }

    #[enter_span(attributes(at = self.0))]
    fn by_mut(&mut self) -> &mut Self {
        self.0 += Self::STEP;
        self
    }

    #[enter_span(attributes(at = self.0))]
    fn by_mut_value(mut self) -> Self {
        self.0 += Self::STEP;
        self
    }

    #[enter_span(attributes(at = self.0))]
    async fn value_later(self) -> u32 {
        yield_now().await;
        self.0
    }

    #[enter_span(attributes(at = self.0))]
    async fn ref_later(&self) -> &u32 {
        yield_now().await;
        &self.0
    }

    #[enter_span(attributes(at = self.0))]
    async fn mut_later(&mut self) -> &mut Self {
        yield_now().await;
        self.0 += Self::STEP;
        self
    }

    #[enter_span(attributes(at = self.0))]
    async fn mut_value_later(mut self) -> Self {
        yield_now().await;
        self.0 += Self::STEP;
        self
    }
}

/// `self`, `&self`, `&mut self`, `mut self`.
#[test]
fn every_receiver_is_taken() {
    check_async(
        async {
            let mut counter = Counter::starting_at(1);
            assert_eq!(counter.by_mut().by_mut().by_ref(), &5);
            assert_eq!(counter.clone().by_mut_value().by_value(), 7);
            assert_eq!(counter.mut_later().await.ref_later().await, &7);
            assert_eq!(counter.mut_value_later().await.value_later().await, 9);
        },
        "
            starting_at step=2
            by_mut at=1
            by_mut at=3
            by_ref at=5
            by_mut_value at=5
            by_value at=7
            mut_later at=5
            ref_later at=7
            mut_value_later at=7
            value_later at=9
        ",
    );
}

impl Counter {
    #[enter_span(attributes(at = self.0))]
    #[expect(clippy::boxed_local, reason = "the receiver is under test")]
    fn boxed(self: Box<Self>) -> u32 {
        self.0
    }

    #[enter_span(attributes(at = self.0))]
    fn counted(self: Rc<Self>) -> Rc<Self> {
        self
    }

    #[enter_span(attributes(at = self.0))]
    fn shared(self: Arc<Self>) -> u32 {
        self.0
    }

    #[enter_span(attributes(at = self.0))]
    fn borrowed(self: &Arc<Self>) -> Arc<Self> {
        Arc::clone(self)
    }

    #[enter_span(attributes(at = self.0))]
    fn pinned(mut self: Pin<&mut Self>) -> u32 {
        self.0 += 1;
        self.0
    }

    #[enter_span(attributes(at = self.0))]
    async fn boxed_later(mut self: Box<Self>) -> Box<Self> {
        yield_now().await;
        self.0 += 1;
        self
    }

    #[enter_span(attributes(at = self.0))]
    async fn shared_later(self: Arc<Self>) -> u32 {
        yield_now().await;
        self.0
    }

    #[enter_span(attributes(at = self.0))]
    async fn borrowed_later(self: &Arc<Self>) -> &u32 {
        yield_now().await;
        &self.0
    }

    #[enter_span(attributes(at = self.0))]
    async fn pinned_later(mut self: Pin<&mut Self>) -> u32 {
        yield_now().await;
        self.as_mut().0 += 1;
        self.0
    }
}

/// `self: Box<Self>`, `Rc<Self>`, `Arc<Self>`, `&Arc<Self>`, `Pin<&mut Self>`.
#[test]
fn every_typed_receiver_is_taken() {
    check_async(
        async {
            let shared = Arc::new(Counter(3));
            assert_eq!(Box::new(Counter(1)).boxed(), 1);
            assert_eq!(Rc::new(Counter(2)).counted().0, 2);
            assert_eq!(shared.borrowed().shared(), 3);
            let mut counter = Counter(4);
            assert_eq!(Pin::new(&mut counter).pinned(), 5);
            assert_eq!(Box::new(Counter(6)).boxed_later().await.0, 7);
            assert_eq!(shared.borrowed_later().await, &3);
            assert_eq!(shared.shared_later().await, 3);
            assert_eq!(Pin::new(&mut counter).pinned_later().await, 6);
        },
        "
            boxed at=1
            counted at=2
            borrowed at=3
            shared at=3
            pinned at=4
            boxed_later at=6
            borrowed_later at=3
            shared_later at=3
            pinned_later at=5
        ",
    );
}

impl Counter {
    #[enter_span]
    fn doubled(&self) -> Self {
        struct Local(u32);

        impl Local {
            #[enter_span]
            fn of(counter: &Counter) -> Self {
                Self(counter.0)
            }
        }

        let Local(at) = Local::of(self);
        let make = |at| Self(at);
        make(Self::STEP * at)
    }

    #[enter_span]
    async fn doubled_later(&self) -> Result<Self, String> {
        yield_now().await;
        let Self(at) = self;
        Self::checked(at * Self::STEP)
    }
}

/// `Self` in body, in return type, in nested items.
#[test]
fn the_name_self_means_what_it_meant() {
    check_async(
        async {
            assert_eq!(Counter(2).doubled().0, 4);
            assert_eq!(Counter(3).doubled_later().await.unwrap().0, 6);
            assert!(Counter(0).doubled_later().await.is_err());
        },
        "
            doubled
              of
            doubled_later
              checked
            doubled_later !String
              checked !String
        ",
    );
}

trait Shape {
    const SIDES: u32;
    type Unit: Default + Display;

    #[enter_span(attributes(sides = Self::SIDES, unit = %Self::Unit::default()))]
    fn describe(&self) -> (u32, Self::Unit) {
        let unit: Self::Unit = Default::default();
        (Self::SIDES, unit)
    }
}

struct Square;

impl Shape for Square {
    const SIDES: u32 = 4;
    type Unit = u8;
}

/// Associated consts and types in body.
#[test]
fn associated_items_are_in_scope() {
    #[enter_span(attributes(sides = S::SIDES))]
    fn generic<S: Shape>(shape: &S) -> S::Unit {
        let (_, unit): (u32, <S as Shape>::Unit) = shape.describe();
        unit
    }

    check(
        || assert_eq!(generic(&Square), 0),
        "
            generic sides=4
              describe sides=4 unit=0
        ",
    );
}

/// Raw identifiers, as arg and as fn, are recorded without `r#`.
#[test]
fn raw_identifiers_lose_their_prefix_in_the_record() {
    #[enter_span(attributes(r#type, r#fn.r#in = r#type))]
    fn r#match(r#type: u32) -> u32 {
        r#type
    }
    #[enter_span(attributes(r#type))]
    async fn r#loop(r#type: u32, mut r#use: String) -> String {
        yield_now().await;
        r#use.push('!');
        format!("{type} {use}", r#type = r#type, r#use = r#use)
    }

    let trace = check_async(
        async {
            assert_eq!(r#match(3), 3);
            assert_eq!(r#loop(4, String::from("x")).await, "4 x!");
        },
        "
            match type=3 fn.in=3
            loop type=4
        ",
    );
    let function = trace.find("match").attribute("code.function.name");
    assert!(
        format!("{function:?}").contains("::match\""),
        "{function:?}"
    );
}

/// Args named like internals.
#[test]
fn arguments_may_have_the_names_of_internals() {
    #[enter_span(attributes(
        span, e, x, guard, result, __span, debug, display, cx, entered, value, start, slot, sum = e + x
    ))]
    #[expect(clippy::too_many_arguments, reason = "all names at once")]
    fn now(
        span: u32,
        e: u32,
        x: u32,
        guard: u32,
        result: u32,
        __span: u32,
        debug: u32,
        display: u32,
        cx: u32,
        entered: u32,
        value: u32,
        start: u32,
        slot: u32,
    ) -> u32 {
        span + e + x + guard + result + debug + display + cx + entered + value + start + slot
    }
    #[enter_span(
        start(first = start),
        attributes(span, entered = ?entered, value = %value, slot = slot, handle, made),
        ret(result = |value| *value)
    )]
    #[expect(clippy::too_many_arguments, reason = "all names at once")]
    async fn later(
        span: u32,
        entered: u32,
        value: u32,
        start: u32,
        mut slot: u32,
        handle: u32,
        made: u32,
        result: u32,
    ) -> u32 {
        yield_now().await;
        slot += 1;
        span + entered + value + start + slot + handle + made + result
    }

    check_async(
        async {
            assert_eq!(now(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13), 85);
            assert_eq!(later(1, 2, 3, 4, 5, 6, 7, 8).await, 37);
        },
        "
            now span=1 e=2 x=3 guard=4 result=5 __span=6 debug=7 display=8 cx=9 entered=10 value=11 start=12 slot=13 sum=5
            later first=4 span=1 entered=2 value=3 slot=5 handle=6 made=7 result=37
        ",
    );
}

/// Other attributes on an arg.
#[test]
fn attributes_of_an_argument_stay_on_it() {
    #[enter_span(attributes(b))]
    fn now(
        #[expect(unused_variables, reason = "it is under test")] a: u32,
        b: u32,
        #[cfg(any())] c: NoSuchType,
    ) -> u32 {
        b
    }
    #[enter_span(attributes(b))]
    async fn later(
        #[expect(unused_variables, reason = "it is under test")] a: u32,
        b: u32,
        #[cfg(any())] c: NoSuchType,
    ) -> u32 {
        yield_now().await;
        b
    }

    check_async(
        async {
            assert_eq!(now(1, 2), 2);
            assert_eq!(later(1, 2).await, 2);
        },
        "
            now b=2
            later b=2
        ",
    );
}
