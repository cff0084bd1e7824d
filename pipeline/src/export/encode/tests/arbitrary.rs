//! Random records: everything that a record can have, and some that no span of ours has.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

use enter_span::native::{
    Details, EndedSpan, Kind, Library, Parentage, RecordedEvent, Site, SpanSource, StatusCode,
    Timestamp,
};
use enter_span::private::Module;
use opentelemetry::trace::{Link, SpanContext, SpanId, SpanKind, TraceFlags, TraceId, TraceState};
use opentelemetry::{Array, InstrumentationScope, KeyValue, StringValue, Value};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::queue::span_list::SpanList;

/// A few lists, each of a few spans.
pub(super) fn lists() -> impl Strategy<Value = Lists> {
    vec(vec(record(), 0..4), 1..3).prop_map(|all| Lists(all.into_iter().map(list).collect()))
}

pub(super) struct Lists(pub(super) Vec<SpanList>);

/// A test that fails shows what was encoded.
impl fmt::Debug for Lists {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lengths = self.0.iter().map(SpanList::len);
        formatter.debug_list().entries(lengths).finish()
    }
}

/// A span and its attributes.
struct Made(EndedSpan, Vec<KeyValue>);

impl fmt::Debug for Made {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.name())
    }
}

fn list(all: Vec<Made>) -> SpanList {
    let mut list = SpanList::default();
    for Made(mut span, mut attributes) in all {
        list.push(&mut span, &mut attributes);
    }
    list
}

fn record() -> impl Strategy<Value = Made> {
    let times = (ticks(), ticks());
    let names = option::weighted(0.7, texts());
    let described = (names, kinds(), statuses(), 0..=4_u8, count());
    let parts = (parentage(), described, sources(), times, attributes());
    (parts, option::weighted(0.4, details())).prop_map(|(parts, details)| {
        let (parentage, described, source, (start, end), attributes) = parts;
        let (name, kind, status, code, dropped_attributes) = described;
        let span = EndedSpan {
            parentage: parentage.0,
            root: SpanId::INVALID,
            kind,
            status,
            code,
            attributes: 0,
            dropped_attributes,
            name: name.map(Cow::Owned),
            source: source.0,
            start,
            end,
            details: details.map(|details| Box::new(details.0)),
        };
        Made(span, attributes)
    })
}

/// What has no `Debug`.
struct Opaque<T>(T);

impl<T> fmt::Debug for Opaque<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("..")
    }
}

/// Before and after the reading of the clock.
fn ticks() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), any::<u32>().prop_map(u64::from), any::<u64>()]
}

fn times() -> impl Strategy<Value = SystemTime> {
    let nanos = prop_oneof![Just(0), any::<i64>()];
    nanos.prop_map(|nanos: i64| {
        let distance = Duration::from_nanos(nanos.unsigned_abs());
        if nanos < 0 {
            SystemTime::UNIX_EPOCH - distance
        } else {
            SystemTime::UNIX_EPOCH + distance
        }
    })
}

fn count() -> impl Strategy<Value = u32> {
    prop_oneof![4 => Just(0), 1 => 1..200_u32, 1 => any::<u32>()]
}

/// Empty ones, short ones of all characters, and some whose length takes two bytes.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        1 => Just(String::new()),
        3 => select(&["key", "größe", "名前", "\0\n"][..]).prop_map(str::to_owned),
        3 => vec(any::<char>(), 1..6).prop_map(String::from_iter),
        1 => (60..90_usize).prop_map(|count| "é".repeat(count)),
    ]
}

fn statuses() -> impl Strategy<Value = StatusCode> {
    select(&[StatusCode::Unset, StatusCode::Ok, StatusCode::Error][..])
}

fn kinds() -> impl Strategy<Value = SpanKind> {
    select(vec![
        SpanKind::Internal,
        SpanKind::Server,
        SpanKind::Client,
        SpanKind::Producer,
        SpanKind::Consumer,
    ])
}

fn values() -> impl Strategy<Value = Value> {
    let text = || texts().prop_map(StringValue::from);
    prop_oneof![
        3 => any::<i64>().prop_map(Value::I64),
        2 => (0..300_i64).prop_map(Value::I64),
        2 => any::<f64>().prop_map(Value::F64),
        2 => any::<bool>().prop_map(Value::Bool),
        4 => text().prop_map(Value::String),
        1 => vec(any::<i64>(), 0..3).prop_map(|all| Value::Array(Array::I64(all))),
        1 => vec(any::<f64>(), 0..3).prop_map(|all| Value::Array(Array::F64(all))),
        1 => vec(any::<bool>(), 0..3).prop_map(|all| Value::Array(Array::Bool(all))),
        1 => vec(text(), 0..3).prop_map(|all| Value::Array(Array::String(all))),
    ]
}

fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    let pair = (texts(), values()).prop_map(|(key, value)| KeyValue::new(key, value));
    vec(pair, 0..4)
}

fn states() -> impl Strategy<Value = TraceState> {
    let states = ["", "vendor=1", "a=b,tenant@system=x/y"].map(|state| state.parse());
    select(states.into_iter().flatten().collect::<Vec<TraceState>>())
}

fn span_ids() -> impl Strategy<Value = SpanId> {
    prop_oneof![Just(0), any::<u64>()].prop_map(SpanId::from)
}

fn parentage() -> impl Strategy<Value = Opaque<Parentage>> {
    let ids = (any::<u128>(), span_ids(), span_ids());
    (ids, any::<u8>(), any::<bool>()).prop_map(|((trace_id, span_id, parent), flags, remote)| {
        Opaque(Parentage {
            trace_id: TraceId::from(trace_id),
            span_id,
            flags: TraceFlags::new(flags),
            parent,
            parent_is_remote: remote,
        })
    })
}

fn details() -> impl Strategy<Value = Opaque<Details>> {
    let times = (option::of(times()), option::of(times()));
    let dropped = (count(), count());
    let lists = (vec(events(), 0..3), vec(links(), 0..3));
    (times, states(), texts(), lists, dropped).prop_map(
        |((start, end), state, description, (events, links), dropped)| {
            Opaque(Details {
                start,
                end,
                state,
                description: description.into(),
                events: events.into_iter().map(|event| event.0).collect(),
                dropped_events: dropped.0,
                links,
                dropped_links: dropped.1,
            })
        },
    )
}

fn events() -> impl Strategy<Value = Opaque<RecordedEvent>> {
    let time = prop_oneof![
        ticks().prop_map(Timestamp::Ticks),
        times().prop_map(Timestamp::Wall)
    ];
    (texts(), time, attributes(), count()).prop_map(
        |(name, timestamp, attributes, dropped_attributes)| {
            Opaque(RecordedEvent {
                name: name.into(),
                timestamp,
                attributes,
                dropped_attributes,
            })
        },
    )
}

fn links() -> impl Strategy<Value = Link> {
    let identity = (
        any::<u128>(),
        span_ids(),
        any::<u8>(),
        any::<bool>(),
        states(),
    );
    let identity = identity.prop_map(|(trace_id, span_id, flags, remote, state)| {
        let flags = TraceFlags::new(flags);
        SpanContext::new(TraceId::from(trace_id), span_id, flags, remote, state)
    });
    (identity, attributes(), count())
        .prop_map(|(identity, attributes, dropped)| Link::new(identity, attributes, dropped))
}

/// Few, so that some spans are of the same scope and some scopes differ in one part only.
fn sources() -> impl Strategy<Value = Opaque<SpanSource>> {
    const NAMES: &[&str] = &["", "lib", "große"];
    const VERSIONS: &[Option<&str>] = &[None, Some(""), Some("1.0")];
    let named = || (select(NAMES), select(VERSIONS));
    let library = (select(&SITES[..]), named()).prop_map(|(site, (name, version))| {
        let library = Library::of(Some(name), version, "");
        Opaque(SpanSource::Library(Box::new((site, library))))
    });
    prop_oneof![
        4 => select(&SITES[..]).prop_map(|site| Opaque(SpanSource::Site(site))),
        2 => library,
        2 => (named(), 0..4_u8).prop_map(|((name, version), more)| {
            Opaque(scope(name, version, more))
        }),
        1 => Just(()).prop_map(|()| Opaque(SpanSource::Unknown)),
    ]
}

fn scope(name: &'static str, version: Option<&'static str>, more: u8) -> SpanSource {
    let scope = InstrumentationScope::builder(name);
    let scope = match version {
        Some(version) => scope.with_version(version),
        None => scope,
    };
    let pairs = [KeyValue::new("a", 1), KeyValue::new("b", "é")];
    let [first, second] = pairs.clone();
    let scope = match more {
        0 => scope,
        1 => scope.with_schema_url("https://example.com/1"),
        2 => scope.with_attributes(pairs),
        // The same attributes in another order are the same scope.
        _ => scope.with_attributes([second, first]),
    };
    SpanSource::Scope(Arc::new(scope.build()))
}

/// Of two libraries, one of which has two modules; one site without a place, one with a name of its own.
static SITES: LazyLock<Vec<&'static Site>> = LazyLock::new(|| {
    let module = |library, file| &*Box::leak(Box::new(Module::new(library, file, None)));
    let library = || Library::of(Some("lib"), Some("1.0"), "");
    let one = module(library(), "src/one.rs");
    let other = module(library(), "src/ö.rs");
    let foreign = module(Library::of(None, None, "foreign::module"), "");
    let sites = [
        Site::new("lib::one::work", 4, one).here(),
        Site::new("lib::one::<impl Größe>::arbeit", 6, one).here(),
        Site::new("lib::other::worknamed", 5, other).named().here(),
        Site::new("lib::other::leaf", 4, other).leaf(),
        Site::new("foreign::f", 1, foreign)
            .kind(Kind::Client)
            .here(),
        Site::new("", 0, foreign),
    ];
    sites.map(|site| &*Box::leak(Box::new(site))).to_vec()
});
