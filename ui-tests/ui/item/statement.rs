use enter_span::enter_span;

fn main() {
    #[enter_span]
    let sum = 1 + 2;
    drop(sum);
}
