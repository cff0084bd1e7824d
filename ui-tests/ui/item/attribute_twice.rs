use enter_span::enter_span;

#[enter_span]
#[enter_span("again")]
fn f() {}

#[enter_span]
#[enter_span::enter_span("again")]
fn by_path() {}

fn main() {
    f();
}
