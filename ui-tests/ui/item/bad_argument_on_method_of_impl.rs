use enter_span::enter_span;

struct Cart;

#[enter_span]
impl Cart {
    #[enter_span(nmae = "x")]
    fn misspelled(&self) {}

    #[enter_span = "x"]
    fn without_parentheses(&self) {}

    #[enter_span]
    const fn constant(&self) {}

    #[enter_span(attributes(id))]
    fn no_parameter(&self) {}
}

fn main() {
    Cart.misspelled();
    Cart.without_parentheses();
    Cart.constant();
    Cart.no_parameter();
}
