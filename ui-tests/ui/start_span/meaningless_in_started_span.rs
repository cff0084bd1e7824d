use enter_span::start_span;

fn main() {
    let _span = start_span!("x", ret);
    let _span = start_span!("x", err = type);
    let _span = start_span!("x", future);
    let _span = start_span!("x", call_only);
    let _span = start_span!("x", skip);
}
