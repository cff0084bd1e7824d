use enter_span::{Attributes, Span};

#[derive(Attributes)]
enum State {
    Open,
}

#[derive(Attributes)]
union Number {
    signed: i64,
    unsigned: u64,
}

#[derive(Attributes)]
struct Id(u64);

#[derive(Attributes)]
struct Nothing;

fn main() {
    // None of these is a fault of its own.
    Span::current().set_attributes(State::Open);
    Span::current().set_attributes(Id(7));
}
