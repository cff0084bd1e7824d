use enter_span::enter_span;

#[enter_span]
fn f(id: u32) -> u32 {
    if id > 3 {
        id
}

fn main() {
    f(3);
}
