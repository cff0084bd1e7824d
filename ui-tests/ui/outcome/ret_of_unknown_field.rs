use enter_span::enter_span;

struct Invoice {
    total: u64,
}

#[enter_span(ret(total = |invoice| invoice.totl))]
fn bill() -> Result<Invoice, String> {
    Ok(Invoice { total: 3 })
}

fn main() {
    drop(bill());
}
