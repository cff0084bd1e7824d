use enter_span::enter_span;

#[enter_span(target = "shop")]
fn f() {}

#[enter_span(tracr = shop)]
fn g() {}

fn main() {
    f();
    g();
}
