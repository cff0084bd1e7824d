use enter_span::Attributes;

#[derive(Attributes)]
struct Order {
    #[attributes(skip, key = order.id)]
    skipped: u64,
    #[attributes(%, ?)]
    shown: u64,
    #[attributes(nested, key = address)]
    nested: Address,
    #[attributes(?, prefix = "to")]
    below: Address,
}

#[derive(Attributes)]
struct Address {}

fn main() {}
