use enter_span::enter_span;

#[enter_span(attributes(id = if id > 3 { return } else { id }))]
fn f(id: u32) {
    let _ = id;
}

fn main() {}
