use std::num::ParseIntError;

use enter_span::enter_span;

#[enter_span(attributes(order))]
async fn checkout(order: &str) -> Result<u64, ParseIntError> {
    let total = price(order)?;
    charge(total).await;
    Ok(total)
}

#[enter_span(ret)]
fn price(order: &str) -> Result<u64, ParseIntError> {
    order.split('+').map(str::parse::<u64>).sum()
}

#[enter_span(kind = client, attributes(total))]
async fn charge(total: u64) {
    // The call to the bank.
}
