use enter_span::enter_span;

#[enter_span]
struct Struct;

#[enter_span]
pub enum Enum {}

#[enter_span]
pub(crate) union Union {
    field: u32,
}

#[enter_span]
trait Trait {}

#[enter_span]
unsafe trait UnsafeTrait {}

#[enter_span]
mod module {}

#[enter_span]
pub use std::fmt;

#[enter_span]
static STATIC: u32 = 3;

#[enter_span]
const CONST: u32 = 3;

#[enter_span]
type Alias = u32;

#[enter_span]
unsafe extern "C" {}

#[enter_span]
extern crate core;

#[enter_span]
std::thread_local! {}

fn main() {}
