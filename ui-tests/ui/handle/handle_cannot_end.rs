use enter_span::enter_span;

#[enter_span(|span|)]
fn f() {
    span.end();
}

fn main() {
    f();
}
