#![deny(unused_must_use)]

use enter_span::{enter_span, enter_span_async, in_span};

fn main() {
    enter_span("x", |span| async move { drop(span) });
    enter_span_async("x", |span| async move { drop(span) });
    in_span!("x", |span| async move { drop(span) });
    in_span!("x", async |span| drop(span));
}
