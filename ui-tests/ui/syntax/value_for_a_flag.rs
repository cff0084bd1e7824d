use enter_span::enter_span;

#[enter_span(root = true)]
fn root() {}

#[enter_span(leaf(true))]
fn leaf() {}

#[enter_span(future = true)]
fn future() {}

fn main() {}
