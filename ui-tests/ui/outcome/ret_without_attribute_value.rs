use enter_span::enter_span;

struct User;

#[enter_span(ret)]
fn value() -> User {
    User
}

#[enter_span(ret)]
async fn in_a_result() -> Result<User, String> {
    Ok(User)
}

#[enter_span(ret(user = |user| user))]
fn projected() -> User {
    User
}

fn main() {
    value();
}
