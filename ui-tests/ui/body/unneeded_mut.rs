#![deny(unused_mut)]

use enter_span::enter_span;

#[enter_span]
fn f(mut id: u32) -> u32 {
    id
}

fn main() {
    f(3);
}
