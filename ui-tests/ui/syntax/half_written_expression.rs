use enter_span::{Attributes, enter_span, in_span};

struct Order {
    id: u32,
}

#[enter_span(attributes(id = order.))]
fn a_field(order: &Order) -> u32 {
    order.id
}

#[enter_span(when = order.id >)]
async fn a_condition(order: &Order) -> u32 {
    order.id
}

#[enter_span(ret(id = |id|))]
fn a_projection(order: &Order) -> u32 {
    order.id
}

#[enter_span(attributes(order.))]
fn a_key(order: &Order) -> u32 {
    order.id
}

struct Cart;

#[enter_span]
impl Cart {
    #[enter_span(attributes(id = ))]
    fn method(&self, id: u32) -> u32 {
        id
    }

    fn another(&self) -> u32 {
        self.method(3)
    }
}

#[derive(Attributes)]
struct Facts {
    #[attributes(key = )]
    id: u32,
}

fn a_block(order: &Order) -> u32 {
    in_span!("block", attributes(id = order.), |_| order.id)
}

fn main() {
    let order = Order { id: 3 };
    let sum: u32 = a_field(&order) + a_projection(&order) + a_key(&order) + Cart.another();
    drop(a_condition(&order));
    let facts = Facts { id: sum };
    a_block(&Order { id: facts.id });
}
