//! The text of one file: where its tokens are, and how it is changed.

pub(crate) mod edit;
pub(crate) mod list;
pub(crate) mod source;
