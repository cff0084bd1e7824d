use tracing::instrument;

#[instrument]
fn values(id: u64, name: &str, ratio: f32, on: bool, owned: String) {}

#[instrument]
fn others(order: &Order, list: Vec<u8>) {}

#[instrument]
fn none() {}

#[instrument(skip(body), err)]
fn skipped(id: u8, body: Body) -> Result<(), ()> {}

#[instrument(skip(self))]
fn method(&self, id: u8) {}

#[instrument]
fn whole_self(&mut self, id: u8) {}

#[instrument(skip_all, fields(id = %id))]
fn all(id: u8, body: Body) {}

#[instrument(fields(id = %id, later))]
fn one_is_a_field(id: u8, body: Body) {}

#[instrument(fields(body))]
fn one_is_empty(id: u8, body: Body) {}

#[instrument(name = "n", skip(a))]
fn patterns(a: u8, (b, c): (u8, u8), Point { x, y: z }: Point, &d: &u8, _: u8) {}

#[fastrace::trace(short_name = true)]
fn of_fastrace(id: u8) {}
