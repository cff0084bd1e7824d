use enter_span::enter_span;

#[enter_span = "x"]
fn f() {}

fn main() {
    f();
}
