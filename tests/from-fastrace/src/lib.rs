#![doc = include_str!("../../../docs/from-fastrace.md")]
// A package of its own: the tests need nothing else of what fastrace brings.
