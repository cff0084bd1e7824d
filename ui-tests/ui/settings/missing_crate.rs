use enter_span::enter_span;

#[enter_span(crate = ::facade::enter_span)]
fn an_unknown_crate() {}

#[enter_span(crate = crate::facade, attributes(id), err)]
async fn an_unknown_module(id: u32) -> Result<u32, String> {
    Ok(id)
}

fn main() {
    an_unknown_crate();
    drop(an_unknown_module(3));
}
