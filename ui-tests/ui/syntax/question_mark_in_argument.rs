use enter_span::enter_span;

#[enter_span(attributes(id = text.parse::<u32>()?))]
fn in_an_attribute(text: &str) -> Result<(), std::num::ParseIntError> {
    text.parse::<u32>().map(drop)
}

#[enter_span(ret(first = |list| list.first()?))]
fn in_a_projection() -> Vec<u32> {
    Vec::new()
}

fn main() {}
