//! Holds the README to its word: each of its examples is compiled and run.

#[doc = include_str!("../../README.md")]
pub struct Readme;
