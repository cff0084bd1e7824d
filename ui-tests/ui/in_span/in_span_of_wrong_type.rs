use enter_span::prelude::*;

async fn work() {}

fn main() {
    drop(work().in_span(&5));
    drop(work().linked_to("cause"));
}
