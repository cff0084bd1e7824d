#![deny(unused_must_use)]

use enter_span::prelude::*;

async fn work() {}

fn main() {
    work().in_current_span();
    let closure = || {};
    closure.in_current_span();
}
