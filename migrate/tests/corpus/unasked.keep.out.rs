use enter_span::enter_span;

#[enter_span(attributes(id, name, ratio, on, owned))]
fn values(id: u64, name: &str, ratio: f32, on: bool, owned: String) {}

#[enter_span(attributes(?order, ?list))]
fn others(order: &Order, list: Vec<u8>) {}

#[enter_span]
fn none() {}

#[enter_span(err, attributes(id))]
fn skipped(id: u8, body: Body) -> Result<(), ()> {}

#[enter_span(attributes(id))]
fn method(&self, id: u8) {}

#[enter_span(attributes(?self, id))]
fn whole_self(&mut self, id: u8) {}

#[enter_span(attributes(id = %id))]
fn all(id: u8, body: Body) {}

#[enter_span(attributes(?body, id = %id))]
fn one_is_a_field(id: u8, body: Body) {}

#[enter_span(attributes(id))]
fn one_is_empty(id: u8, body: Body) {}

#[enter_span("n", attributes(?b, ?c, ?x, ?z, d))]
fn patterns(a: u8, (b, c): (u8, u8), Point { x, y: z }: Point, &d: &u8, _: u8) {}

#[enter_span::enter_span]
fn of_fastrace(id: u8) {}
