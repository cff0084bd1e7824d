use enter_span::enter_span;

struct User;

#[enter_span(attributes(user = %user))]
fn argument(user: &User) {}

fn main() {
    argument(&User);
}
