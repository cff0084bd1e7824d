use enter_span::enter_span;

trait Stream {}

impl Stream for () {}

#[enter_span(ret)]
fn ret() -> impl Stream {}

#[enter_span(err)]
fn err() -> impl Stream {}

fn main() {
    ret();
}
