//! A small library as a user of `enter-span` would write it: it sorts the post. Its own suite is
//! written with the testing kit, and shows how.

use std::fmt;
use std::thread;

use enter_span::prelude::*;
use enter_span::{Attributes, Key, Span, enter_span, in_span, task};

#[cfg(test)]
mod tests;

/// How much a letter weighs.
pub const GRAMS: Key<u32> = Key::new("letter.grams");

/// A letter, as it comes.
#[derive(Attributes, Clone)]
#[attributes(prefix = "letter")]
pub struct Letter {
    /// Where it goes: a street and a town, with a comma between them.
    #[attributes(skip)]
    pub address: String,
    /// What was paid for it.
    pub stamp: u32,
}

/// A letter that nobody can bring.
#[derive(Debug)]
pub struct Undeliverable;

impl fmt::Display for Undeliverable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the address has no town")
    }
}

impl std::error::Error for Undeliverable {}

/// The town that a letter goes to.
#[enter_span(ret, attributes(..letter))]
pub fn sort(letter: &Letter) -> Result<&str, Undeliverable> {
    let (_, town) = letter.address.split_once(", ").ok_or(Undeliverable)?;
    Ok(town)
}

/// Weighs letters, each on a scale of its own.
#[enter_span]
pub fn weigh(letters: &[Letter]) -> u32 {
    thread::scope(|scales| {
        let weights: Vec<_> = letters
            .iter()
            .map(|letter| scales.spawn((|| grams(letter)).in_current_span()))
            .collect();
        let weights = weights.into_iter().map(|weight| weight.join().unwrap_or(0));
        weights.sum()
    })
}

#[enter_span]
fn grams(letter: &Letter) -> u32 {
    let grams = u32::try_from(letter.address.len()).unwrap_or(u32::MAX);
    Span::current().set_attribute(GRAMS, grams);
    grams
}

/// Brings a letter, and tells its sender later.
#[enter_span(kind = client, err = |_| true)]
pub async fn deliver(letter: Letter) -> Result<(), Undeliverable> {
    let town = sort(&letter)?.to_owned();
    in_span!("drive", attributes(town), async |span| {
        span.add_event("arrived", [("stops", 3)]);
        tokio::task::yield_now().await;
    })
    .await;
    drop(task::spawn_linked(confirm(letter.stamp)));
    Ok(())
}

#[enter_span(kind = producer, attributes(stamp))]
async fn confirm(stamp: u32) {
    tokio::task::yield_now().await;
}

/// Brings all letters at the same time, and counts those that arrived.
#[enter_span(ret)]
pub async fn deliver_all(letters: Vec<Letter>) -> usize {
    let tasks: Vec<_> = letters
        .into_iter()
        .map(|letter| task::spawn_in_current_span(deliver(letter)))
        .collect();
    let mut arrived = 0;
    for task in tasks {
        arrived += usize::from(matches!(task.await, Ok(Ok(()))));
    }
    arrived
}

/// What a careless colleague wrote: the task knows nothing of its letter.
#[enter_span]
pub async fn forward(letter: Letter) {
    let _ = tokio::spawn(async move { sort(&letter).is_ok() }).await;
}
