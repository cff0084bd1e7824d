use enter_span::enter_span;

#[enter_span(ret, err = type)]
fn doubled() -> impl Fn(u8) -> u8 {
    |number| number * 2
}

fn main() {
    doubled()(2);
}
