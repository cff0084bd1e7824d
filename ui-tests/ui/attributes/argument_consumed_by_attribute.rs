use enter_span::{enter_span, in_span};

#[enter_span(attributes(length = user.into_bytes().len()))]
fn sync(user: String) -> String {
    user
}

#[enter_span(attributes(length = user.into_bytes().len()))]
async fn asynchronous(user: String) -> String {
    user
}

#[enter_span(when = user.into_bytes().is_empty())]
fn in_a_condition(user: String) -> String {
    user
}

fn main() {
    let user = String::new();
    in_span!("x", attributes(user = user.into_bytes().len()), || drop(user));
}
