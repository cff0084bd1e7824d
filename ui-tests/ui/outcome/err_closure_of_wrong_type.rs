use enter_span::enter_span;

#[enter_span(err = |error| error.len())]
fn no_bool() -> Result<u32, String> {
    Ok(3)
}

#[enter_span(err = |error: &u32| *error > 3)]
fn another_error() -> Result<u32, String> {
    Ok(3)
}

fn main() {
    drop(no_bool());
}
