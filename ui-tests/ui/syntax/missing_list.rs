use enter_span::enter_span;

#[enter_span(attributes = id)]
fn attributes(id: u32) {
    let _ = id;
}

#[enter_span(start)]
fn start() {}

#[enter_span(links = [])]
fn links() {}

#[enter_span(attributes[id])]
fn brackets(id: u32) {
    let _ = id;
}

fn main() {}
