use enter_span::enter_span;

#[enter_span]
fn in_a_result() -> Result<impl Future<Output = u32>, String> {
    Ok(async { 3 })
}

#[enter_span]
fn in_a_tuple() -> (u32, std::pin::Pin<Box<dyn Future<Output = u32>>>) {
    (3, Box::pin(async { 3 }))
}

fn main() {}
