use enter_span::enter_span;

#[enter_span]
#[track_caller]
fn value() -> u32 {
    3
}

#[enter_span(ret, err = ignore)]
#[track_caller]
fn shown() -> u32 {
    3
}

fn main() {
    value();
}
