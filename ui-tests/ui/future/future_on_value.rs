use enter_span::enter_span;

#[enter_span(future)]
fn number() -> u32 {
    3
}

#[enter_span(future)]
fn ready() -> std::future::Ready<u32> {
    std::future::ready(3)
}

fn main() {
    number();
}
