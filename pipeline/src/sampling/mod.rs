//! Which spans are recorded, and their ids.

pub(crate) mod id;
pub(crate) mod muting;
pub(crate) mod parentage;
pub(crate) mod sampler;
