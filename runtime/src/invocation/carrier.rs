//! A span as it travels: the headers that were sent, as they were.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::text;
use crate::context::{Context, SpanContext};
use crate::propagation::{self, Incoming, Outgoing, Propagator, Remote};
use crate::relation::{ToLinks, ToParent};

/// A span as it travels: the headers that were sent, with their values as they were.
///
/// It keeps what it does not know, so that what is handed on is what has come. It is cheap to clone. One that
/// holds no valid `traceparent` is as good as an empty one, but for its baggage.
///
/// It can be a parent, `parent = carrier`, and be linked to, now or later: `links(carrier)`,
/// `span.add_link(&carrier)`.
///
/// # Limits
///
/// More than 64 entries, or 64 KiB of them, make it empty.
///
/// # Text
///
/// Its `Display` is one line of visible ASCII for a column of a database: `name=value`, joined by `&`. Names
/// and values are percent-encoded (`%20`) but for visible ASCII other than `%`, `&` and `=`. Parsed, it is the
/// same carrier again; what is no such line gives an empty one.
///
/// ```
/// use enter_span::invocation::Carrier;
///
/// let sent = Carrier::from_iter([
///     ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
///     ("tracestate", "shop=1"),
/// ]);
/// let column = sent.to_string();
/// assert_eq!(
///     column,
///     "traceparent=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01&tracestate=shop%3D1",
/// );
/// assert_eq!(column.parse(), Ok(sent));
/// ```
///
/// With the feature `serde` it is a map of texts.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Carrier(Option<Arc<[(String, String)]>>);

pub(super) const MOST_ENTRIES: usize = 64;
const MOST_BYTES: usize = 64 << 10;

impl Carrier {
    /// Of the span that is current; empty if there is none.
    pub fn current() -> Self {
        Carrier::written(propagation::inject)
    }

    /// The same by this propagator.
    pub(super) fn current_by(propagator: &Propagator) -> Self {
        Carrier::written(|entries| propagator.inject(entries))
    }

    fn written(write: impl FnOnce(&mut Vec<(String, String)>)) -> Self {
        let mut entries = Vec::new();
        write(&mut entries);
        entries.into_iter().collect()
    }

    /// What `traceparent`, `tracestate` and `baggage` say in these headers, or whatever it is.
    pub fn read<C: Incoming + ?Sized>(carrier: &C) -> Self {
        Carrier::read_as(carrier, |name| name)
    }

    /// The same under other names.
    pub(super) fn read_as<C: Incoming + ?Sized>(
        carrier: &C,
        named: impl Fn(&'static str) -> &'static str,
    ) -> Self {
        let entries = NAMES.iter().flat_map(|&name| {
            let values = carrier.values_of(named(name)).take(MOST_ENTRIES + 1);
            let texts = values.map(|value| String::from_utf8_lossy(value).into_owned());
            texts.map(move |value| (name.to_owned(), value))
        });
        Carrier::bounded(entries)
    }

    fn bounded(entries: impl Iterator<Item = (String, String)>) -> Self {
        let mut all = Vec::new();
        let mut bytes = 0;
        for (name, value) in entries {
            bytes += name.len() + value.len();
            if all.len() == MOST_ENTRIES || bytes > MOST_BYTES {
                return Carrier::default();
            }
            all.push((name, value));
        }
        Carrier((!all.is_empty()).then(|| all.into()))
    }

    /// Whether it holds nothing at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// What it holds, as it came.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let entries = self.0.iter().flat_map(|entries| entries.iter());
        entries.map(|(name, value)| (&**name, &**value))
    }

    /// The span that it tells of, read from nothing; not valid if it tells of none.
    pub fn remote(&self) -> Remote {
        propagation::extract(self)
    }

    /// The same with another text as its baggage, or with none.
    pub(super) fn with_baggage(&self, only: impl Fn(&str) -> Option<String>) -> Self {
        let is_baggage = |name: &str| name.eq_ignore_ascii_case("baggage");
        if !self.iter().any(|(name, _)| is_baggage(name)) {
            return self.clone();
        }
        let kept = self.iter().filter_map(|(name, value)| {
            let value = match is_baggage(name) {
                true => only(value)?,
                false => value.to_owned(),
            };
            Some((name.to_owned(), value))
        });
        kept.collect()
    }

    /// Several headers of a name are one list, but for `traceparent`, of which none is better than the others;
    /// what a header cannot hold is not written.
    fn joined(&self, name: &str) -> Option<String> {
        let named = self
            .iter()
            .filter(|(known, _)| known.eq_ignore_ascii_case(name));
        let values: Vec<&str> = named.map(|(_, value)| value).collect();
        let is_one = values.len() == 1 || name != "traceparent";
        let text = values.join(",");
        let fits = |byte: u8| byte.is_ascii_graphic() || byte == b' ' || byte == b'\t';
        (is_one && !text.is_empty() && text.bytes().all(fits)).then_some(text)
    }

    pub(super) fn write_as<C: Outgoing + ?Sized>(
        &self,
        carrier: &mut C,
        named: impl Fn(&'static str) -> &'static str,
    ) {
        for name in NAMES {
            match self.joined(name) {
                Some(value) => carrier.set(named(name), value),
                None => carrier.unset(named(name)),
            }
        }
    }
}

const NAMES: [&str; 3] = ["traceparent", "tracestate", "baggage"];

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Carrier {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let entries = entries.into_iter();
        Carrier::bounded(entries.map(|(name, value)| (name.into(), value.into())))
    }
}

impl Incoming for Carrier {
    fn values_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        let named = self
            .iter()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_bytes())
    }
}

impl ToParent for Carrier {
    fn to_parent(&self, root: Context) -> Context {
        self.remote().to_parent(root)
    }
}

impl ToLinks for Carrier {
    fn to_links(&self, link: &mut dyn FnMut(SpanContext)) {
        self.remote().to_links(link);
    }
}

impl fmt::Display for Carrier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        text::write(formatter, self.iter())
    }
}

impl FromStr for Carrier {
    type Err = Infallible;

    fn from_str(line: &str) -> Result<Self, Infallible> {
        Ok(text::read(line).unwrap_or_default().into_iter().collect())
    }
}

/// Without the values.
impl fmt::Debug for Carrier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.iter().map(|(name, _)| name);
        formatter.write_str("Carrier ")?;
        formatter.debug_set().entries(names).finish()
    }
}
