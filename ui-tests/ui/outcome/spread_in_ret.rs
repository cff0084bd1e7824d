use enter_span::enter_span;

#[enter_span(ret(..order))]
fn place() -> u64 {
    7
}

fn main() {}
