use enter_span::enter_span;

#[enter_span(attributes(usr))]
fn one_of_two(user: &str, id: u32) {
    let _ = user;
    let _ = id;
}

#[enter_span(start(id))]
fn none() {}

struct Cart;

impl Cart {
    #[enter_span(attributes(cart))]
    fn receiver(&self) {}
}

fn main() {}
