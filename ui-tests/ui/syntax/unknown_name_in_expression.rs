use enter_span::enter_span;

#[enter_span(attributes(user.id = usr.id))]
fn f(user: &User) {}

struct User {
    id: u32,
}

fn main() {
    f(&User { id: 3 });
}
