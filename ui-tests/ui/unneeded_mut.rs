#![deny(unused_mut)]

use enter_span::enter_span;

#[enter_span]
fn sync(mut id: u32) -> u32 {
    id
}

#[enter_span]
async fn asynchronous(mut id: u32) -> u32 {
    id
}

fn main() {
    sync(3);
    drop(asynchronous(3));
}
