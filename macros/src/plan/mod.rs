//! Every decision: what the arguments mean for a function, a block or a struct. It can report
//! mistakes. What is printed is decided here, and how it is printed in `print`.

pub(crate) mod capture;
pub(crate) mod check;
pub(crate) mod closure_types;
pub(crate) mod derive_plan;
pub(crate) mod finish;
pub(crate) mod function;
pub(crate) mod lints;
pub(crate) mod mark_used;
pub(crate) mod returned_type;
pub(crate) mod returned_work;
pub(crate) mod shape;
pub(crate) mod span;
