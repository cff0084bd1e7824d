use enter_span::enter_span;
use tracing::field;

#[enter_span(attributes(id = %id, body = ?body, n = 3, text = "t", "quoted key" = 1))]
fn same(id: u8, body: Body) {}

#[enter_span(attributes(%id, ?body, ?order.id))]
fn short(id: u8, body: Body, order: Order) {}

#[enter_span(attributes(order.id = order.id, order.kind = %order.kind()))]
fn dotted(order: Order) {}

#[enter_span]
fn empty() {}

#[enter_span(attributes(id = id))]
fn empty_among_others(id: u8) {}

#[enter_span("n")]
fn empty_beside_others() {}

#[enter_span(attributes(a = ?&a, b = %b.c(), c = debug(c)))]
fn wrapped(a: A, b: B, c: C) {}

#[enter_span(attributes("ID" = id, "ORDER.id" = id, KEY = %id, keys::tenant = id))]
fn constants(id: u8) {}

#[enter_span(attributes(r#type = "é", self.name = %self.name))]
fn raw(&self) {}

#[enter_span]
fn none() {}

#[enter_span(attributes(sum = a.iter().map(|x| x + 1).sum::<u64>(), pair = f::<A, B>(a)))]
fn expressions(a: &[u64]) {}
