//! Writes the JSON that a page carries: nothing in it can end the element around it.

use std::fmt::{Display, Write as _};

/// Texts longer than this are cut, and say so.
const MOST_CHARS: usize = 16_384;

/// A value of JSON, written already.
pub(super) struct Json(String);

impl Json {
    pub(super) fn null() -> Self {
        Json("null".to_owned())
    }

    pub(super) fn number(number: impl Into<u128>) -> Self {
        Json(number.into().to_string())
    }

    pub(super) fn text(text: &str) -> Self {
        let cut = text.char_indices().nth(MOST_CHARS);
        let end = cut.map_or(text.len(), |(end, _)| end);
        let mut json = String::from("\"");
        text[..end].chars().for_each(|c| push(&mut json, c));
        if end < text.len() {
            let more = text[end..].chars().count();
            json.push_str(&format!("… ({more} more characters)"));
        }
        json.push('"');
        Json(json)
    }

    pub(super) fn list(items: impl IntoIterator<Item = Json>) -> Self {
        let items: Vec<String> = items.into_iter().map(|Json(item)| item).collect();
        Json(format!("[{}]", items.join(",")))
    }

    /// The keys are ours, and need no escapes.
    pub(super) fn object<const N: usize>(fields: [(&'static str, Json); N]) -> Self {
        let fields = fields.map(|(key, Json(value))| format!("\"{key}\":{value}"));
        Json(format!("{{{}}}", fields.join(",")))
    }
}

impl Display for Json {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What HTML or an old script engine could take for something else is spelled out too.
fn push(json: &mut String, c: char) {
    match c {
        '"' => json.push_str("\\\""),
        '\\' => json.push_str("\\\\"),
        '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => spell(json, c),
        _ if c.is_control() => spell(json, c),
        _ => json.push(c),
    }
}

fn spell(json: &mut String, c: char) {
    // All of these are in the first plane. A `String` takes all that is written to it.
    let _ = write!(json, "\\u{:04x}", u32::from(c));
}
