use enter_span::enter_span;

#[enter_span(attributes(last = list.pop()))]
fn f(list: Vec<u32>) {}

fn main() {
    f(vec![3]);
}
