use enter_span::enter_span;

unsafe extern "C" {
    #[enter_span]
    safe fn abs(value: i32) -> i32;

    #[enter_span]
    fn labs(value: i64) -> i64;
}

fn main() {
    abs(3);
    unsafe { labs(3) };
}
