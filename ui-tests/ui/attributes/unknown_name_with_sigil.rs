use enter_span::enter_span;

#[enter_span(attributes(?usr))]
fn f(user: &str) {}

#[enter_span(attributes(%user.nam))]
fn g(user: &User) {}

struct User {
    name: String,
}

fn main() {}
