use enter_span::enter_span;

#[enter_span(stream)]
fn numbers() -> Vec<u32> {
    vec![3]
}

fn main() {
    numbers();
}
