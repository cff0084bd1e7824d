use enter_span::{enter_span, in_span};

#[enter_span]
fn sync() -> u32 {
    "three"
}

#[enter_span]
async fn asynchronous() -> u32 {
    "three"
}

#[enter_span]
async fn early(id: u32) -> Result<u32, String> {
    if id > 3 {
        return "three";
    }
    Ok(id)
}

#[enter_span]
fn unit() {
    3
}

#[enter_span]
async fn asynchronous_unit() {
    3
}

#[enter_span]
fn future() -> impl Future<Output = u32> {
    async { "three" }
}

fn main() {
    let _: u32 = in_span!("x", || "three");
}
