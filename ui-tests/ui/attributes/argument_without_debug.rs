use enter_span::enter_span;

struct User;

#[enter_span(attributes(user = ?user))]
fn argument(user: &User) {}

#[enter_span(attributes(user = ?user))]
fn generic<T>(user: T) {}

fn main() {
    argument(&User);
}
