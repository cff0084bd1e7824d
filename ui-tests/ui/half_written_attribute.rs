use enter_span::enter_span;

#[enter_span(attr)]
fn a_word(id: u32) -> u32 {
    id
}

#[enter_span(attributes(]
fn unclosed(id: u32) -> u32 {
    id
}

fn main() {
    a_word(3);
    unclosed(3);
}
