use enter_span::enter_span;

#[enter_span(crate = crate::facade)]
async fn f(id: u32) -> Result<u32, String> {
    Ok(id)
}

fn main() {
    drop(f(3));
}
