use enter_span::enter_span;

struct User;

#[enter_span(attributes(users))]
fn slice(users: &[User]) {}

#[enter_span(attributes(users))]
fn vec(users: Vec<Option<u32>>) {}

fn main() {}
