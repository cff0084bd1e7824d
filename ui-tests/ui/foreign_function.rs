use enter_span::enter_span;

unsafe extern "C" {
    #[enter_span]
    safe fn abs(value: i32) -> i32;
}

fn main() {
    abs(3);
}
