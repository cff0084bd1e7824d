#![deny(deprecated)]

use enter_span::enter_span;

type Rows = std::pin::Pin<Box<dyn futures_core::Stream<Item = u32>>>;

#[enter_span]
fn keep(rows: Rows) -> Rows {
    rows
}

fn main() {
    let _ = keep;
}
