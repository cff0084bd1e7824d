use enter_span::enter_span;

#[enter_span(ret)]
fn f() -> impl Iterator<Item = u32> {
    [3].into_iter()
}

fn main() {
    drop(f());
}
