use enter_span::Span;

struct User;

fn main() {
    let span = Span::current();
    span.set_attribute("user", User);
    span.set_attribute("users", vec![User]);
    span.set_outcome(&3);
    span.add_link(3);
}
