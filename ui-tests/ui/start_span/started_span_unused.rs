#![deny(unused_must_use)]

use enter_span::start_span;

fn main() {
    start_span!("x");
    enter_span::start_span("y");
}
