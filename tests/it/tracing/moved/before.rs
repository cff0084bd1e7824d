use std::num::ParseIntError;

use tracing::field::Empty;
use tracing::{Span, info, instrument};

#[instrument(skip(card), fields(currency = "EUR", cents = Empty), err)]
async fn charge(order: u64, amount: &str, card: &str) -> Result<u64, ParseIntError> {
    let cents = amount.parse()?;
    Span::current().record("cents", cents);
    info!(digits = card.len(), "charged");
    Ok(cents)
}
