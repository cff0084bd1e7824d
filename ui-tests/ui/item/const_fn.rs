use enter_span::enter_span;

#[enter_span]
const fn f() -> u32 {
    3
}

const THREE: u32 = f();

fn main() {
    drop(THREE);
}
