use enter_span::{Attributes, Key};

struct Card;

const ORDER_ID: Key<u64> = Key::new("order.id");

#[derive(Attributes)]
struct Order<T> {
    card: Card,
    #[attributes(?)]
    debug: Card,
    #[attributes(%)]
    display: Card,
    #[attributes(key = ORDER_ID)]
    id: String,
    #[attributes(nested)]
    nested: Card,
    #[attributes(prefix = "to")]
    below: Option<Card>,
    generic: Option<T>,
}

fn give(order: Order<Card>) {
    enter_span::Span::current().set_attributes(order);
}

fn main() {}
