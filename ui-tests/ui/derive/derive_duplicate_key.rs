use enter_span::Attributes;

#[derive(Attributes)]
#[attributes(prefix = "order")]
struct Order {
    id: u64,
    #[attributes(key = id)]
    number: u64,
}

fn main() {}
