//! Functions of a crate of edition 2015. The tests call them.

#![deny(
    future_incompatible,
    rust_2018_compatibility,
    rust_2021_compatibility,
    rust_2024_compatibility
)]
#![deny(missing_docs, unfulfilled_lint_expectations, warnings)]
#![expect(
    keyword_idents_2018,
    keyword_idents_2024,
    unsafe_op_in_unsafe_fn,
    reason = "what later editions changed is under test"
)]

extern crate enter_span;

use std::error::Error;

use enter_span::enter_span;

/// Something to borrow parts of.
pub struct Row {
    /// A part.
    pub id: u32,
    /// Another one.
    pub name: String,
}

/// Gives a borrow of a part of its argument.
#[enter_span(attributes(?row.id), ret(len = |name: &String| -> usize { name.len() }))]
pub fn name_of(row: &mut Row) -> Result<&mut String, String> {
    if row.id == 0 {
        return Err(String::from("no row"));
    }
    row.id += 1;
    Ok(&mut row.name)
}

/// Passes an error on, as trait objects were written then.
#[enter_span(attributes(text), ret)]
#[expect(
    bare_trait_objects,
    deprecated,
    reason = "the spelling of this edition"
)]
pub fn parse(text: &str) -> Result<u32, Box<Error>> {
    let number = try!(text.parse());
    Ok(number)
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

/// A name that became a keyword later.
#[enter_span(attributes(gen))]
pub fn generate(gen: u32) -> u32 {
    gen
}
