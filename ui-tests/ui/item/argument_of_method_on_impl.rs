use enter_span::enter_span;

struct Cart;

#[enter_span("cart", attributes(id = 7), |span|, leaf)]
impl Cart {
    fn total(&self) -> u32 {
        3
    }
}

fn main() {
    Cart.total();
}
