use enter_span::enter_span;

#[enter_span(err)]
fn err() {}

#[enter_span(ret)]
fn ret() {}

#[enter_span(err = |_: &String| true)]
fn judged() {}

#[enter_span(ret)]
fn never() -> ! {
    std::process::exit(0)
}

#[enter_span(err)]
fn never_err() -> ! {
    std::process::exit(0)
}

#[enter_span(ret)]
async fn in_a_future() {}

#[enter_span(err)]
fn a_spelled_unit() -> () {}

fn main() {
    err();
}
