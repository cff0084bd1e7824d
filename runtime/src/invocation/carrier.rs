//! A span as it travels: the headers that were sent, as they were.

use std::convert::Infallible;
use std::fmt::{self, Write as _};
use std::str::FromStr;

use super::text;
use crate::context::identity::SpanContext;
use crate::propagation::{self, Incoming, Outgoing, Propagator, Remote};
use crate::span::to_parent::{Parent, ToLinks, ToParent};

/// A span as it travels: the headers that were sent, with their values as they were.
///
/// It keeps what it does not know, so that what is handed on is what has come. One that
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
pub struct Carrier(Entries);

/// Names and values, each behind its length, in one text: it takes one allocation.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
struct Entries(String);

const MOST_ENTRIES: usize = 64;
const MOST_BYTES: usize = 64 << 10;

/// What the three headers usually take.
const USUAL_BYTES: usize = 256;

impl Entries {
    fn push(&mut self, name: &str, value: &str) {
        let Entries(text) = self;
        if text.is_empty() {
            text.reserve(USUAL_BYTES);
        }
        // Writing to a `String` does not fail.
        let _ = write!(text, "{}:{}:", name.len(), value.len());
        text.push_str(name);
        text.push_str(value);
    }

    fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut rest = self.0.as_str();
        std::iter::from_fn(move || {
            let (name, after) = rest.split_once(':')?;
            let (value, after) = after.split_once(':')?;
            let (name, after) = after.split_at_checked(name.parse().ok()?)?;
            let (value, after) = after.split_at_checked(value.parse().ok()?)?;
            rest = after;
            Some((name, value))
        })
    }
}

impl Outgoing for Entries {
    fn set(&mut self, name: &'static str, value: String) {
        self.push(name, &value);
    }

    /// Nothing has been set before.
    fn unset(&mut self, _: &'static str) {}
}

impl Carrier {
    /// Of the span that is current; empty if there is none.
    pub fn current() -> Self {
        Carrier::current_by(&propagation::of_process())
    }

    /// The same by this propagator.
    pub(super) fn current_by(propagator: &Propagator) -> Self {
        let mut entries = Entries::default();
        propagator.inject(&mut entries);
        Carrier(entries)
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
            let values = carrier.values_of(named(name));
            values.map(move |value| (name, String::from_utf8_lossy(value)))
        });
        Carrier::bounded(entries)
    }

    fn bounded<K: AsRef<str>, V: AsRef<str>>(entries: impl Iterator<Item = (K, V)>) -> Self {
        let mut all = Entries::default();
        let mut bytes = 0;
        for (count, (name, value)) in entries.enumerate() {
            let (name, value) = (name.as_ref(), value.as_ref());
            bytes += name.len() + value.len();
            if count == MOST_ENTRIES || bytes > MOST_BYTES {
                return Carrier::default();
            }
            all.push(name, value);
        }
        Carrier(all)
    }

    /// Nothing, if one of them is none.
    pub(super) fn all_of<K: AsRef<str>, V: AsRef<str>>(
        mut entries: impl Iterator<Item = Option<(K, V)>>,
    ) -> Self {
        let mut is_broken = false;
        let whole = std::iter::from_fn(|| {
            let entry = entries.next()?;
            is_broken |= entry.is_none();
            entry
        });
        let carrier = Carrier::bounded(whole);
        if is_broken {
            Carrier::default()
        } else {
            carrier
        }
    }

    /// Whether it holds nothing at all.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// What it holds, as it came.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter()
    }

    /// The span that it tells of, read from nothing; not valid if it tells of none.
    pub fn remote(&self) -> Remote {
        propagation::extract(self)
    }

    /// The same without its baggage.
    pub(super) fn without_baggage(&self) -> Self {
        let is_baggage = |name: &str| name.eq_ignore_ascii_case("baggage");
        Carrier::bounded(self.iter().filter(|(name, _)| !is_baggage(name)))
    }

    /// Several headers of a name are one list, but for `traceparent`, of which none is better than the
    /// others; what a header cannot hold is not written.
    fn joined(&self, name: &str) -> Option<String> {
        let mut text = String::new();
        for (index, value) in self.values_named(name).enumerate() {
            match (index, name) {
                (0, _) => value.clone_into(&mut text),
                (_, "traceparent") => return None,
                _ => text.extend([",", value]),
            }
        }
        fits_into_header(&text).then_some(text)
    }

    /// In place of all that is there under these names. Without a span there is nothing to write.
    pub(super) fn write_as<C: Outgoing + ?Sized>(
        &self,
        carrier: &mut C,
        named: impl Fn(&'static str) -> &'static str,
    ) {
        let has_span = self.has_span();
        for name in NAMES {
            match self.joined(name).filter(|_| has_span) {
                Some(value) => carrier.set(named(name), value),
                // That of another message must not go with ours.
                None => carrier.unset(named(name)),
            }
        }
    }

    /// Whether it can be written: it tells of a span.
    pub(super) fn has_span(&self) -> bool {
        let [traceparent, ..] = NAMES;
        let mut values = self.values_named(traceparent);
        matches!((values.next(), values.next()), (Some(value), None) if fits_into_header(value))
    }

    fn values_named(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self
            .iter()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value)
    }
}

fn fits_into_header(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_graphic() || byte == b' ' || byte == b'\t';
    !text.is_empty() && text.bytes().all(fits)
}

const NAMES: [&str; 3] = ["traceparent", "tracestate", "baggage"];

impl<K: AsRef<str>, V: AsRef<str>> FromIterator<(K, V)> for Carrier {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Carrier::bounded(entries.into_iter())
    }
}

impl Incoming for Carrier {
    fn values_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.values_named(name).map(str::as_bytes)
    }
}

impl ToParent for Carrier {
    fn to_parent(&self) -> Parent {
        self.remote().to_parent()
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
        Ok(Carrier::all_of(text::read(line)))
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
