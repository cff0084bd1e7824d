use enter_span::{Span, start_span};

fn main() {
    Span::current().record("id", 7);
    start_span!("owned").record("text", "t");
}
