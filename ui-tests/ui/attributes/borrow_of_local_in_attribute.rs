use enter_span::enter_span;

#[enter_span(name = { let name = id.to_string(); name.as_str() })]
fn f(id: u32) {}

fn main() {
    f(3);
}
