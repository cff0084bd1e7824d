//! Functions of a crate of edition 2021. The tests call them.

#![deny(future_incompatible, rust_2024_compatibility)]
#![deny(missing_docs, unfulfilled_lint_expectations, warnings)]
#![expect(
    keyword_idents_2024,
    tail_expr_drop_order,
    unsafe_op_in_unsafe_fn,
    reason = "what later editions changed is under test"
)]

use enter_span::{enter_span, in_span};

/// Something to borrow parts of.
pub struct Row {
    /// A part.
    pub id: u32,
    /// Another one.
    pub name: String,
}

/// Gives a borrow of a part of its argument.
#[enter_span(attributes(row.id = row.id))]
pub fn name_of(row: &mut Row) -> Result<&mut String, String> {
    if row.id == 0 {
        return Err(String::from("no row"));
    }
    row.id += 1;
    Ok(&mut row.name)
}

/// The same, later.
#[enter_span(attributes(row.id = row.id))]
pub async fn name_later(row: &mut Row) -> Result<&mut String, String> {
    std::future::ready(()).await;
    if row.id == 0 {
        return Err(String::from("no row"));
    }
    row.id += 1;
    Ok(&mut row.name)
}

/// Does an unsafe operation in its body.
///
/// # Safety
///
/// The pointer must be one to read from.
#[enter_span]
pub unsafe fn read(at: *const u32) -> u32 {
    *at
}

/// The same, later.
///
/// # Safety
///
/// The pointer must be one to read from.
#[enter_span]
pub async unsafe fn read_later(at: *const u32) -> u32 {
    std::future::ready(()).await;
    *at
}

/// A name that became a keyword later.
#[enter_span(attributes(gen))]
pub fn generate(gen: u32) -> u32 {
    gen
}

/// Tells when it is dropped.
pub struct Told<'a>(pub &'static str, pub &'a dyn Fn(&'static str));

impl Told<'_> {
    fn id(&self) -> u32 {
        1
    }
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        (self.1)(self.0);
    }
}

/// In this edition a temporary of the last expression outlives the locals.
pub fn plain_tail(tell: &dyn Fn(&'static str)) -> u32 {
    let _local = Told("local", tell);
    Told("temporary", tell).id()
}

/// The same with a span.
#[enter_span]
pub fn tail(tell: &dyn Fn(&'static str)) -> u32 {
    let _local = Told("local", tell);
    Told("temporary", tell).id()
}

/// The same later.
pub async fn plain_tail_later(tell: &dyn Fn(&'static str)) -> u32 {
    let _local = Told("local", tell);
    Told("temporary", tell).id()
}

/// The same later, with a span.
#[enter_span]
pub async fn tail_later(tell: &dyn Fn(&'static str)) -> u32 {
    let _local = Told("local", tell);
    Told("temporary", tell).id()
}

/// Fails.
pub fn fail() -> ! {
    panic!("on purpose")
}

/// A block that never gives a value, where nothing can be given.
pub fn never() -> ! {
    in_span!("never", |_| fail())
}

/// The same, where a number is expected.
pub fn number() -> u8 {
    in_span!("number", |_| fail())
}

/// The same, where nothing is expected.
pub fn nothing() {
    in_span!("nothing", |_| fail());
}

/// The same, later.
pub async fn never_later() -> ! {
    in_span!("never later", async |_| fail()).await
}

/// The same, later, where a number is expected.
pub async fn number_later() -> u8 {
    in_span!("number later", async |_| fail()).await
}

/// Futures and values are what they are beside it.
pub async fn sum() -> u8 {
    in_span!("future", |_| async { 1 }).await + in_span!("value", |_| 2)
}
