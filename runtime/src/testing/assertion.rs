//! What a test says of one span. Each message shows the tree, with a mark before that span.

use opentelemetry::KeyValue;

use super::trace::RecordedSpan;
use super::tree;
use crate::attribute::attributes::{AttributeSink, Attributes};
use crate::attribute::key::AttributeKey;
use crate::attribute::value::{ToAttribute, Value};
use crate::context::identity::SpanContext;
use crate::span::handle::Status;

/// Assertions. Each gives the span back, for the next one.
///
/// ```
/// use enter_span::testing::Recorder;
/// use enter_span::{Key, Span, Status, enter_span};
///
/// const ROWS: Key<u64> = Key::new("db.rows");
///
/// #[enter_span("db.query", kind = client, attributes(ROWS = 3))]
/// fn query() -> Result<(), std::num::ParseIntError> {
///     Span::current().add_event("retry", (("attempt", 2), ("cause", "timeout")));
///     "x".parse::<u8>().map(drop)
/// }
///
/// let trace = Recorder::new().run(|| query().is_err());
/// trace
///     .find("db.query")
///     .assert_kind("client")
///     .assert_attribute(ROWS, 3)
///     .assert_no_attribute("db.query.text")
///     .assert_event("retry", [("attempt", 2)])
///     .assert_error("ParseIntError")
///     .assert_status(&Status::error("invalid digit found in string"));
/// ```
///
/// # Panics
///
/// All of them, where it is not so; the message says what is there instead, and shows the tree.
impl RecordedSpan {
    /// Its kind: `internal`, `server`, `client`, `producer` or `consumer`.
    #[track_caller]
    pub fn assert_kind(&self, kind: &str) -> &Self {
        self.check(self.kind() == kind, || {
            format!("kind is `{}`, and not `{}`", self.kind(), plain(kind))
        })
    }

    /// An attribute of this value; for `None` as a value, none of this key. A typed key takes values of its own type only.
    #[track_caller]
    pub fn assert_attribute<K, V>(&self, key: K, value: V) -> &Self
    where
        K: AttributeKey<V>,
        V: ToAttribute,
    {
        let (key, expected) = (key.into_name(""), value.to_attribute());
        let actual = self.attribute(&key);
        self.check(actual == expected, || {
            let (actual, expected) = (shown(actual.as_ref()), shown(expected.as_ref()));
            format!("`{}` is {actual}, and not {expected}", plain(&key))
        })
    }

    /// No attribute of this key.
    #[track_caller]
    pub fn assert_no_attribute(&self, key: &str) -> &Self {
        let actual = self.attribute(key);
        self.check(actual.is_none(), || {
            format!("`{}` is {}", plain(key), shown(actual.as_ref()))
        })
    }

    /// An event of this name that has these attributes, and perhaps others.
    #[track_caller]
    pub fn assert_event(&self, name: &str, attributes: impl Attributes) -> &Self {
        let mut expected = Vec::new();
        let mut write = |key: std::borrow::Cow<'static, str>, Value(value)| {
            expected.push(KeyValue::new(key, value));
        };
        attributes.write_attributes(&mut AttributeSink::new(&mut write));
        let mut named = self.events().iter().filter(|event| event.name == name);
        let is_there = named.any(|event| expected.iter().all(|a| event.attributes.contains(a)));
        self.check(is_there, || {
            let expected = event(name, &expected);
            format!("has no event `{expected}`{}", self.those_that_are_there())
        })
    }

    /// No event of this name.
    #[track_caller]
    pub fn assert_no_event(&self, name: &str) -> &Self {
        let is_there = self.events().iter().any(|event| event.name == name);
        self.check(!is_there, || {
            format!(
                "has an event `{}`{}",
                plain(name),
                self.those_that_are_there()
            )
        })
    }

    fn those_that_are_there(&self) -> String {
        let events = self.events().iter();
        let events: String = events
            .map(|e| format!("; `{}` is there", event(&e.name, &e.attributes)))
            .collect();
        events
    }

    /// A link to that span.
    #[track_caller]
    pub fn assert_link(&self, to: &SpanContext) -> &Self {
        let ids = |identity: &SpanContext| (identity.trace_id(), identity.span_id());
        let is_there = self.links().iter().any(|link| ids(link) == ids(to));
        self.check(is_there, || {
            format!(
                "has no link to span {} of trace {}",
                to.span_id(),
                to.trace_id()
            )
        })
    }

    /// This status. `error.type` is not a part of it: see [`assert_error`](Self::assert_error).
    #[track_caller]
    pub fn assert_status(&self, status: &Status) -> &Self {
        self.check(self.status() == status, || {
            format!("status is {:?}, and not {status:?}", self.status())
        })
    }

    /// A failure of this type, by the last part of its name, as the tree has it behind `!`, or by
    /// its whole `error.type`.
    #[track_caller]
    pub fn assert_error(&self, error_type: &str) -> &Self {
        let is_error = matches!(self.status(), Status::Error(_));
        let is_type =
            self.error_type() == Some(error_type) || tree::error_type(self.entry()) == error_type;
        self.check(is_error && is_type, || {
            let actual = shown(self.attribute("error.type").as_ref());
            let status = self.status();
            format!(
                "is no failure by `{}`: status is {status:?}, `error.type` is {actual}",
                plain(error_type)
            )
        })
    }

    /// Not ended by a return nor by a panic, but `cancelled` or `abandoned`.
    #[track_caller]
    pub fn assert_outcome(&self, outcome: &str) -> &Self {
        self.check(self.outcome() == Some(outcome), || {
            let actual = shown(self.attribute("enter_span.outcome").as_ref());
            format!("outcome is {actual}, and not `{}`", plain(outcome))
        })
    }

    /// Ended, and neither failed, nor cancelled, nor abandoned.
    #[track_caller]
    pub fn assert_succeeded(&self) -> &Self {
        let is_error = matches!(self.status(), Status::Error(_));
        let succeeded = self.is_ended() && !is_error && self.outcome().is_none();
        self.check(succeeded, || "has not succeeded".to_owned())
    }

    #[track_caller]
    fn check(&self, is_met: bool, fault: impl FnOnce() -> String) -> &Self {
        assert!(
            is_met,
            "`{}` {}, in\n{}",
            plain(self.name()),
            fault(),
            self.in_its_tree()
        );
        self
    }
}

fn plain(text: &str) -> String {
    tree::one_line(text)
}

fn shown(value: Option<&Value>) -> String {
    value.map_or("absent".to_owned(), |value| tree::value(&value.0))
}

fn event(name: &str, attributes: &[KeyValue]) -> String {
    let mut words = vec![plain(name)];
    words.extend(attributes.iter().map(tree::pair));
    words.join(" ")
}
