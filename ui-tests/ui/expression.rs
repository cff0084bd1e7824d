use enter_span::enter_span;

fn main() {
    let add = #[enter_span]
    |a: u32| a + 1;
    add(2);
}
