use std::future::Future;

use enter_span::enter_span;

#[enter_span(current, ret(a = |v| v))]
fn nothing() {}

#[enter_span(current, ret(a = |v| v))]
fn future() -> impl Future<Output = u8> {
    async { 1 }
}

#[track_caller]
#[enter_span(current, ret(a = |v| v))]
fn tracked() -> u8 {
    1
}

#[enter_span(current, attributes(id))]
fn unknown_parameter(user: u8) -> u8 {
    user
}

fn main() {}
