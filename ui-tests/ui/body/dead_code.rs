#![deny(dead_code)]

use enter_span::enter_span;

#[enter_span]
fn sync() {}

#[enter_span]
async fn asynchronous() {}

struct Cart;

#[enter_span]
impl Cart {
    fn method(&self) {}
}

fn main() {
    let _ = Cart;
}
