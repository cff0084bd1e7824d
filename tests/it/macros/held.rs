//! How an `async fn` holds its arguments: each of these shapes compiles, or is `Send`, without the
//! attribute, and so it must be with it.

#![expect(clippy::toplevel_ref_arg, reason = "a pattern is a pattern")]
#![expect(
    dead_code,
    unused_variables,
    reason = "they have to compile; not all of them run"
)]

use std::cell::Cell;
use std::future::Future;
use std::marker::PhantomData;

use enter_span::{enter_span, in_span};
use tokio::task::yield_now;

use crate::support::check::check_async;

fn s<T: Send>(_: T) {}
pub struct Pair {
    a: (Cell<u8>, u8),
    b: Cell<u8>,
}
type Alias = Pair;
type Tup = (Cell<u8>, u8);
pub struct Borrowing<'a> {
    c: Cell<&'a u8>,
}

#[enter_span]
async fn t1(x: Cell<&u8>, y: &u8) {
    yield_now().await;
    x.get();
}
#[enter_span]
async fn t3(Pair { a: (x, _), b }: Pair) {
    yield_now().await;
    x.get();
    b.get();
}
#[enter_span]
async fn t4(Alias { a, b }: Pair) {
    yield_now().await;
    a.0.get();
    b.get();
}
#[enter_span]
async fn t5(Pair { a, b }: Alias) {
    yield_now().await;
    a.0.get();
    b.get();
}
#[enter_span]
async fn t6((a, b): Tup) {
    yield_now().await;
    a.get();
}
#[enter_span]
async fn t7((a, b): &mut (Cell<u8>, u8)) {
    yield_now().await;
    a.get();
}
#[enter_span]
async fn t8(Pair { a, b }: &mut Pair) {
    yield_now().await;
    a.0.get();
    b.get();
}
#[enter_span]
async fn t9((a, _): ((Cell<u8>, u8), u8)) {
    yield_now().await;
    a.0.get();
}
#[enter_span]
async fn t10([a, ..]: [Cell<u8>; 2]) {
    yield_now().await;
    a.get();
}
#[enter_span]
async fn t11(x: Box<Cell<u8>>) {
    yield_now().await;
    x.get();
}
#[enter_span]
async fn t12(x: Option<Cell<u8>>) {
    yield_now().await;
    if let Some(x) = &x {
        x.get();
    }
}
#[enter_span]
async fn t13(x: &mut Option<&mut Cell<u8>>) {
    yield_now().await;
    if let Some(x) = x {
        x.get();
    }
}
#[enter_span]
async fn t14((a, b): (&mut Cell<u8>, u8)) {
    yield_now().await;
    a.get();
}
#[enter_span]
async fn t15(ref mut a: Cell<u8>) {
    yield_now().await;
    a.get();
}
#[enter_span]
async fn t16((mut a, ref mut b): (Cell<u8>, Cell<u8>)) {
    yield_now().await;
    *a.get_mut() = 1;
    b.set(2);
}
#[enter_span]
async fn t17(Borrowing { c }: Borrowing<'_>) {
    yield_now().await;
    c.get();
}
#[enter_span]
async fn t18(x: Borrowing<'_>) {
    yield_now().await;
    x.c.get();
}
#[enter_span]
async fn t20(x: Box<dyn Fn() -> u8 + Send + '_>) {
    yield_now().await;
    x();
}
#[enter_span]
async fn t21(a @ (_, _): (Cell<u8>, u8)) {
    yield_now().await;
    a.0.get();
}
#[enter_span]
async fn t22(&mut (ref mut a, _): &mut (Cell<u8>, u8)) {
    yield_now().await;
    a.get();
}
#[enter_span]
async fn t2<'a>(x: Cell<&'a u8>, y: &'a u8) {
    yield_now().await;
    x.get();
}
#[enter_span]
async fn t19<'a>(x: Cell<&'a u8>) -> &'a u8 {
    yield_now().await;
    x.get()
}
#[enter_span]
async fn t23(x: Cell<Option<&u8>>) -> Option<&u8> {
    yield_now().await;
    x.get()
}
#[enter_span]
async fn t24<'a>(x: Box<dyn Fn() -> u8 + Send + 'a>, y: &'a str) {
    yield_now().await;
    x();
}
impl Pair {
    #[enter_span]
    async fn m1(Self { a, b }: Self) {
        yield_now().await;
        a.0.get();
        b.get();
    }
    #[enter_span]
    async fn m2(&self, b: Cell<u8>) -> &u8 {
        yield_now().await;
        b.get();
        &self.a.1
    }
    #[enter_span]
    async fn m3(self) -> &'static str {
        yield_now().await;
        self.b.get();
        ""
    }
    #[enter_span]
    async fn m4(self, x: &str) -> &str {
        yield_now().await;
        self.b.get();
        x
    }
    #[enter_span]
    async fn m5(self: Box<Self>, x: &str) -> &str {
        yield_now().await;
        self.b.get();
        x
    }
    #[enter_span]
    async fn m6(&mut self, x: &str) -> &u8 {
        yield_now().await;
        self.b.get();
        &self.a.1
    }
}
impl<'a> Borrowing<'a> {
    #[enter_span]
    async fn n1(self) -> &'a u8 {
        yield_now().await;
        self.c.get()
    }
    #[enter_span]
    async fn n2(&mut self) -> &'a u8 {
        yield_now().await;
        self.c.get()
    }
    #[enter_span]
    async fn n3(&mut self, o: Borrowing<'a>) {
        yield_now().await;
        self.c.set(o.c.get())
    }
}
fn p() -> Pair {
    Pair {
        a: (Cell::new(1), 1),
        b: Cell::new(1),
    }
}
fn t() -> (Cell<u8>, u8) {
    (Cell::new(1), 1)
}
/// `Send` where the plain function is, although each borrows a `Cell` across an await.
#[test]
fn futures_that_borrow_what_is_not_sync_are_send() {
    s(t1(Cell::new(&1), &1));
    s(t2(Cell::new(&1), &1));
    s(t3(p()));
    s(t4(p()));
    s(t5(p()));
    s(t6(t()));
    s(t7(&mut t()));
    s(t8(&mut p()));
    s(t9((t(), 1)));
    s(t10([Cell::new(1), Cell::new(2)]));
    s(t11(Box::new(Cell::new(1))));
    s(t12(None));
    s(t13(&mut None));
    s(t14((&mut Cell::new(1), 1)));
    s(t15(Cell::new(1)));
    s(t16((Cell::new(1), Cell::new(1))));
    s(t17(Borrowing { c: Cell::new(&1) }));
    s(t18(Borrowing { c: Cell::new(&1) }));
    s(t19(Cell::new(&1)));
    s(t20(Box::new(|| 1)));
    s(t21(t()));
    s(t22(&mut t()));
    s(t23(Cell::new(None)));
    s(t24(Box::new(|| 1), ""));
    s(Pair::m1(p()));
    s(p().m3());
    s(p().m4(""));
    s(Box::new(p()).m5(""));
    s(p().m6(""));
    let mut b = Borrowing { c: Cell::new(&1) };
    s(b.n2());
    s(b.n3(Borrowing { c: Cell::new(&1) }));
    s(b.n1());
    let c = Cell::new(1);
    s(in_span!("x", async move |span| {
        yield_now().await;
        span.set_attribute("c", c.get());
    }));
    let c = Cell::new(1);
    s(in_span!("x", move |span| async move {
        yield_now().await;
        span.set_attribute("c", c.get());
    }));
}

pub struct Ctx<'a> {
    pub r: &'a mut u8,
}
pub struct H<'a> {
    r: &'a mut u8,
}
pub struct G<T> {
    t: T,
}
#[enter_span]
async fn s1(ctx: Ctx<'static>) -> &'static mut u8 {
    yield_now().await;
    &mut *ctx.r
}
impl<'a> H<'a> {
    #[enter_span]
    async fn s0(self, out: &mut Vec<&'a mut u8>) {
        yield_now().await;
        out.push(&mut *self.r)
    }
    #[enter_span]
    async fn s3(other: Self) -> &'a mut u8 {
        yield_now().await;
        &mut *other.r
    }
    #[enter_span]
    async fn s4(other: Self, out: &mut Vec<&'a mut u8>) {
        yield_now().await;
        out.push(&mut *other.r)
    }
    #[enter_span]
    async fn s5(self: Box<Self>) -> &'a mut u8 {
        yield_now().await;
        &mut *self.r
    }
    #[enter_span]
    async fn s6(self: Box<Self>, out: &mut Vec<&'a mut u8>) {
        yield_now().await;
        out.push(&mut *self.r)
    }
    #[enter_span]
    async fn s10(&mut self, o: Self) {
        yield_now().await;
        self.r = &mut *o.r;
    }
    #[enter_span]
    async fn s11(&mut self, (o, _): (Self, u8)) {
        yield_now().await;
        self.r = &mut *o.r;
    }
}
#[enter_span]
async fn s14<'a, 'b>(g: G<&'a mut u8>, out: &mut Vec<&'b mut u8>)
where
    'a: 'b,
{
    yield_now().await;
    out.push(&mut *g.t)
}
#[enter_span]
async fn s15<'b, 'a: 'b>(g: H<'a>, out: &mut Vec<&'b mut u8>) {
    yield_now().await;
    out.push(&mut *g.r)
}
#[enter_span]
async fn s16<'b, 'a: 'b>(g: H<'a>) -> &'b mut u8 {
    yield_now().await;
    &mut *g.r
}

/// A borrow through an owned argument outlives the call.
#[test]
fn what_an_argument_borrows_may_leave() {
    let mut value = 1;
    check_async(
        async {
            let other = H { r: &mut value };
            *H::s3(other).await += 1;
        },
        "s3",
    );
    assert_eq!(value, 2);
}

/// Arguments of which the body makes something that lives shorter than what the caller gave.
mod narrowed {
    use super::*;

    type Text = &'static str;

    pub struct Named<'a> {
        pub name: &'a str,
        pub count: u8,
    }

    #[enter_span]
    pub async fn reference(mut best: &str) -> usize {
        let own = String::from("longer");
        yield_now().await;
        if own.len() > best.len() {
            best = &own;
        }
        best.len()
    }
    #[enter_span]
    pub async fn list(mut names: Vec<&str>) -> usize {
        let own = String::from("own");
        yield_now().await;
        names.push(&own);
        names.len()
    }
    #[enter_span]
    pub async fn owner(mut named: Named<'_>) -> usize {
        let own = String::from("own");
        yield_now().await;
        named.name = &own;
        named.name.len()
    }
    #[enter_span]
    pub async fn alias(mut text: Text) -> usize {
        let own = format!("{text}er");
        yield_now().await;
        text = &own;
        text.len()
    }
    #[enter_span]
    pub async fn unique(mut number: &mut u8) -> u8 {
        let mut own = 3;
        yield_now().await;
        *number += 1;
        number = &mut own;
        *number += 1;
        *number
    }
    #[enter_span(current, attributes(best), ret)]
    pub async fn current(mut best: &str) -> usize {
        let own = format!("{best}er");
        yield_now().await;
        best = &own;
        best.len()
    }
    #[enter_span]
    pub fn tuple((mut a, n): (&str, u32)) -> usize {
        let own = String::from("own");
        if n > 1 {
            a = &own;
        }
        a.len()
    }
    #[enter_span]
    pub fn array([mut a, _]: [&str; 2]) -> usize {
        let own = format!("{a}er");
        a = &own;
        a.len()
    }
    #[enter_span]
    pub fn whole(mut pair @ (_, _): (&str, u8)) -> usize {
        let own = String::from("own");
        pair.0 = &own;
        pair.0.len()
    }
    #[enter_span]
    pub async fn parts(
        Named {
            mut name,
            mut count,
        }: Named<'_>,
    ) -> usize {
        let own = format!("{name}er");
        yield_now().await;
        name = &own;
        count += 1;
        name.len() + usize::from(count)
    }
}

/// What the body gives to an argument need not live as long as what the caller gave.
#[test]
fn an_argument_may_become_a_borrow_of_a_local() {
    use narrowed::*;

    check_async(
        async {
            assert_eq!(reference("short").await, 6);
            assert_eq!(list(vec!["name"]).await, 2);
            assert_eq!(owner(Named { name: "", count: 1 }).await, 3);
            assert_eq!(alias("static").await, 8);
            assert_eq!(unique(&mut 1).await, 4);
            assert_eq!(in_span!("outer", async |_| current("best").await).await, 6);
            assert_eq!(tuple(("", 2)), 3);
            assert_eq!(array(["", ""]), 2);
            assert_eq!(whole(("", 1)), 3);
            assert_eq!(parts(Named { name: "", count: 1 }).await, 4);
        },
        "
        reference
        list
        owner
        alias
        unique
        outer best=best return=6
        tuple
        array
        whole
        parts
        ",
    );
}

/// An argument that the body changes, and that is read after the body, shows what became of it.
#[test]
fn a_changed_argument_may_be_read_after_the_body() {
    #[enter_span(ret(left = |_| list.len()))]
    async fn later(mut list: Vec<u8>) -> Option<u8> {
        yield_now().await;
        list.pop()
    }
    #[enter_span(ret(left = |_| list.len()))]
    fn now(mut list: Vec<u8>) -> Option<u8> {
        list.pop()
    }
    check_async(
        async {
            assert_eq!(later(vec![1, 2]).await, Some(2));
            assert_eq!(now(vec![1, 2]), Some(2));
        },
        "
        later left=1
        now left=1
        ",
    );
}

type Buffer = &'static mut [u8];
type Part = &'static mut u8;
type Text = &'static str;

#[enter_span]
async fn rest(buffer: Buffer) -> Buffer {
    yield_now().await;
    &mut buffer[1..]
}
#[enter_span]
async fn first(buffer: Buffer) -> Option<Part> {
    yield_now().await;
    buffer.first_mut()
}
#[enter_span]
async fn rest_of_pair((buffer, start): (Buffer, usize)) -> Buffer {
    yield_now().await;
    &mut buffer[start..]
}
#[enter_span]
async fn rest_elsewhere(buffer: Buffer, out: &mut Vec<Buffer>) {
    yield_now().await;
    out.push(&mut buffer[1..]);
}
#[enter_span]
async fn rest_in_steps(mut buffer: Buffer) -> Buffer {
    yield_now().await;
    while buffer.len() > 1 {
        buffer = &mut buffer[1..];
    }
    buffer
}
#[enter_span]
async fn rest_of_text(text: Text) -> Text {
    yield_now().await;
    &text[1..]
}

fn buffer() -> Buffer {
    Box::leak(Box::new([1, 2, 3]))
}

/// A reference behind an alias is borrowed through, as one that is written out.
#[test]
fn what_an_alias_borrows_may_leave() {
    check_async(
        async {
            assert_eq!(rest(buffer()).await, [2, 3]);
            assert_eq!(first(buffer()).await, Some(&mut 1));
            assert_eq!(rest_of_pair((buffer(), 2)).await, [3]);
            let mut out = Vec::new();
            rest_elsewhere(buffer(), &mut out).await;
            assert_eq!(out, [[2, 3]]);
            assert_eq!(rest_in_steps(buffer()).await, [3]);
            assert_eq!(rest_of_text("text").await, "ext");
        },
        "
        rest
        first
        rest_of_pair
        rest_elsewhere
        rest_in_steps
        rest_of_text
        ",
    );
    s(rest(buffer()));
    s(rest_of_text(""));
}

/// `Send` for one lifetime alone, which the compiler does not see inside of an `async fn`: the way
/// to such a future is to return it.
#[test]
fn what_is_send_for_one_lifetime_alone_is_so_in_a_returned_future() {
    struct Pointer<'a>(*const u8, PhantomData<&'a ()>);

    // What is asked for is the bound, and no thread is crossed.
    #[expect(unsafe_code, reason = "there is no other way to say it")]
    // SAFETY: the pointer is compared, and never followed.
    unsafe impl Send for Pointer<'static> {}

    impl Pointer<'static> {
        fn is_null(&self) -> bool {
            self.0.is_null()
        }
    }

    #[enter_span]
    fn later(pointer: Pointer<'static>) -> impl Future<Output = bool> + Send {
        async move { pointer.is_null() }
    }

    check_async(
        async { assert!(later(Pointer(std::ptr::null(), PhantomData)).await) },
        "later",
    );
}
