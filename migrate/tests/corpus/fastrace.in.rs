use fastrace::prelude::SpanContext;
use fastrace::trace;

#[trace]
fn by_path() {}

#[trace(name = "by name")]
fn by_name() {}

#[trace(short_name = true, enter_on_poll = true)]
async fn short() {}

#[trace(short_name = false)]
fn long() {}

#[trace(name = "p", properties = { "k": "v", "id": "{id}", "body": "{body:?}", "both": "{id}/{body:?}", "braces": "{{}}" })]
fn properties(id: u8, body: Body) {}

#[trace(
    short_name = true,
    properties = {
        "k": "v",
        // of the order
        "id": "order {}",
    }
)]
fn lines() {}

#[fastrace::trace(name = "q", properties = {}, crate = ::fastrace)]
fn qualified() {}
