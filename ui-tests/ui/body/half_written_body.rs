use enter_span::enter_span;

#[enter_span]
fn sync(id: u32) -> u32 {
    id.
}

#[enter_span]
async fn asynchronous(id: u32) -> u32 {
    let twice = id * ;
    twice
}

#[enter_span(attributes(id))]
fn half_a_condition(id: u32) -> u32 {
    if id
}

fn main() {
    sync(3);
    drop(asynchronous(3));
    half_a_condition(3);
}
