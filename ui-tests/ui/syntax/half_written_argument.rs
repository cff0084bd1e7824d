use enter_span::enter_span;

#[enter_span(attr)]
fn a_word(id: u32) -> u32 {
    id
}

#[enter_span(attributes(id), err = )]
fn no_value(id: u32) -> Result<u32, String> {
    Ok(id)
}

#[enter_span(attributes(id), )]
fn a_last_comma_is_right(id: u32) -> u32 {
    id
}

fn main() {
    a_word(3);
    drop(no_value(3));
    a_last_comma_is_right(3);
}
