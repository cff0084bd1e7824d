#![deny(dead_code, deprecated, unreachable_code, unused)]

use enter_span::enter_span;

#[enter_span]
fn sync(argument: u32) {
    let variable = 3;
}

#[enter_span]
async fn asynchronous(argument: u32) {
    let variable = 3;
}

#[enter_span]
fn unreachable() -> u32 {
    return 3;
    println!("late");
}

#[enter_span]
async fn asynchronous_unreachable() -> u32 {
    return 3;
    println!("late");
}

#[enter_span]
fn unused_result() {
    fallible();
}

#[enter_span]
async fn asynchronous_unused_result() {
    fallible();
}

#[enter_span]
fn fallible() -> Result<u32, String> {
    Ok(3)
}

#[enter_span]
#[deprecated]
fn old() {}

#[enter_span]
fn calls_old() {
    old();
}

#[enter_span]
fn never_called() {}

#[enter_span]
async fn asynchronous_never_called() {}

fn main() {
    sync(3);
    drop(asynchronous(3));
    unreachable();
    drop(asynchronous_unreachable());
    unused_result();
    drop(asynchronous_unused_result());
    calls_old();
}
