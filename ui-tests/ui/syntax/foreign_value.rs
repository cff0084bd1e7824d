use enter_span::enter_span;

#[enter_span(ret(Debug))]
fn ret_debug() -> Vec<u8> {
    Vec::new()
}

#[enter_span(ret(Display))]
fn ret_display() -> String {
    String::new()
}

#[enter_span(err(Debug))]
fn err_debug() -> Result<(), String> {
    Ok(())
}

#[enter_span(parent = None)]
fn parent_none() {}

#[enter_span(attributes(total = tracing::field::Empty))]
fn empty_field() {}

#[enter_span(attributes(total = field::Empty))]
fn empty_field_of_an_import() {}

fn main() {}
