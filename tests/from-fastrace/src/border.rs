use std::collections::HashMap;

use enter_span::{enter_span, extract, in_span, inject};
use fastrace::Span;
use fastrace::collector::SpanContext;

fn inwards() {
    if let Some(parent) = SpanContext::current_local_parent() {
        let parent = extract(&[("traceparent", parent.encode_w3c_traceparent())]);
        in_span!("ours", parent = parent, || ());
    }
}

#[enter_span]
fn outwards() {
    let mut headers = HashMap::<String, String>::new();
    inject(&mut headers);
    let parent = headers.get("traceparent");
    let parent = parent.and_then(|text| SpanContext::decode_w3c_traceparent(text));
    let span = Span::root("theirs", parent.unwrap_or_else(SpanContext::random));
    let _guard = span.set_local_parent();
}
