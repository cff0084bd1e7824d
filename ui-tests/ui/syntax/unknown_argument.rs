use enter_span::enter_span;

#[enter_span(nmae = "x")]
fn misspelled() {}

#[enter_span(color = "x")]
fn unheard_of() {}

fn main() {
    misspelled();
    unheard_of();
}
