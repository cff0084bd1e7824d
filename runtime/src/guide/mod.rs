//! Guides: longer than a page of reference, and tested as they stand.

#[doc = include_str!("crossing_boundaries.md")]
pub mod crossing_boundaries {}
