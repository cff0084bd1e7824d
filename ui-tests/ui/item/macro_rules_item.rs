use enter_span::enter_span;

#[enter_span]
macro_rules! rules {
    () => {};
}

rules!();

fn main() {}
