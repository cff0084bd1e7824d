//! What takes a span to another process: headers, metadata, a message's attributes, variables.
//!
//! The values are the headers' own, and this does not look into them.

use std::borrow::{Borrow, Cow};
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::process::Command;

use opentelemetry::propagation::{Extractor, Injector};

/// What a span that was sent is read from.
///
/// It is there for maps and lists of text or bytes, for [`Variables`], with the feature `http` for
/// `http::HeaderMap`, and with `tonic` for gRPC's `MetadataMap`. For a carrier of your own, give all
/// values of a name, in their order:
///
/// ```
/// use enter_span::propagation::{Incoming, extract};
///
/// struct Attribute { name: String, value: Vec<u8> }
/// struct Message { attributes: Vec<Attribute> }
///
/// impl Incoming for Message {
///     fn values_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
///         let named = self.attributes.iter().filter(move |one| one.name.eq_ignore_ascii_case(name));
///         named.map(|one| one.value.as_slice())
///     }
/// }
///
/// let message = Message { attributes: Vec::new() };
/// assert!(!extract(&message).is_valid());
/// ```
pub trait Incoming {
    /// All values of a name, in their order. The name is in lower case; those of the carrier may be in
    /// any. Values are not checked before.
    fn values_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]>;
}

/// What a span that is sent is written to.
///
/// It is there for maps and lists of text or bytes, for [`std::process::Command`], with the feature
/// `http` for `http::HeaderMap`, and with `tonic` for gRPC's `MetadataMap`. For a carrier of your own:
///
/// ```
/// use enter_span::propagation::{Outgoing, inject};
///
/// #[derive(Default)]
/// struct Message { attributes: Vec<(&'static str, String)> }
///
/// impl Outgoing for Message {
///     fn set(&mut self, name: &'static str, value: String) {
///         self.unset(name);
///         self.attributes.push((name, value));
///     }
///
///     fn unset(&mut self, name: &'static str) {
///         self.attributes.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
///     }
/// }
///
/// let mut message = Message::default();
/// inject(&mut message);
/// assert!(message.attributes.is_empty(), "no span is current here");
/// ```
pub trait Outgoing {
    /// Gives a name this one value, in place of all that it has. The name is in lower case and the value
    /// in visible ASCII, with spaces and tabs.
    fn set(&mut self, name: &'static str, value: String);

    /// Takes away all values of a name.
    fn unset(&mut self, name: &'static str);
}

impl<K: AsRef<str>, V: AsRef<[u8]>> Incoming for [(K, V)] {
    fn values_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        named(self.iter().map(|(known, value)| (known, value)), name)
    }
}

impl<K: AsRef<str>, V: AsRef<[u8]>, const N: usize> Incoming for [(K, V); N] {
    fn values_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.as_slice().values_of(name)
    }
}

impl<K: AsRef<str>, V: AsRef<[u8]>> Incoming for Vec<(K, V)> {
    fn values_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.as_slice().values_of(name)
    }
}

impl<K: AsRef<str>, V: AsRef<[u8]>, S> Incoming for HashMap<K, V, S> {
    fn values_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        named(self.iter(), name)
    }
}

impl<K: AsRef<str>, V: AsRef<[u8]>> Incoming for BTreeMap<K, V> {
    fn values_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        named(self.iter(), name)
    }
}

fn named<'a, K, V>(
    all: impl Iterator<Item = (K, &'a V)>,
    name: &'a str,
) -> impl Iterator<Item = &'a [u8]>
where
    K: AsRef<str>,
    V: AsRef<[u8]> + 'a,
{
    let named = all.filter(move |(known, _)| known.as_ref().eq_ignore_ascii_case(name));
    named.map(|(_, value)| value.as_ref())
}

impl<K, V> Outgoing for Vec<(K, V)>
where
    K: AsRef<str> + From<&'static str>,
    V: From<String>,
{
    fn set(&mut self, name: &'static str, value: String) {
        self.unset(name);
        self.push((name.into(), value.into()));
    }

    fn unset(&mut self, name: &'static str) {
        self.retain(|(known, _)| !known.as_ref().eq_ignore_ascii_case(name));
    }
}

impl<K, V, S> Outgoing for HashMap<K, V, S>
where
    K: Borrow<str> + From<&'static str> + Eq + Hash,
    V: From<String>,
    S: BuildHasher,
{
    fn set(&mut self, name: &'static str, value: String) {
        self.retain(|known, _| known.borrow() == name || !is_named(known, name));
        match self.get_mut(name) {
            Some(known) => *known = value.into(),
            None => drop(self.insert(name.into(), value.into())),
        }
    }

    fn unset(&mut self, name: &'static str) {
        self.retain(|known, _| !is_named(known, name));
    }
}

impl<K, V> Outgoing for BTreeMap<K, V>
where
    K: Borrow<str> + From<&'static str> + Ord,
    V: From<String>,
{
    fn set(&mut self, name: &'static str, value: String) {
        self.unset(name);
        self.insert(name.into(), value.into());
    }

    fn unset(&mut self, name: &'static str) {
        self.retain(|known, _| !is_named(known, name));
    }
}

fn is_named(known: &impl Borrow<str>, name: &str) -> bool {
    known.borrow().eq_ignore_ascii_case(name)
}

/// What this process was given by the one that started it: the variables `TRACEPARENT`, `TRACESTATE`
/// and `BAGGAGE`, as OpenTelemetry's specification of environment variables as carriers names them.
///
/// ```
/// use enter_span::propagation::{Variables, extract};
/// use enter_span::{in_span, propagation::Remote};
///
/// let starter: Remote = extract(&Variables::of_process());
/// in_span!("nightly-report", parent = starter, || { /* below the span that started it */ });
/// ```
#[derive(Clone)]
pub struct Variables(Vec<(&'static str, OsString)>);

impl Variables {
    /// As they are now. Read them early: what runs in the process may change them.
    pub fn of_process() -> Self {
        let names = [
            "traceparent",
            "tracestate",
            "baggage",
            "enter-span-origin-traceparent",
            "enter-span-origin-tracestate",
            "enter-span-origin-baggage",
        ];
        let set = names.map(|name| Some((name, std::env::var_os(variable(name).as_ref())?)));
        Variables(set.into_iter().flatten().collect())
    }
}

/// The values are never shown.
impl fmt::Debug for Variables {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.0.iter().map(|(name, _)| name);
        formatter.debug_set().entries(names).finish()
    }
}

impl Incoming for Variables {
    fn values_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        let named = self.0.iter().filter(move |(known, _)| *known == name);
        named.map(|(_, value)| value.as_encoded_bytes())
    }
}

/// As variables of the process that is started.
impl Outgoing for Command {
    fn set(&mut self, name: &'static str, value: String) {
        self.env(variable(name).as_ref(), value);
    }

    /// Also what it would inherit.
    fn unset(&mut self, name: &'static str) {
        self.env_remove(variable(name).as_ref());
    }
}

fn variable(name: &'static str) -> Cow<'static, str> {
    match name {
        "traceparent" => "TRACEPARENT".into(),
        "tracestate" => "TRACESTATE".into(),
        "baggage" => "BAGGAGE".into(),
        other => other.to_ascii_uppercase().replace('-', "_").into(),
    }
}

/// OpenTelemetry's own kind of carrier, to read from.
pub(super) struct ExtractorCarrier<'a>(pub(super) &'a dyn Extractor);

impl Incoming for ExtractorCarrier<'_> {
    fn values_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        let values = self.0.get_all(name).into_iter().flatten();
        values.map(str::as_bytes)
    }
}

/// OpenTelemetry's own kind of carrier, to write to.
pub(super) struct InjectorCarrier<'a>(pub(super) &'a mut dyn Injector);

impl Outgoing for InjectorCarrier<'_> {
    fn set(&mut self, name: &'static str, value: String) {
        self.0.set(name, value);
    }

    /// It knows no way to, nor whether there is anything; and an empty header is not to be sent.
    fn unset(&mut self, _: &'static str) {}
}

#[cfg(feature = "http")]
mod http {
    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::{Incoming, Outgoing};

    impl Incoming for HeaderMap {
        fn values_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
            let values = match known(name) {
                Some(name) => self.get_all(name),
                None => self.get_all(name),
            };
            values.iter().map(HeaderValue::as_bytes)
        }
    }

    impl Outgoing for HeaderMap {
        /// A map that is full stays as it is.
        fn set(&mut self, name: &'static str, value: String) {
            let Ok(value) = HeaderValue::try_from(value) else {
                return;
            };
            let _ = match known(name) {
                Some(name) => self.try_insert(name, value),
                None => match HeaderName::try_from(name) {
                    Ok(name) => self.try_insert(name, value),
                    Err(_) => return,
                },
            };
        }

        fn unset(&mut self, name: &'static str) {
            match known(name) {
                Some(name) => self.remove(name),
                None => self.remove(name),
            };
        }
    }

    /// Names that are always looked for are not parsed each time.
    fn known(name: &str) -> Option<&'static HeaderName> {
        static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
        static TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
        static BAGGAGE: HeaderName = HeaderName::from_static("baggage");
        match name {
            "traceparent" => Some(&TRACEPARENT),
            "tracestate" => Some(&TRACESTATE),
            "baggage" => Some(&BAGGAGE),
            _ => None,
        }
    }
}

#[cfg(feature = "tonic")]
mod tonic {
    use http::HeaderMap;
    use tonic::metadata::MetadataMap;

    use super::{Incoming, Outgoing};

    impl Incoming for MetadataMap {
        fn values_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
            AsRef::<HeaderMap>::as_ref(self).values_of(name)
        }
    }

    impl Outgoing for MetadataMap {
        fn set(&mut self, name: &'static str, value: String) {
            Outgoing::set(AsMut::<HeaderMap>::as_mut(self), name, value);
        }

        fn unset(&mut self, name: &'static str) {
            Outgoing::unset(AsMut::<HeaderMap>::as_mut(self), name);
        }
    }
}
