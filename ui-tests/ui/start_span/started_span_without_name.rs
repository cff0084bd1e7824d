use enter_span::start_span;

fn main() {
    let _span = start_span!(kind = client);
    let _other = start_span!();
}
