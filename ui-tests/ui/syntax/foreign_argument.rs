use enter_span::enter_span;

#[enter_span(skip(password))]
fn skipping_one(password: &str) {
    let _ = password;
}

#[enter_span(skip_all)]
fn skipping_all(password: &str) {
    let _ = password;
}

#[enter_span(fields(id = 7))]
fn fields() {}

#[enter_span(attrs(id = 7))]
fn attrs() {}

#[enter_span(properties = { "id": "7" })]
fn properties() {}

#[enter_span(tags(id = 7))]
fn tags() {}

#[enter_span(level = "debug")]
fn level() {}

#[enter_span(target = "shop")]
fn target() {}

#[enter_span(tracer_name = "shop")]
fn tracer_name() {}

#[enter_span(follows_from = causes)]
fn follows_from() {}

#[enter_span(short_name = true)]
fn short_name() {}

#[enter_span(enter_on_poll = true)]
async fn enter_on_poll() {}

fn main() {}
