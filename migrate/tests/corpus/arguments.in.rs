//! Each argument of `#[instrument]` alone, and some together.

use tracing::instrument;

#[instrument]
fn none() {}

#[instrument()]
fn empty() {}

#[instrument(skip_all)]
fn all(a: u8) {}

#[instrument(skip(a, self))]
fn some(a: u8) {}

#[instrument("text")]
fn positional() {}

#[instrument(name = "text")]
fn named() {}

#[instrument(skip_all, name = "text")]
fn named_behind() {}

#[instrument(err, name = "text")]
fn named_behind_what_stays() -> Result<(), String> {}

#[instrument(name = NAME)]
fn named_by_a_constant() {}

#[instrument(level = "debug")]
fn level() {}

#[instrument(level = tracing::Level::TRACE, target = "my::target", err)]
fn target() -> Result<(), String> {}

#[instrument(parent = None)]
fn root() {}

#[instrument(skip_all, parent = None, name = "r")]
fn root_with_a_name() {}

#[instrument(err)]
fn err() -> Result<u64, String> {}

#[instrument(err(Debug), skip_all)]
fn err_debug() -> Result<u64, String> {}

#[instrument(err(level = Level::INFO, Display))]
fn err_level() -> Result<u64, String> {}

#[instrument(ret)]
fn ret() -> Result<u64, String> {}

#[instrument(ret)]
fn ret_text() -> &'static str {}

#[instrument(ret(Debug))]
fn ret_debug() -> Vec<Order> {}

#[instrument(ret(Display), err)]
fn ret_display() -> io::Result<Order> {}

#[instrument(ret(level = "warn"))]
fn ret_level() -> Option<Order> {}

#[instrument(ret, err)]
fn ret_of_nothing() -> Result<(), String> {}

#[instrument(ret)]
fn ret_without_a_type() {}

#[instrument(skip_all name = "no comma" err)]
fn without_commas() -> Result<(), String> {}

#[tracing::instrument]
fn qualified() {}

#[::tracing::instrument(skip(a), fields(id = 7))]
fn absolute(a: u8) {}

#[tracing_attributes::instrument(err)]
fn of_the_other_crate() -> Result<(), String> {}
