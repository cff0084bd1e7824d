use enter_span::enter_span;

#[enter_span(attributes(id, id = 7))]
fn in_one_list(id: u32) {
    let _ = id;
}

#[enter_span(attributes(order.id = 1, "order.id" = 2))]
fn spelled_in_two_ways() {}

#[enter_span(start(id), attributes(id))]
fn in_both_lists(id: u32) {
    let _ = id;
}

#[enter_span(ret(a = |v| *v, a = |v| *v))]
fn projected_twice() -> u32 {
    3
}

fn main() {}
