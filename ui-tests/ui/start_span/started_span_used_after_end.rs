use enter_span::start_span;

fn main() {
    let span = start_span!("x");
    span.end();
    span.set_attribute("late", 1);
}
