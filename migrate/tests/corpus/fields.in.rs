use tracing::{field, instrument};

#[instrument(skip_all, fields(id = %id, body = ?body, n = 3, text = "t", "quoted key" = 1))]
fn same(id: u8, body: Body) {}

#[instrument(skip_all, fields(%id, ?body, ?order.id))]
fn short(id: u8, body: Body, order: Order) {}

#[instrument(fields(order.id = order.id, order.kind = %order.kind()))]
fn dotted(order: Order) {}

#[instrument(fields(later))]
fn empty() {}

#[instrument(fields(later = field::Empty, id = id, last = tracing::field::Empty))]
fn empty_among_others(id: u8) {}

#[instrument(name = "n", fields(later = Empty))]
fn empty_beside_others() {}

#[instrument(fields(a = field::debug(&a), b = tracing::field::display(b.c()), c = debug(c)))]
fn wrapped(a: A, b: B, c: C) {}

#[instrument(fields(ID = id, ORDER.id = id, {KEY} = %id, {keys::tenant} = id))]
fn constants(id: u8) {}

#[instrument(fields(r#type = "é", self.name = %self.name))]
fn raw(&self) {}

#[instrument(fields())]
fn none() {}

#[instrument(fields(sum = a.iter().map(|x| x + 1).sum::<u64>(), pair = f::<A, B>(a)))]
fn expressions(a: &[u64]) {}
