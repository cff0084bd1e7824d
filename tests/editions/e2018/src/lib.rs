//! Functions of a crate of edition 2018. The tests call them.

#![deny(future_incompatible, rust_2021_compatibility, rust_2024_compatibility)]
#![deny(missing_docs, unfulfilled_lint_expectations, warnings)]
#![expect(
    keyword_idents_2024,
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
