use enter_span::enter_span;

#[enter_span(ret = true)]
fn value() -> u32 {
    3
}

#[enter_span(ret = |v| v)]
fn keyless() -> u32 {
    3
}

#[enter_span(ret())]
fn empty() -> u32 {
    3
}

#[enter_span(ret(total))]
fn no_projection() -> u32 {
    3
}

#[enter_span(ret(total = 3))]
fn no_closure() -> u32 {
    3
}

#[enter_span(ret(total = |a, b| a))]
fn two_values() -> u32 {
    3
}

#[enter_span(ret(total =))]
fn nothing_behind() -> u32 {
    3
}

fn main() {}
