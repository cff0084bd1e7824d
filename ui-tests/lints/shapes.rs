//! Functions that clippy and rustc read twice, once without a span and once with one: they have to
//! say the same of both (`tests/lints.rs`).
//!
//! Each function stands between empty lines. `#[cfg_attr(spanned, ..)]` gives it its span.
//!
//! Known differences. Those that a user meets stand in the *Limits* of the attribute too; those that
//! vanish stand in `macros/src/plan/lints.rs`, so that they can still be expected.
//!
//! appears clippy::default_numeric_fallback: it passes over the value of a function, and not over
//! that of a closure; write the suffix, `1.2_f64`.
//! appears clippy::implicit_return: only in an `async fn` that never returns, which a `return` of
//! ours would make unreachable.
//! vanishes clippy::implicit_return: the value is returned by a `return` of ours.
//! vanishes clippy::inline_always: it takes a body that begins with an item for an empty one.
//! vanishes clippy::manual_async_fn: with a span the body is more than an `async` block.
//! vanishes clippy::missing_const_for_fn: a function with a span cannot be `const`.
//! vanishes clippy::missing_errors_doc: of a returned future it knows the `async` block alone.
//! vanishes clippy::needless_lifetimes: the returned type, with its lifetimes, stands in the body.
//! vanishes clippy::needless_return: it does not look at closures and blocks that a macro has written.
//! vanishes clippy::ptr_arg: in an `async fn`, where the future holds the argument.
//! vanishes clippy::unnecessary_wraps: the function returns a value, and no longer `Some(..)`.
//! vanishes clippy::unused_async: there is an `.await` of ours.

use std::cell::Cell;
use std::error::Error;
use std::fmt::{self, Debug, Display};
use std::future::{Future, ready};
use std::num::ParseIntError;
use std::pin::Pin;

#[cfg(spanned)]
use enter_span::enter_span;
use futures_core::Stream;

pub struct Order {
    pub id: u64,
    pub items: Vec<u32>,
}

pub type Buffer = &'static mut [u8];

#[derive(Debug)]
pub struct Refused;

impl Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("refused")
    }
}

impl Error for Refused {}

// Plain functions.

#[cfg_attr(spanned, enter_span)]
pub fn nothing() {}

#[cfg_attr(spanned, enter_span)]
pub fn nothing_of_a_list(list: &mut Vec<u32>) {
    list.push(1);
}

#[cfg_attr(spanned, enter_span)]
pub fn unit() -> () {
    println!("unit");
}

#[cfg_attr(spanned, enter_span)]
pub fn number() -> u32 {
    1
}

#[cfg_attr(spanned, enter_span)]
pub fn tax(price: f64) -> f64 {
    price * 1.2
}

#[cfg_attr(spanned, enter_span)]
pub fn fallback() -> usize {
    let list = [1, 2, 3];
    let mut sum = 0;
    for item in list {
        sum += item;
    }
    usize::try_from(sum).unwrap_or(0)
}

#[cfg_attr(spanned, enter_span)]
pub fn returned(number: u32) -> u32 {
    return number;
}

#[cfg_attr(spanned, enter_span)]
pub fn returned_early(number: u32) -> u32 {
    if number > 3 {
        return 3;
    }
    number
}

#[cfg_attr(spanned, enter_span)]
pub fn returned_nothing(number: &Cell<u32>) {
    number.set(1);
    return;
}

#[cfg_attr(spanned, enter_span)]
pub fn let_and_return(number: u32) -> u32 {
    let doubled = number * 2;
    doubled
}

#[cfg_attr(spanned, enter_span)]
pub fn one_line(number: u32) -> Option<u32> { Some(number) }

#[cfg_attr(spanned, enter_span)]
pub fn wraps_option(number: u32) -> Option<u32> {
    Some(number + 1)
}

#[cfg_attr(spanned, enter_span)]
fn wraps_in_private(number: u32) -> Result<u32, Refused> {
    Ok(number + 1)
}

#[cfg_attr(spanned, enter_span)]
fn wraps_nothing(number: u32) -> Result<(), Refused> {
    println!("{number}");
    Ok(())
}

#[cfg_attr(spanned, enter_span)]
pub fn question(text: &str) -> Result<u32, ParseIntError> {
    let number = text.parse::<u32>()?;
    Ok(number)
}

#[cfg_attr(spanned, enter_span)]
pub fn needless_question(text: &str) -> Result<u32, ParseIntError> {
    Ok(text.parse::<u32>()?)
}

#[cfg_attr(spanned, enter_span)]
pub fn option(list: &[u32]) -> Option<u32> {
    let first = list.first()?;
    Some(*first)
}

#[cfg_attr(spanned, enter_span)]
pub fn boxed_error(text: &str) -> Result<u32, Box<dyn Error>> {
    let number = text.parse()?;
    Ok(number)
}

#[cfg_attr(spanned, enter_span)]
pub fn never() -> ! {
    std::process::exit(1)
}

#[cfg_attr(spanned, enter_span)]
pub fn panics(list: &[u32]) -> u32 {
    assert!(!list.is_empty(), "empty");
    list[0]
}

#[cfg_attr(spanned, enter_span)]
pub fn unwraps(number: Option<u32>) -> u32 {
    number.unwrap()
}

#[cfg_attr(spanned, enter_span)]
pub fn casts(number: u64) -> u8 {
    number as u8
}

#[cfg_attr(spanned, enter_span)]
pub fn unused(number: u32, _ignored: u32) -> u32 {
    2
}

#[cfg_attr(spanned, enter_span)]
pub fn needless_mut(mut number: u32) -> u32 {
    number + 1
}

#[cfg_attr(spanned, enter_span)]
pub fn mutable(mut number: u32) -> u32 {
    number += 1;
    number
}

#[cfg_attr(spanned, enter_span)]
pub fn unread(mut number: u32) -> u32 {
    number = 2;
    3
}

#[cfg_attr(spanned, enter_span)]
pub fn pattern((first, mut second): (u32, u32), Order { id, items }: Order) -> u64 {
    second += first;
    id + u64::from(second) + items.len() as u64
}

#[cfg_attr(spanned, enter_span)]
pub fn narrowed((mut longest, count): (&str, u32)) -> usize {
    let own = "x".repeat(9);
    if count > 1 {
        longest = &own;
    }
    longest.len()
}

#[cfg_attr(spanned, enter_span)]
pub fn pattern_of_reference(&(ref text, _): &(String, u32)) -> usize {
    text.len()
}

#[cfg_attr(spanned, enter_span)]
pub fn takes_by_value(text: String, list: Vec<u32>) -> usize {
    text.len() + list.len()
}

#[cfg_attr(spanned, enter_span)]
pub fn takes_a_vec(list: &Vec<u32>, text: &String) -> usize {
    list.len() + text.len()
}

#[cfg_attr(spanned, enter_span)]
pub fn needless_reference(list: &mut Vec<u32>) -> usize {
    list.len()
}

#[cfg_attr(spanned, enter_span)]
pub fn too_many(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8) -> u8 {
    a ^ b ^ c ^ d ^ e ^ f ^ g ^ h
}

#[cfg_attr(spanned, enter_span)]
pub fn generic<T: Display>(value: T) -> String {
    value.to_string()
}

#[cfg_attr(spanned, enter_span)]
pub fn constant<const N: usize>(list: [u8; N]) -> usize {
    list.len() + N
}

#[cfg_attr(spanned, enter_span)]
pub fn lifetime<'a>(text: &'a str) -> &'a str {
    text
}

#[cfg_attr(spanned, enter_span)]
pub fn lifetimes<'a, 'b>(first: &'a str, second: &'b str) -> &'a str {
    if second.is_empty() { first } else { &first[1..] }
}

#[cfg_attr(spanned, enter_span)]
pub fn iterator(list: &[u32]) -> impl Iterator<Item = u32> + '_ {
    list.iter().map(|item| item * 2)
}

#[cfg_attr(spanned, enter_span)]
pub fn closure(power: u32) -> impl Fn(u32) -> u32 {
    move |number| number.pow(power)
}

#[cfg_attr(spanned, enter_span)]
pub fn boxed_closure() -> Box<dyn Fn(&str) -> usize> {
    Box::new(|text| text.len())
}

#[cfg_attr(spanned, enter_span)]
pub fn collected(list: &[u32]) -> Vec<u32> {
    list.iter().map(|item| item.clone()).collect()
}

/// # Safety
///
/// `number` points to a number.
#[cfg_attr(spanned, enter_span)]
pub unsafe fn unsafe_one(number: *const u32) -> u32 {
    // SAFETY: the caller says so.
    unsafe { *number }
}

#[cfg_attr(spanned, enter_span)]
pub unsafe fn unsafe_undocumented(number: *const u32) -> u32 {
    unsafe { *number }
}

#[cfg_attr(spanned, enter_span)]
pub extern "C" fn foreign(number: u32) -> u32 {
    number ^ 1
}

#[cfg_attr(spanned, enter_span)]
#[inline(always)]
pub fn inlined(number: u32) -> u32 {
    number ^ 2
}

#[cfg_attr(spanned, enter_span)]
#[must_use]
pub fn must_use(number: u32) -> u32 {
    number ^ 3
}

#[cfg_attr(spanned, enter_span)]
#[deprecated]
pub fn deprecated(number: u32) -> u32 {
    number ^ 4
}

#[cfg_attr(spanned, enter_span)]
#[track_caller]
pub fn tracked(number: &mut u32) {
    *number += 1;
}

#[cfg_attr(spanned, enter_span)]
pub fn recursive(number: u32) -> u32 {
    if number == 0 { 0 } else { recursive(number - 1) }
}

#[cfg_attr(spanned, enter_span)]
pub fn statements_and_items() -> u32 {
    let number = 1;
    fn inner() -> u32 {
        2
    }
    number + inner()
}

#[cfg_attr(spanned, enter_span)]
pub fn shadowed(number: u32) -> u32 {
    let number = number + 1;
    let number = number * 2;
    number
}

#[cfg_attr(spanned, enter_span)]
pub fn matched(number: Option<u32>) -> u32 {
    match number {
        Some(number) => number,
        _ => 0,
    }
}

#[cfg_attr(spanned, enter_span)]
pub fn looped() -> u32 {
    loop {
        break 3;
    }
}

#[cfg_attr(spanned, enter_span)]
pub fn complex(number: u32) -> u32 {
    let mut sum = 0_u32;
    for i in 0..number {
        for j in 0..i {
            if j % 2 == 0 && i > 3 || j > 7 {
                while sum < 100 {
                    if sum > 50 { sum += 2 } else { sum += 1 }
                    match sum { 1 => sum += 1, 2 => sum += 2, 3 => sum += 3, 4 => sum += 4, 5 => sum += 5, 6 => sum += 6, 7 => sum += 7, 8 => sum += 8, 9 => sum += 9, _ => {} }
                    match sum { 11 => sum += 1, 12 => sum += 2, 13 => sum += 3, 14 => sum += 4, 15 => sum += 5, 16 => sum += 6, 17 => sum += 7, 18 => sum += 8, 19 => sum += 9, _ => {} }
                }
            }
        }
    }
    sum
}

#[cfg_attr(spanned, enter_span(ret))]
pub fn shown(number: u32) -> u32 {
    number + 5
}

#[cfg_attr(spanned, enter_span(ret(size = |list| list.len())))]
pub fn projected(number: u32) -> Vec<u32> {
    vec![number]
}

#[cfg_attr(spanned, enter_span(err = type))]
pub fn typed_error(text: &str) -> Result<u32, ParseIntError> {
    text.parse()
}

#[cfg_attr(spanned, enter_span(err = |error| matches!(error, Refused)))]
pub fn judged(number: u32) -> Result<u32, Refused> {
    if number > 1 { Err(Refused) } else { Ok(number) }
}

#[cfg_attr(spanned, enter_span(err = ignore))]
pub fn ignored(number: u32) -> Result<u32, Refused> {
    if number > 2 { Err(Refused) } else { Ok(number) }
}

#[cfg_attr(spanned, enter_span("named", kind = client, attributes(number, text, size = text.len(), shown = %number, debug = ?text)))]
pub fn attributed(number: u32, text: &str) -> usize {
    text.len() + number as usize
}

#[cfg_attr(spanned, enter_span(name = text, root, when = number > 0, start(number), leaf))]
pub fn started(number: u32, text: &str) -> usize {
    text.len() + number as usize
}

#[cfg_attr(spanned, enter_span(current, attributes(number), ret))]
fn current(number: u32) -> u32 {
    number + 6
}

// Async functions.

#[cfg_attr(spanned, enter_span)]
pub async fn later_nothing() {}

#[cfg_attr(spanned, enter_span)]
pub async fn later_number(number: u32) -> u32 {
    ready(()).await;
    number
}

#[cfg_attr(spanned, enter_span)]
pub async fn later_tax(price: f64) -> f64 {
    ready(()).await;
    price * 1.2
}

#[cfg_attr(spanned, enter_span)]
pub async fn later_without_await(number: u32) -> u32 {
    number + 1
}

#[cfg_attr(spanned, enter_span)]
pub async fn later_returned(number: u32) -> u32 {
    ready(()).await;
    return number;
}

#[cfg_attr(spanned, enter_span)]
pub async fn later_let_and_return(number: u32) -> u32 {
    ready(()).await;
    let doubled = number * 2;
    doubled
}

#[cfg_attr(spanned, enter_span)]
pub async fn later_one_line(number: u32) -> u32 { ready(number).await }

#[cfg_attr(spanned, enter_span)]
async fn later_wraps(number: u32) -> Option<u32> {
    ready(()).await;
    Some(number)
}

#[cfg_attr(spanned, enter_span)]
pub async fn later_question(text: &str) -> Result<u32, ParseIntError> {
    ready(()).await;
    let number = text.parse::<u32>()?;
    Ok(number)
}

#[cfg_attr(spanned, enter_span)]
pub async fn later_never() -> ! {
    loop {
        ready(()).await;
    }
}

#[cfg_attr(spanned, enter_span)]
pub async fn later_unused(number: u32, _ignored: u32) -> u32 {
    ready(2).await
}

#[cfg_attr(spanned, enter_span)]
pub async fn later_needless_mut(mut number: u32) -> u32 {
    ready(()).await;
    number + 1
}

#[cfg_attr(spanned, enter_span)]
pub async fn later_mutable(mut number: u32, mut list: Vec<u32>) -> u32 {
    ready(()).await;
    number += 1;
    list.push(number);
    number
}

#[cfg_attr(spanned, enter_span)]
pub async fn later_unread(mut number: u32) -> u32 {
    ready(()).await;
    number = 2;
    3
}

#[cfg_attr(spanned, enter_span)]
pub async fn later_narrowed(mut longest: &str) -> usize {
    let own = ready("x".repeat(9)).await;
    longest = &own;
    longest.len()
}

#[cfg_attr(spanned, enter_span)]
pub async fn later_needlessly_narrowed(mut longest: &str) -> usize {
    ready(()).await;
    longest.len()
}

#[cfg_attr(spanned, enter_span)]
pub async fn later_pattern((first, mut second): (u32, u32), Order { id, items }: Order) -> u64 {
    ready(()).await;
    second += first;
    id + u64::from(second) + items.len() as u64
}

#[cfg_attr(spanned, enter_span)]
pub async fn later_by_value(text: String, list: Vec<u32>) -> usize {
    ready(()).await;
    text.len() + list.len()
}

#[cfg_attr(spanned, enter_span)]
pub async fn later_consumed(text: String, order: Order) -> String {
    ready(()).await;
    drop(order);
    text
}

#[cfg_attr(spanned, enter_span)]
pub async fn later_needless_reference(list: &mut Vec<u32>, text: &String) -> usize {
    ready(()).await;
    list.len() + text.len()
}

#[cfg_attr(spanned, enter_span)]
pub async fn later_generic<T: Debug>(value: T) -> String {
    ready(()).await;
    format!("{:?}", value)
}

#[cfg_attr(spanned, enter_span)]
pub async fn later_lifetime<'a>(text: &'a str) -> &'a str {
    ready(()).await;
    text
}

#[cfg_attr(spanned, enter_span)]
pub async fn later_closure() -> impl Fn(&str) -> usize {
    ready(()).await;
    |text| text.len()
}

#[cfg_attr(spanned, enter_span)]
pub async fn later_iterator(number: u32) -> impl Iterator<Item = u32> {
    ready(()).await;
    0..number
}

#[cfg_attr(spanned, enter_span)]
pub async fn later_not_send(number: u32) -> u32 {
    let counted = std::rc::Rc::new(number);
    ready(()).await;
    *counted
}

#[cfg_attr(spanned, enter_span)]
pub async fn later_locked(lock: &std::sync::Mutex<u32>) -> u32 {
    let number = lock.lock().unwrap();
    ready(()).await;
    *number
}

/// # Safety
///
/// `number` points to a number.
#[cfg_attr(spanned, enter_span)]
pub async unsafe fn later_unsafe(number: &u32) -> u32 {
    ready(()).await;
    // SAFETY: the caller says so.
    unsafe { *std::ptr::from_ref(number) }
}

#[cfg_attr(spanned, enter_span("named", attributes(number, text), ret(size = |size| *size), err = message))]
pub async fn later_attributed(number: u32, text: &str) -> Result<usize, Refused> {
    ready(()).await;
    if number > 1 { Err(Refused) } else { Ok(text.len()) }
}

#[cfg_attr(spanned, enter_span(current, attributes(number), ret))]
pub async fn later_current(number: u32) -> u32 {
    ready(number).await
}

#[cfg_attr(spanned, enter_span)]
pub async fn later_recursive(number: u32) -> u32 {
    if number == 0 { 0 } else { Box::pin(later_recursive(number - 1)).await }
}

#[cfg_attr(spanned, enter_span)]
pub async fn later_alias(buffer: Buffer) -> Buffer {
    ready(()).await;
    &mut buffer[1..]
}

#[cfg_attr(spanned, enter_span)]
pub async fn later_where<T>(value: T) -> T::Owned
where
    T: ToOwned,
{
    ready(()).await;
    value.to_owned()
}

// What works later than the call.

#[cfg_attr(spanned, enter_span)]
pub fn future_returned(number: u32) -> impl Future<Output = u32> {
    return ready(number);
}

#[cfg_attr(spanned, enter_span)]
pub fn future(number: u32) -> impl Future<Output = u32> {
    async move { ready(number).await }
}

#[cfg_attr(spanned, enter_span(ret))]
pub fn future_of_ready(number: u32) -> impl Future<Output = u32> + Send {
    ready(number)
}

#[cfg_attr(spanned, enter_span)]
pub fn future_boxed(number: u32) -> Pin<Box<dyn Future<Output = u32> + Send>> {
    Box::pin(async move { ready(number).await })
}

#[cfg_attr(spanned, enter_span)]
pub fn future_of_result(text: &str) -> impl Future<Output = Result<u32, ParseIntError>> + '_ {
    async move { Ok(text.parse::<u32>()?) }
}

#[cfg_attr(spanned, enter_span)]
pub fn stream<S: Stream<Item = u32>>(inner: S) -> impl Stream<Item = u32> {
    inner
}

#[cfg_attr(spanned, enter_span)]
pub fn stream_boxed<'a>(inner: Pin<Box<dyn Stream<Item = u32> + Send + 'a>>) -> Pin<Box<dyn Stream<Item = u32> + Send + 'a>> {
    inner
}

// Methods.

impl Order {
    #[cfg_attr(spanned, enter_span)]
    pub fn new(id: u64) -> Self {
        Self { id, items: Vec::new() }
    }

    #[cfg_attr(spanned, enter_span)]
    pub fn named_type(id: u64) -> Order {
        Order { id, items: Vec::new() }
    }

    #[cfg_attr(spanned, enter_span)]
    pub fn total(&self) -> u32 {
        self.items.iter().sum()
    }

    #[cfg_attr(spanned, enter_span)]
    pub fn id(&self) -> u64 {
        self.id
    }

    #[cfg_attr(spanned, enter_span)]
    pub fn items_mut(&mut self) -> &mut Vec<u32> {
        &mut self.items
    }

    #[cfg_attr(spanned, enter_span)]
    pub fn unused_self(&self) -> u32 {
        7
    }

    #[cfg_attr(spanned, enter_span)]
    pub fn to_owned_items(self) -> Vec<u32> {
        self.items
    }

    #[cfg_attr(spanned, enter_span)]
    pub fn builder(mut self, item: u32) -> Self {
        self.items.push(item);
        self
    }

    #[cfg_attr(spanned, enter_span)]
    pub fn boxed_self(self: Box<Self>) -> u64 {
        self.id
    }

    #[cfg_attr(spanned, enter_span)]
    pub async fn later_total(&self) -> u32 {
        ready(()).await;
        self.items.iter().sum()
    }

    #[cfg_attr(spanned, enter_span)]
    pub async fn later_unused_self(&self) -> u32 {
        ready(7).await
    }

    #[cfg_attr(spanned, enter_span)]
    pub async fn later_builder(mut self, item: u32) -> Self {
        ready(()).await;
        self.items.push(item);
        self
    }

    #[cfg_attr(spanned, enter_span)]
    pub async fn later_items(&mut self) -> &mut Vec<u32> {
        ready(()).await;
        &mut self.items
    }
}

pub trait Shape {
    #[cfg_attr(spanned, enter_span)]
    fn sides(&self) -> u32 {
        4
    }

    fn area(&self, factor: f64) -> f64;
}

impl Shape for Order {
    #[cfg_attr(spanned, enter_span)]
    fn area(&self, factor: f64) -> f64 {
        2.0 * factor
    }
}
