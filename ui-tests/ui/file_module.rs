use enter_span::enter_span;

#[enter_span]
mod elsewhere;

fn main() {}
