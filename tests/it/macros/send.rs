//! Auto traits, sizes and lifetimes: an annotated `async fn` can do what its plain twin can.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::marker::{PhantomData, PhantomPinned};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::mpsc;

use enter_span::{Span, enter_span, enter_span_async, in_span};
use tokio::task::{LocalSet, yield_now};

use crate::support::check::{block_on, check, check_async};

fn assert_send<T: Send>(_: T) {}

/// Answers whether `T` is `Send` without asking for it: an inherent method, where it fits, hides
/// that of a trait.
struct Asked<T>(PhantomData<T>);

trait Otherwise {
    fn is_send(&self) -> bool {
        false
    }
}

impl<T> Otherwise for Asked<T> {}

impl<T: Send> Asked<T> {
    fn is_send(&self) -> bool {
        true
    }
}

fn asked<T>(_: &T) -> Asked<T> {
    Asked(PhantomData)
}

/// Arguments that are `Send` and not `Sync`, and are merely borrowed across an await.
mod borrowed {
    use super::*;

    #[enter_span]
    pub(super) async fn cell(count: Cell<u8>) -> u8 {
        yield_now().await;
        count.set(count.get() + 1);
        count.get()
    }

    #[enter_span]
    pub(super) async fn closure(double: Box<dyn Fn(u8) -> u8 + Send>) -> u8 {
        let once = double(1);
        yield_now().await;
        double(once)
    }

    #[enter_span]
    pub(super) async fn unique(count: &mut Cell<u8>) -> u8 {
        count.set(1);
        yield_now().await;
        count.get()
    }

    #[enter_span]
    pub(super) async fn receiver(numbers: mpsc::Receiver<u8>) -> u8 {
        yield_now().await;
        numbers.try_recv().unwrap_or(2)
    }

    #[enter_span]
    pub(super) async fn tuple((count, step): (Cell<u8>, u8)) -> u8 {
        yield_now().await;
        count.get() + step
    }

    pub(super) struct Pair {
        pub(super) count: Cell<u8>,
        pub(super) step: u8,
    }

    #[enter_span]
    pub(super) async fn fields(Pair { count, step }: Pair) -> u8 {
        yield_now().await;
        count.get() + step
    }

    pub(super) struct Wrapped(pub(super) Cell<u8>);

    #[enter_span]
    pub(super) async fn wrapped(Wrapped(count): Wrapped) -> u8 {
        yield_now().await;
        count.get()
    }

    #[enter_span]
    pub(super) async fn named_in_text(count: RefCell<u8>) -> String {
        let text = format!("{count:?}");
        yield_now().await;
        format!("{text} {count:?}")
    }

    #[enter_span]
    pub(super) async fn generic<T: Send, F: FnMut(&T) -> u8 + Send>(value: T, mut read: F) -> u8 {
        yield_now().await;
        read(&value) + read(&value)
    }
}

/// What is `Send` stays `Send`, also where an argument is not `Sync`.
#[test]
fn arguments_that_are_not_sync_leave_the_future_send() {
    use borrowed::*;
    let (_sender, numbers) = mpsc::channel();
    assert_send(cell(Cell::new(1)));
    assert_send(closure(Box::new(|n| n * 2)));
    assert_send(unique(&mut Cell::new(1)));
    assert_send(receiver(numbers));
    assert_send(tuple((Cell::new(1), 2)));
    assert_send(fields(Pair {
        count: Cell::new(1),
        step: 2,
    }));
    assert_send(wrapped(Wrapped(Cell::new(1))));
    assert_send(named_in_text(RefCell::new(1)));
    assert_send(generic(Cell::new(1), |count: &Cell<u8>| count.get()));
}

struct Counter {
    count: Cell<u8>,
}

impl Counter {
    #[enter_span]
    async fn by_unique_reference(&mut self) -> u8 {
        self.count.set(self.count.get() + 1);
        yield_now().await;
        self.count.get()
    }

    #[enter_span]
    async fn by_value(self) -> u8 {
        yield_now().await;
        self.count.get()
    }

    #[enter_span]
    async fn by_mutable_value(mut self) -> u8 {
        *self.count.get_mut() += 1;
        yield_now().await;
        self.count.get()
    }

    #[enter_span]
    async fn boxed(self: Box<Self>) -> u8 {
        yield_now().await;
        self.count.get()
    }

    #[enter_span]
    async fn pinned(self: Pin<&mut Self>) -> u8 {
        yield_now().await;
        self.count.get()
    }

    #[enter_span]
    #[expect(
        clippy::needless_arbitrary_self_type,
        reason = "macros write receivers like this"
    )]
    async fn by_typed_reference(self: &mut Self) -> u8 {
        yield_now().await;
        self.count.get()
    }
}

/// A receiver is an argument like any other.
#[test]
fn receivers_that_are_not_sync_leave_the_future_send() {
    let counter = || Counter {
        count: Cell::new(1),
    };
    let mut kept = counter();
    assert_send(kept.by_unique_reference());
    assert_send(kept.by_typed_reference());
    assert_send(Pin::new(&mut kept).pinned());
    assert_send(counter().by_value());
    assert_send(counter().by_mutable_value());
    assert_send(Box::new(counter()).boxed());
}

#[enter_span]
async fn shares(value: Rc<u8>) -> u8 {
    yield_now().await;
    *value
}

#[enter_span]
async fn awaits<F: Future>(work: F) -> F::Output {
    work.await
}

/// `async fn` generic over `Send`ness. nothing is made `Send` that is not.
#[test]
fn a_generic_future_is_send_exactly_where_its_parts_are() {
    let send = awaits(borrowed::cell(Cell::new(1)));
    let local = awaits(shares(Rc::new(1)));
    assert!(asked(&send).is_send());
    assert!(!asked(&local).is_send());
}

fn local_block() -> impl Future<Output = u8> {
    let shared = Rc::new(1);
    enter_span_async("function", |_| async move {
        yield_now().await;
        *shared
    })
}

/// The forms for blocks follow the same rule.
#[test]
fn blocks_are_send_where_their_parts_are() {
    let number = Cell::new(1);
    assert_send(enter_span_async("function", |span| async move {
        yield_now().await;
        span.set_attribute("n", number.get());
        yield_now().await;
        number.get()
    }));
    let text = String::from("text");
    assert_send(in_span!("macro", async |span| {
        yield_now().await;
        span.set_attribute("text", text.as_str());
    }));
    assert!(!asked(&local_block()).is_send());
}

/// The handle goes to other threads.
#[test]
fn the_handle_is_send_and_sync() {
    fn assert_both<T: Send + Sync + Unpin + 'static>() {}
    assert_both::<Span>();
    assert_both::<enter_span::Context>();
    assert_both::<enter_span::SpanContext>();
}

/// `async fn` plain: it can be spawned, and so can a block.
#[test]
fn annotated_work_can_be_spawned() {
    let spawned = || async {
        let function = tokio::spawn(borrowed::cell(Cell::new(1)));
        let block = tokio::spawn(enter_span_async("block", |span| async move {
            yield_now().await;
            span.is_traced()
        }));
        (function.await.ok(), block.await.ok())
    };
    assert_eq!(block_on(spawned()), (Some(2), Some(false)));
}

/// `async fn` with a `!Send` body on a local executor.
#[test]
fn a_body_that_is_not_send_runs_on_a_local_set() {
    check_async(
        LocalSet::new().run_until(async {
            let shared = Rc::new(3);
            assert_eq!(shares(Rc::clone(&shared)).await, 3);
            assert_eq!(
                enter_span_async("block", |_| async { *shared + 1 }).await,
                4
            );
        }),
        "
        shares
        block
        ",
    );
}

/// How much larger the annotated future is than its plain twin.
fn growth<A, B>(annotated: &A, plain: &B) -> usize {
    size_of_val(annotated).saturating_sub(size_of_val(plain))
}

/// The price of a span in a future, in bytes.
const SPAN: usize = 96;

macro_rules! twins {
    ($(async fn $name:ident / $plain:ident($($arg:ident: $ty:ty),*) -> $ret:ty $body:block)+) => {$(
        #[enter_span]
        async fn $name($($arg: $ty),*) -> $ret $body

        async fn $plain($($arg: $ty),*) -> $ret $body
    )+};
}

twins! {
    async fn reads_array / plain_reads_array(list: [u8; 256]) -> u8 {
        yield_now().await;
        list[0] + list[255]
    }

    async fn reads_text / plain_reads_text(text: &str) -> usize {
        yield_now().await;
        text.len()
    }

    async fn consumes / plain_consumes(list: [u8; 256]) -> usize {
        yield_now().await;
        let sum = async move { list.into_iter().map(usize::from).sum() };
        sum.await
    }

    async fn leaves_it / plain_leaves_it(_list: [u8; 256]) -> u8 {
        yield_now().await;
        1
    }
}

#[enter_span(attributes(text, text.len = text.len(), list.first = list[0]), ret)]
async fn reads_both(text: &str, list: [u8; 256]) -> Result<u8, String> {
    yield_now().await;
    text.bytes().next().map(|b| b & list[0]).ok_or(text.into())
}

async fn plain_reads_both(text: &str, list: [u8; 256]) -> Result<u8, String> {
    yield_now().await;
    text.bytes().next().map(|b| b & list[0]).ok_or(text.into())
}

/// A future that borrows its arguments stores each of them once.
#[test]
fn a_span_costs_a_future_few_bytes() {
    let list = [1; 256];
    assert!(growth(&reads_array(list), &plain_reads_array(list)) <= SPAN);
    assert!(growth(&reads_text("a"), &plain_reads_text("a")) <= SPAN);
    assert!(growth(&leaves_it(list), &plain_leaves_it(list)) <= SPAN);
    assert!(growth(&reads_both("a", list), &plain_reads_both("a", list)) <= SPAN);
}

/// What the body takes by value may be stored once more.
#[test]
fn an_argument_that_is_consumed_is_held_at_most_twice() {
    let list = [1; 256];
    assert!(growth(&consumes(list), &plain_consumes(list)) <= SPAN + 256);
}

#[enter_span]
async fn outer(list: [u8; 256]) -> u8 {
    middle(&list).await + list[0]
}

#[enter_span]
async fn middle(list: &[u8; 256]) -> u8 {
    reads_array(*list).await
}

async fn plain_outer(list: [u8; 256]) -> u8 {
    plain_middle(&list).await + list[0]
}

async fn plain_middle(list: &[u8; 256]) -> u8 {
    plain_reads_array(*list).await
}

/// The price is paid once for each level, and does not multiply.
#[test]
fn futures_grow_by_the_same_at_each_level() {
    let list = [1; 256];
    assert!(growth(&middle(&list), &plain_middle(&list)) <= 2 * SPAN);
    assert!(growth(&outer(list), &plain_outer(list)) <= 3 * SPAN);
}

/// Lifetimes: whatever compiles without the attribute compiles with it.
mod lifetimes {
    use super::*;

    pub(super) struct Ctx<'a> {
        pub(super) r: &'a mut u8,
    }

    #[enter_span]
    pub(super) async fn reborrowed<'a>(ctx: Ctx<'a>) -> &'a mut u8 {
        yield_now().await;
        *ctx.r += 1;
        ctx.r
    }

    #[enter_span]
    pub(super) async fn elided(ctx: Ctx<'_>) -> &mut u8 {
        yield_now().await;
        *ctx.r += 1;
        &mut *ctx.r
    }

    #[enter_span]
    pub(super) async fn through<'a, 'b>(ctx: &'b mut Ctx<'a>) -> &'b mut u8 {
        yield_now().await;
        &mut *ctx.r
    }

    #[enter_span]
    pub(super) async fn part(pair: &mut (u8, String)) -> Result<&mut String, u8> {
        yield_now().await;
        match pair {
            (0, text) => Ok(text),
            (code, _) => Err(*code),
        }
    }

    pub(super) struct Holder<'a> {
        pub(super) r: &'a mut u8,
    }

    #[enter_span]
    pub(super) async fn out<'a>(out: &mut Vec<&'a mut u8>, x: Holder<'a>) {
        yield_now().await;
        out.push(x.r);
    }

    #[enter_span]
    pub(super) async fn out_reborrowed<'a>(out: &mut Vec<&'a mut u8>, x: Holder<'a>) {
        yield_now().await;
        out.push(&mut *x.r);
    }

    #[enter_span]
    pub(super) async fn longest<'a: 'b, 'b>(a: &'a str, b: &'b str) -> &'b str {
        yield_now().await;
        if a.len() > b.len() { a } else { b }
    }

    #[enter_span]
    pub(super) async fn cell_of<'a>(slot: &Cell<Option<&'a u8>>, value: Option<&'a u8>) {
        slot.set(value);
        yield_now().await;
    }

    #[enter_span]
    pub(super) async fn into_slot<'a>(slot: &mut Option<Ctx<'a>>, ctx: Ctx<'a>) {
        yield_now().await;
        *slot = Some(ctx);
    }

    #[enter_span]
    pub(super) async fn iterator<'a>(mut list: std::slice::IterMut<'a, u8>) -> Option<&'a mut u8> {
        yield_now().await;
        list.next()
    }

    #[enter_span]
    pub(super) async fn chunk<'a>(list: std::slice::IterMut<'a, u8>) -> &'a mut [u8] {
        yield_now().await;
        list.into_slice()
    }

    #[enter_span]
    pub(super) async fn boxed<'a>(
        read: Box<dyn Fn(&'a str) -> &'a str + Send + 'a>,
        text: &'a str,
    ) -> &'a str {
        yield_now().await;
        read(text)
    }

    impl<'a> Holder<'a> {
        #[enter_span]
        pub(super) async fn finish(self) -> &'a mut u8 {
            yield_now().await;
            self.r
        }

        #[enter_span]
        pub(super) async fn finish_reborrowed(self) -> &'a mut u8 {
            yield_now().await;
            &mut *self.r
        }

        #[enter_span]
        pub(super) async fn store_other(&mut self, other: Holder<'a>) {
            yield_now().await;
            self.r = &mut *other.r;
        }

        #[enter_span]
        pub(super) async fn lend(&mut self) -> &mut u8 {
            yield_now().await;
            self.r
        }
    }

    pub(super) type Alias<'a> = Ctx<'a>;

    #[enter_span]
    pub(super) async fn alias<'a>(ctx: Alias<'a>) -> &'a mut u8 {
        yield_now().await;
        &mut *ctx.r
    }

    #[enter_span]
    pub(super) async fn destructured<'a>(Ctx { r }: Ctx<'a>) -> &'a mut u8 {
        yield_now().await;
        &mut *r
    }

    #[enter_span]
    pub(super) async fn of_tuple<'a>((left, right): (&'a mut u8, &'a mut u8)) -> &'a mut u8 {
        yield_now().await;
        if *left > *right {
            &mut *left
        } else {
            &mut *right
        }
    }

    #[enter_span]
    pub(super) async fn shared_part(list: &(Vec<u8>, u8)) -> impl Iterator<Item = &u8> {
        yield_now().await;
        list.0.iter()
    }
}

/// `async fn` plain: borrows of every kind go in and come out.
#[test]
fn borrows_go_in_and_come_out() {
    use lifetimes::*;
    check_async(
        async {
            let mut byte = 1;
            *reborrowed(Ctx { r: &mut byte }).await += 1;
            *elided(Ctx { r: &mut byte }).await += 1;
            *through(&mut Ctx { r: &mut byte }).await += 1;
            *alias(Ctx { r: &mut byte }).await += 1;
            *destructured(Ctx { r: &mut byte }).await += 1;
            assert_eq!(byte, 8);
            let mut pair = (0, String::from("a"));
            part(&mut pair).await.expect("a text").push('b');
            assert_eq!(pair.1, "ab");
            let (mut left, mut right) = (1, 2);
            *of_tuple((&mut left, &mut right)).await = 5;
            assert_eq!((left, right), (1, 5));
            assert_eq!(longest("abc", "ab").await, "abc");
            assert_eq!(shared_part(&(vec![1, 2], 3)).await.count(), 2);
        },
        "
        reborrowed
        elided
        through
        alias
        destructured
        part
        of_tuple
        longest
        shared_part
        ",
    );
}

/// `async fn` plain: what an argument borrows may be put into another argument.
#[test]
fn borrows_leave_through_other_arguments() {
    use lifetimes::*;
    check_async(
        async {
            let mut bytes = [1_u8, 2, 3, 4, 5, 6];
            let [a, b, c, d, e, f] = &mut bytes;
            let mut list = Vec::new();
            out(&mut list, Holder { r: a }).await;
            out_reborrowed(&mut list, Holder { r: b }).await;
            out(&mut list, Holder { r: c }).await;
            list.push(Holder { r: d }.finish().await);
            list.push(Holder { r: e }.finish_reborrowed().await);
            let mut slot = None;
            into_slot(&mut slot, Ctx { r: f }).await;
            list.extend(slot.map(|ctx| ctx.r));
            list.into_iter().for_each(|byte| *byte *= 2);
            assert_eq!(bytes, [2, 4, 6, 8, 10, 12]);
            let [a, b, ..] = &mut bytes;
            let mut first = Holder { r: a };
            first.store_other(Holder { r: b }).await;
            *first.lend().await = 0;
            assert_eq!(bytes[1], 0);
            *iterator(bytes.iter_mut()).await.expect("a byte") = 7;
            chunk(bytes.iter_mut()).await[1] = 8;
            assert_eq!(bytes[..2], [7, 8]);
            let value = 3;
            let cell = Cell::new(None);
            cell_of(&cell, Some(&value)).await;
            assert_eq!(cell.get(), Some(&3));
            assert_eq!(boxed(Box::new(|text| &text[1..]), "abc").await, "bc");
        },
        "
        out
        out_reborrowed
        out
        finish
        finish_reborrowed
        into_slot
        store_other
        lend
        iterator
        chunk
        cell_of
        boxed
        ",
    );
}

/// Arguments of all sorts.
mod arguments {
    use super::*;

    #[enter_span]
    pub(super) async fn once(work: impl FnOnce(u8) -> String) -> String {
        yield_now().await;
        work(1)
    }

    #[enter_span]
    pub(super) async fn again(mut work: impl FnMut()) {
        work();
        yield_now().await;
        work();
    }

    #[enter_span]
    pub(super) async fn shared<F>(work: &F) -> usize
    where
        F: Fn(&str) -> usize + ?Sized,
    {
        yield_now().await;
        work("abc")
    }

    #[enter_span]
    pub(super) async fn unique(work: &mut dyn FnMut(u8)) {
        work(1);
        yield_now().await;
        work(2);
    }

    #[enter_span]
    pub(super) async fn made<T: Default>() -> T {
        yield_now().await;
        T::default()
    }

    #[enter_span]
    pub(super) async fn sized<const N: usize>(list: [u8; N]) -> usize {
        yield_now().await;
        list.len() + N
    }

    #[enter_span(attributes(text = text.as_ref()))]
    pub(super) async fn opaque(text: impl AsRef<str>) -> usize {
        yield_now().await;
        text.as_ref().len()
    }

    #[enter_span]
    pub(super) async fn iterated(list: impl IntoIterator<Item = impl Into<u64>>) -> u64 {
        let mut sum = 0;
        for item in list {
            yield_now().await;
            sum += item.into();
        }
        sum
    }

    #[enter_span]
    pub(super) async fn mutable(mut text: String) -> String {
        text.push('!');
        yield_now().await;
        text
    }

    #[enter_span]
    pub(super) async fn at(whole @ (left, _): (u8, u8)) -> u8 {
        yield_now().await;
        whole.1 + left
    }

    #[enter_span]
    #[expect(clippy::toplevel_ref_arg, reason = "people write it")]
    pub(super) async fn by_ref(ref text: String) -> usize {
        yield_now().await;
        text.len()
    }

    #[enter_span]
    pub(super) async fn nested(((a, mut b), [c, ..]): ((u8, u8), [u8; 3]), _: u8, _: u8) -> u8 {
        yield_now().await;
        b += 1;
        a + b + c
    }

    #[enter_span]
    pub(super) async fn seen_through(&(a, ref b): &(u8, String)) -> usize {
        yield_now().await;
        usize::from(a) + b.len()
    }

    #[enter_span]
    pub(super) async fn bound_through((a, b): &mut (u8, String)) -> &mut String {
        yield_now().await;
        *a += 1;
        b
    }

    #[enter_span]
    pub(super) async fn pinned<F: Future>(work: Pin<&mut F>) -> F::Output {
        work.await
    }

    #[enter_span]
    pub(super) async fn shadowed(text: String) -> usize {
        let text = text.as_str();
        yield_now().await;
        text.len()
    }

    #[enter_span]
    pub(super) async fn conditionally(text: Option<String>) -> Option<String> {
        if let Some(text) = text {
            yield_now().await;
            return Some(text + "?");
        }
        None
    }

    #[enter_span]
    pub(super) async fn moved_into_closure(text: String) -> impl Fn() -> usize {
        yield_now().await;
        move || text.len()
    }

    #[enter_span]
    pub(super) async fn in_a_loop(list: Vec<String>) -> usize {
        let mut sum = 0;
        for text in list {
            yield_now().await;
            sum += text.len();
        }
        sum
    }

    #[enter_span]
    pub(super) async fn boxed_error(
        ok: bool,
    ) -> Result<Box<dyn Fn() -> u8>, Box<dyn std::error::Error>> {
        yield_now().await;
        if !ok {
            return Err("no".into());
        }
        Ok(Box::new(|| 1))
    }

    #[enter_span]
    pub(super) async fn borrows_async(work: impl AsyncFn(&str) -> usize) -> usize {
        work("a").await + work("bc").await
    }
}

/// `async fn` plain: closures, generics and patterns as arguments.
#[test]
fn arguments_of_all_sorts_reach_the_body() {
    use arguments::*;
    check_async(
        async {
            let owned = String::from("n");
            assert_eq!(once(|n| owned + &n.to_string()).await, "n1");
            let mut count = 0;
            again(|| count += 1).await;
            unique(&mut |n| count += n).await;
            assert_eq!(count, 5);
            assert_eq!(shared(&|text: &str| text.len()).await, 3);
            assert_eq!(made::<u8>().await + 1, 1);
            assert_eq!(sized([0; 3]).await, 6);
            assert_eq!(opaque("ab").await, 2);
            assert_eq!(iterated([1_u8, 2]).await, 3);
            assert_eq!(mutable("a".into()).await, "a!");
            assert_eq!(borrows_async(async |text: &str| text.len()).await, 3);
        },
        "
        once
        again
        unique
        shared
        made
        sized
        opaque text=ab
        iterated
        mutable
        borrows_async
        ",
    );
}

/// `async fn` plain: patterns bind what they bind in the plain function.
#[test]
fn patterns_bind_what_they_bound() {
    use arguments::*;
    check_async(
        async {
            assert_eq!(at((1, 2)).await, 3);
            assert_eq!(by_ref("ab".into()).await, 2);
            assert_eq!(nested(((1, 2), [3, 0, 0]), 0, 0).await, 7);
            assert_eq!(seen_through(&(1, "a".into())).await, 2);
            let mut pair = (1, "a".to_owned());
            bound_through(&mut pair).await.push('b');
            assert_eq!(pair, (2, "ab".to_owned()));
            assert_eq!(pinned(std::pin::pin!(async { 1 })).await, 1);
            assert_eq!(shadowed("abc".into()).await, 3);
            assert_eq!(conditionally(Some("a".into())).await.as_deref(), Some("a?"));
            assert_eq!((moved_into_closure("ab".into()).await)(), 2);
            assert_eq!(in_a_loop(vec!["a".into(), "bc".into()]).await, 3);
            assert_eq!(boxed_error(true).await.expect("a function")(), 1);
        },
        "
        at
        by_ref
        nested
        seen_through
        bound_through
        pinned
        shadowed
        conditionally
        moved_into_closure
        in_a_loop
        boxed_error
        ",
    );
}

struct Address {
    own: u8,
    _pinned: PhantomPinned,
}

impl Address {
    #[enter_span]
    async fn of_pinned(self: Pin<&mut Self>) -> u8 {
        yield_now().await;
        self.own
    }

    #[enter_span]
    async fn shared(self: Pin<&Self>) -> &u8 {
        yield_now().await;
        &self.get_ref().own
    }

    #[enter_span]
    fn poll_own(self: Pin<&mut Self>) -> u8 {
        self.as_ref().get_ref().own
    }
}

/// `self: Pin<&mut Self>`, also of a type that must not move.
#[test]
fn pinned_receivers_stay_pinned() {
    check_async(
        async {
            let mut address = Box::pin(Address {
                own: 4,
                _pinned: PhantomPinned,
            });
            assert_eq!(address.as_mut().of_pinned().await, 4);
            assert_eq!(*address.as_ref().shared().await, 4);
            assert_eq!(address.as_mut().poll_own(), 4);
        },
        "
        of_pinned
        shared
        poll_own
        ",
    );
}

/// A sync function asks for nothing either.
#[test]
fn a_sync_function_takes_what_is_neither_send_nor_unwind_safe() {
    #[enter_span]
    fn local(shared: &Rc<Cell<u8>>, unique: &mut Vec<Box<dyn FnMut() -> u8>>) -> Rc<Cell<u8>> {
        unique.iter_mut().for_each(|make| shared.set(make()));
        Rc::clone(shared)
    }
    let mut list: Vec<Box<dyn FnMut() -> u8>> = vec![Box::new(|| 7)];
    check(
        || assert_eq!(local(&Rc::new(Cell::new(0)), &mut list).get(), 7),
        "local",
    );
}
