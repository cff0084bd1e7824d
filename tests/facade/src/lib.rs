//! A crate between the user and `enter-span`: it knows it by another name and hands it on.

pub use spans as enter_span;

/// An annotated function of a crate to which `enter-span` is `spans`.
#[spans::enter_span(crate = spans, attributes(id))]
pub fn renamed(id: u8) -> Result<u8, String> {
    Err(format!("no {id}"))
}

/// A block in the same crate.
pub fn renamed_block() -> u8 {
    spans::in_span!("renamed_block", crate = spans, |span| {
        span.set_attribute("id", 1);
        1
    })
}

/// A struct of facts in the same crate.
#[derive(spans::Attributes)]
#[attributes(crate = spans, prefix = renamed)]
pub struct Facts {
    /// One of them.
    pub id: u8,
}

/// Makes an annotated function in the crate that calls it, which may know nothing of `enter-span`.
#[macro_export]
macro_rules! traced {
    (fn $name:ident() -> $ret:ty $body:block) => {
        #[$crate::enter_span::enter_span(crate = $crate::enter_span)]
        fn $name() -> $ret $body
    };
}
