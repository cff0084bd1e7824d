use enter_span::{enter_span, in_span, start_span};

struct Cart;

#[enter_span(current)]
impl Cart {
    fn total(&self) {}
}

fn main() {
    in_span!("x", current, attributes(id = 1), |_| ());
    let _span = start_span!("x", current, attributes(id = 1));
    Cart.total();
}
