use std::num::ParseIntError;

use enter_span::{Span, enter_span};
use tracing::info;

#[enter_span(attributes(order, amount, currency = "EUR"))]
async fn charge(order: u64, amount: &str, card: &str) -> Result<u64, ParseIntError> {
    let cents: u64 = amount.parse()?;
    Span::current().set_attribute("cents", cents);
    info!(digits = card.len(), "charged");
    Ok(cents)
}
