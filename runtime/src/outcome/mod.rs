//! What a returned value says about its span, how that is found by type, and how much of an error may be recorded.

pub(crate) mod failure;
pub(crate) mod policy;
#[expect(missing_docs, reason = "reached by generated code only")]
pub(crate) mod probe;
