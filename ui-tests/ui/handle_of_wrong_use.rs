use enter_span::enter_span;

struct User;

#[enter_span(|span|)]
fn f() {
    span.set_attribute("user", User);
    span.set_attribute("id", vec![User]);
    span.set_outcome(&3);
    span.add_link(3);
    span.end();
}

fn main() {
    f();
}
