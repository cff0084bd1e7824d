use enter_span::enter_span;

#[enter_span(attributes(id]
fn f(id: u32) -> u32 {
    id
}

fn main() {
    f(3);
}
