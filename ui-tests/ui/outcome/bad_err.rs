use enter_span::enter_span;

type Answer = Result<u32, String>;

#[enter_span(err = loud)]
fn unknown_word() -> Answer {
    Ok(3)
}

#[enter_span(err(type))]
fn a_list() -> Answer {
    Ok(3)
}

#[enter_span(err = "type")]
fn text() -> Answer {
    Ok(3)
}

#[enter_span(err =)]
fn nothing_behind() -> Answer {
    Ok(3)
}

#[enter_span(err = full)]
fn more_than_is_allowed() -> Answer {
    Ok(3)
}

#[enter_span(err = |a, b| true)]
fn two_errors() -> Answer {
    Ok(3)
}

#[enter_span(err = || true)]
fn no_error() -> Answer {
    Ok(3)
}

fn main() {}
