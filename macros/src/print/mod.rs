//! The printed code. It decides nothing and cannot fail.

pub(crate) mod attribute;
pub(crate) mod block;
pub(crate) mod body;
pub(crate) mod derive;
pub(crate) mod entry;
pub(crate) mod finish;
pub(crate) mod function;
pub(crate) mod hygiene;
pub(crate) mod returned_work;
pub(crate) mod site;
