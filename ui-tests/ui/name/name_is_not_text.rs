use enter_span::enter_span;

#[enter_span(name = id)]
fn numbered(id: u32) {}

#[enter_span(name = route.id)]
fn routed(route: &Route) {}

struct Route {
    id: Option<String>,
}

fn main() {}
