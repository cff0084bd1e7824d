use enter_span::enter_span;

#[enter_span(?user)]
fn outside(user: &str) {
    let _ = user;
}

#[enter_span(%user)]
fn outside_too(user: &str) {
    let _ = user;
}

#[enter_span(attributes(?user = user))]
fn before_the_pair(user: &str) {
    let _ = user;
}

#[enter_span(attributes(user? = user))]
fn behind_the_key(user: &str) {
    let _ = user;
}

#[enter_span(attributes(user = user?))]
fn behind_the_value(user: &str) {
    let _ = user;
}

#[enter_span(ret(length = ?|text| text))]
fn before_a_projection() -> String {
    String::new()
}

fn main() {}
