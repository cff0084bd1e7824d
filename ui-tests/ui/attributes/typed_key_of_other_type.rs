use enter_span_semconv::{HTTP_RESPONSE_STATUS_CODE, HTTP_ROUTE};
use enter_span::{Key, Span, enter_span, in_span};

const ORDER_ID: Key<u64> = Key::new("order.id");

#[enter_span(attributes(HTTP_RESPONSE_STATUS_CODE = status))]
fn in_attributes(status: &str) {}

#[enter_span(start(ORDER_ID = id))]
fn in_start(id: u32) {}

#[enter_span(ret(ORDER_ID = |order| order))]
async fn in_ret() -> Result<&'static str, String> {
    Ok("7")
}

#[enter_span(attributes(ORDER_ID = "7"))]
fn text() {}

#[enter_span(attributes(ORDER_ID = %id))]
fn display(id: u64) {}

fn main() {
    Span::current().set_attribute(HTTP_RESPONSE_STATUS_CODE, "200");
    Span::current().set_attribute_with(HTTP_ROUTE, || 7);
    Span::current().set_attributes([(ORDER_ID, true)]);
    in_span!("x", attributes(ORDER_ID = 1.5), |_| ());
}
