//! What the tests share.

pub(crate) mod allocations;
pub(crate) mod check;
pub(crate) mod child;
pub(crate) mod drops;
pub(crate) mod proxy;
pub(crate) mod receiver;
pub(crate) mod scripted;
