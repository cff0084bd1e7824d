//! Each argument of `#[instrument]` alone, and some together.

use enter_span::enter_span;

#[enter_span]
fn none() {}

#[enter_span]
fn empty() {}

#[enter_span]
fn all(a: u8) {}

#[enter_span]
fn some(a: u8) {}

#[enter_span("text")]
fn positional() {}

#[enter_span("text")]
fn named() {}

#[enter_span("text")]
fn named_behind() {}

#[enter_span(err, name = "text")]
fn named_behind_what_stays() -> Result<(), String> {}

#[enter_span(name = NAME)]
fn named_by_a_constant() {}

#[enter_span]
fn level() {}

#[enter_span(err)]
fn target() -> Result<(), String> {}

#[enter_span(root)]
fn root() {}

#[enter_span(root, name = "r")]
fn root_with_a_name() {}

#[enter_span(err)]
fn err() -> Result<u64, String> {}

#[enter_span(err)]
fn err_debug() -> Result<u64, String> {}

#[enter_span(err)]
fn err_level() -> Result<u64, String> {}

#[enter_span(ret)]
fn ret() -> Result<u64, String> {}

#[enter_span(ret)]
fn ret_text() -> &'static str {}

#[enter_span(ret(return = |value| format!("{value:?}")))]
fn ret_debug() -> Vec<Order> {}

#[enter_span(ret(return = |value| format!("{value}")), err)]
fn ret_display() -> io::Result<Order> {}

#[enter_span(ret(return = |value| format!("{value:?}")))]
fn ret_level() -> Option<Order> {}

#[enter_span(err)]
fn ret_of_nothing() -> Result<(), String> {}

#[enter_span]
fn ret_without_a_type() {}

#[enter_span("no comma", err)]
fn without_commas() -> Result<(), String> {}

#[enter_span::enter_span]
fn qualified() {}

#[::enter_span::enter_span(attributes(id = 7))]
fn absolute(a: u8) {}

#[enter_span::enter_span(err)]
fn of_the_other_crate() -> Result<(), String> {}
