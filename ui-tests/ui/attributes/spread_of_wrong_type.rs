use enter_span::{Span, enter_span, in_span};

struct Order {
    id: u64,
}

#[enter_span(attributes(..order))]
fn place(order: &Order) {}

#[enter_span(start(..[order.id]))]
fn number(order: &Order) {}

fn main() {
    let order = Order { id: 7 };
    in_span!("x", attributes(..order), |_| ());
    Span::current().set_attributes(&order);
    Span::current().add_event("placed", &order);
    Span::current().add_event("placed", ("id", 7));
    Span::current().add_event("placed", [("order", order)]);
}
