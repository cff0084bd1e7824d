//! What a receiver says, made fit to be shown: bounded, on one line, and without our own credentials, which
//! it may repeat.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::header::{AUTHORIZATION, PROXY_AUTHORIZATION};
use http::{HeaderMap, Uri};

/// What must not be shown.
pub(super) struct Redaction(Vec<String>);

/// Characters that are shown of a text.
const MOST: usize = 256;

/// Shorter ones are no secrets, and are in many words.
const LEAST: usize = 4;

impl Redaction {
    pub(super) fn new(headers: &HeaderMap, endpoint: &Uri) -> Self {
        let mut secrets = Vec::new();
        for (name, value) in headers {
            let Ok(value) = value.to_str() else { continue };
            secrets.push(value.to_owned());
            let words = value.split_whitespace().filter(|word| !is_scheme(word));
            secrets.extend(words.map(str::to_owned));
            if name == AUTHORIZATION || name == PROXY_AUTHORIZATION {
                secrets.extend(basic(value).into_iter().flatten());
            }
        }
        let pairs = endpoint.query().unwrap_or_default().split('&');
        secrets.extend(pairs.map(|pair| {
            pair.split_once('=')
                .map_or(pair, |(_, value)| value)
                .to_owned()
        }));
        secrets.retain(|secret| secret.len() >= LEAST);
        // A whole one goes before its parts.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Redaction(secrets)
    }

    pub(super) fn show(&self, text: &str) -> String {
        let mut text = text.trim().to_owned();
        for secret in &self.0 {
            text = text.replace(&**secret, "[hidden]");
        }
        let mut shown = String::new();
        for (index, character) in text.chars().enumerate() {
            match character {
                _ if index == MOST => {
                    shown.push('…');
                    break;
                }
                '"' | '\'' | '\\' => shown.push(character),
                space if space.is_whitespace() => shown.push(' '),
                other => shown.extend(other.escape_debug()),
            }
        }
        shown
    }
}

/// The name of a scheme of authentication, which is no secret.
fn is_scheme(word: &str) -> bool {
    let schemes = ["basic", "bearer", "token"];
    schemes
        .iter()
        .any(|scheme| word.eq_ignore_ascii_case(scheme))
}

/// The user, the password and both of `Basic`.
fn basic(value: &str) -> Option<[String; 3]> {
    let encoded = value.strip_prefix("Basic ")?;
    let both = String::from_utf8(BASE64_STANDARD.decode(encoded).ok()?).ok()?;
    let (user, password) = both.split_once(':')?;
    Some([user.to_owned(), password.to_owned(), both.clone()])
}
