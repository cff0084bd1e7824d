use enter_span::in_span;

fn main() {
    in_span!("x");
    in_span!("x", kind = client);
    in_span!("x", 1 + 2);
    in_span!("x", { 1 + 2 });
    in_span!("x", async { 3 });
    in_span!("x", run);
    in_span!();
}

fn run(span: enter_span::Span) {
    drop(span);
}
