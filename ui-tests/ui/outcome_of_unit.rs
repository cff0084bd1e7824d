use enter_span::enter_span;

#[enter_span(err)]
fn f() -> () {}

#[enter_span(ret)]
fn g() -> () {}

fn main() {
    f();
}
