use enter_span::enter_span;

#[enter_span("name", current, attributes(id))]
fn named(id: u64) {
    let _ = id;
}

#[enter_span(current, kind = client, root, leaf, attributes(id))]
fn described(id: u64) {
    let _ = id;
}

#[enter_span(current, start(id), err = ignore)]
fn started(id: u64) {
    let _ = id;
}

fn main() {
    named(1);
    described(1);
    started(1);
}
