use enter_span::{Attributes, Span};

const ORDER: &str = "order";

#[derive(Attributes)]
#[attributes(rename = "order")]
struct OnStruct {
    #[attributes(name = "id")]
    unknown: u64,
    #[attributes(crate = enter_span)]
    of_struct: u64,
    #[attributes]
    without_parentheses: u64,
    #[attributes = "id"]
    with_equals: u64,
    #[attributes(key)]
    without_value: u64,
    #[attributes(key = "")]
    empty: u64,
    #[attributes(key = 5)]
    number: u64,
    #[attributes(skip = true)]
    flag: u64,
    #[attributes(? other)]
    sigil: u64,
    #[attributes("id")]
    text: u64,
    #[attributes(key = a, key = b)]
    twice: u64,
    #[attributes(key = a ?)]
    comma: u64,
}

#[derive(Attributes)]
#[attributes(prefix = "order.")]
struct Dotted {}

#[derive(Attributes)]
#[attributes(prefix = ORDER)]
struct Constant {}

#[derive(Attributes)]
#[attributes(skip)]
struct OfField {}

fn main() {
    Span::current().set_attributes(Dotted {});
}
