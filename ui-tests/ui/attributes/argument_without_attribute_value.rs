use enter_span::{enter_span, in_span};

struct User;

#[enter_span(attributes(user))]
fn argument(user: &User) {}

#[enter_span(attributes(shopper = find(id)))]
fn expression(id: u32) {}

#[enter_span(start(user))]
fn at_the_start(user: User) {}

#[enter_span(attributes(user))]
async fn asynchronous(user: User) {}

fn find(_: u32) -> User {
    User
}

fn main() {
    in_span!("x", attributes(user = User), || ());
}
