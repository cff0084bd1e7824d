//! What a user who wrote an unknown argument may have meant.

use syn::ext::IdentExt as _;
use syn::{Error, Ident};

use crate::syntax::names;

pub(crate) fn unknown(key: &Ident) -> Error {
    let word = key.unraw().to_string();
    let message = foreign(&word)
        .map(str::to_owned)
        .unwrap_or_else(|| match nearest(&word) {
            Some(known) => format!("unknown argument `{word}`; did you mean `{known}`?"),
            None => format!(
                "unknown argument `{word}`; expected one of {}; to record a value write `attributes({word})`",
                quoted(names::all())
            ),
        });
    Error::new(key.span(), message)
}

/// Arguments of other libraries.
pub(crate) fn foreign(word: &str) -> Option<&'static str> {
    Some(match word {
        "skip" | "skip_all" => {
            "nothing is captured unless it is named, so there is nothing to skip; remove it"
        }
        "fields" | "attrs" | "properties" | "tags" => {
            "attributes are given in `attributes(..)`; write `attributes(key = value)`"
        }
        "level" => "spans have no level; use `when = ..` to make a span only sometimes",
        "target" | "tracer_name" => {
            "spans are recorded under the name of their crate; remove it, or write `tracer = ..`"
        }
        "follows_from" => "spans are linked with `links(..)`; write `links(other)`",
        "short_name" => "the function's own name is the default; remove it",
        "enter_on_poll" => {
            "the span of an `async fn` is one, whatever the number of polls; remove it"
        }
        _ => return None,
    })
}

fn nearest(word: &str) -> Option<&'static str> {
    let distances = names::all().map(|known| (distance(word, known), known));
    let (distance, known) = distances.min()?;
    (distance <= 2 && 2 * distance < known.len()).then_some(known)
}

/// The Levenshtein distance, in which two swapped neighbours count as one.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let changed = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = changed.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

pub(crate) fn quoted<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    words.join(", ")
}
