//! What has been recorded, to be read and compared.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::difference::{difference, normal};
use super::entry::{self, Entry, Event, Record};
use super::forest::Forest;
use super::{lost_context, partial, redacted, state, tree};
use crate::attribute::value::Value;
use crate::context::identity::{SpanContext, SpanId};
use crate::span::handle::Status;

/// What a recorder has seen: spans in the order of their start.
///
/// It stays as it was when [`Recorder::trace`](super::Recorder::trace) gave it. Its `Display` text
/// is the [`tree`](Trace::tree).
#[derive(Clone)]
pub struct Trace {
    forest: Arc<Forest>,
    spans: Vec<RecordedSpan>,
}

/// A recorded span.
///
/// It keeps the whole trace: its parents and children, and the tree that a failed assertion
/// shows.
#[derive(Clone)]
pub struct RecordedSpan {
    forest: Arc<Forest>,
    place: usize,
}

impl Trace {
    pub(super) fn of(record: Record) -> Self {
        Trace::new(Forest::of(record))
    }

    fn new(forest: Forest) -> Self {
        let forest = Arc::new(forest);
        let places = 0..forest.record().entries.len();
        let spans = places.map(|place| RecordedSpan::at(&forest, place));
        Trace {
            spans: spans.collect(),
            forest,
        }
    }

    /// All spans, in the order in which they started.
    pub fn spans(&self) -> &[RecordedSpan] {
        &self.spans
    }

    /// The spans whose parents were not recorded here, in the order in which they started.
    pub fn roots(&self) -> Vec<RecordedSpan> {
        RecordedSpan::all(&self.forest, &self.forest.roots())
    }

    /// The first span of this name.
    ///
    /// # Panics
    ///
    /// If there is none; the message shows the tree.
    #[track_caller]
    #[expect(clippy::panic, reason = "this is an assertion of a test")]
    pub fn find(&self, name: &str) -> &RecordedSpan {
        match self.spans.iter().find(|span| span.name() == name) {
            Some(span) => span,
            None => panic!("no span `{}` in\n{self}", tree::one_line(name)),
        }
    }

    /// All spans of this name, in the order in which they started; none is no fault.
    ///
    /// ```
    /// use enter_span::testing::Recorder;
    /// use enter_span::{enter_span, in_span};
    ///
    /// let trace = Recorder::new().run(|| {
    ///     in_span!("db.query", attributes(rows = 3), |_| ());
    ///     in_span!("db.query", attributes(rows = 5), |_| ());
    /// });
    /// let rows: Vec<_> = trace.find_all("db.query").map(|query| query.attribute("rows")).collect();
    /// assert_eq!(rows, [Some(3.into()), Some(5.into())]);
    /// ```
    pub fn find_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a RecordedSpan> {
        self.spans.iter().filter(move |span| span.name() == name)
    }

    /// The spans as an indented tree, in the order in which they started.
    ///
    /// A line has, in this order:
    ///
    /// - the name, and the kind, unless it is internal;
    /// - the attributes, without `code.*`; text with spaces is in quotes;
    /// - `!Type` for an error, and `~cancelled` for a future that was dropped;
    /// - `^name` for a link, or `^?` if the other span was not recorded here;
    /// - `(open)` for a span that has not ended.
    ///
    /// Calls that a leaf hid come at the end as `under leaf: name`,
    /// and spans that lost their context as `orphan name`.
    pub fn tree(&self) -> String {
        tree::draw(&self.forest)
    }

    /// The tree with all that a span says, the same in each run: for snapshots.
    ///
    /// Ids of spans and traces are numbers, wherever they stand, and there are no times. Besides
    /// what [`tree`](Trace::tree) shows, the text of an error's status stands below its span behind
    /// `!`, and each event behind `•`; `below <span 3>` is a parent that was not recorded here.
    ///
    /// With [insta](https://docs.rs/insta) it is `insta::assert_snapshot!(trace.redacted())`.
    ///
    /// ```
    /// use enter_span::enter_span;
    /// use enter_span::testing::Recorder;
    ///
    /// #[enter_span(attributes(order))]
    /// fn checkout(order: &str) -> Result<u64, std::num::ParseIntError> {
    ///     let price = enter_span("price", |_| order.parse())?;
    ///     enter_span("send", |span| span.add_event("sent", [("bytes", 12)]).span_id());
    ///     Ok(price)
    /// }
    ///
    /// let trace = Recorder::new().run(|| checkout("7"));
    /// let lines: Vec<_> = trace.redacted().lines().map(str::to_owned).collect();
    /// assert_eq!(
    ///     lines,
    ///     [
    ///         "<trace 1> <span 1> checkout order=7",
    ///         "  <span 2> price",
    ///         "  <span 3> send",
    ///         "    • sent bytes=12",
    ///     ]
    /// );
    /// ```
    pub fn redacted(&self) -> String {
        redacted::draw(&self.forest)
    }

    /// The same trace, siblings in the order of their lines instead of their starts.
    ///
    /// For work that runs side by side, where each run may start it in another order.
    ///
    /// ```
    /// use enter_span::prelude::*;
    /// use enter_span::enter_span;
    /// use enter_span::testing::Recorder;
    ///
    /// #[enter_span(attributes(page))]
    /// fn load(page: u32) {}
    ///
    /// #[enter_span]
    /// fn load_all() {
    ///     std::thread::scope(|threads| {
    ///         for page in [1, 2, 3] {
    ///             threads.spawn((move || load(page)).in_current_span());
    ///         }
    ///     });
    /// }
    ///
    /// Recorder::new().run(load_all).sorted().assert_tree("
    ///     load_all
    ///       load page=1
    ///       load page=2
    ///       load page=3
    /// ");
    /// ```
    #[must_use]
    pub fn sorted(&self) -> Self {
        let line = |place| tree::line(&self.forest, place);
        Trace::new(self.forest.sorted(line))
    }

    /// Compares the tree with an indented text, whose common indentation does not count.
    ///
    /// # Panics
    ///
    /// If they differ; the message is both in one, with `-` before a line that is missing and `+`
    /// before one that is extra.
    #[track_caller]
    #[expect(clippy::panic, reason = "this is an assertion of a test")]
    pub fn assert_tree(&self, expected: &str) {
        if let Some(difference) = difference(&normal(expected), &self.tree()) {
            panic!("the trace is not as expected: `-` is missing, `+` is extra\n{difference}");
        }
    }

    /// Checks that a part of the tree is there.
    ///
    /// Each line is a span's name, and of what stands behind the name as much as you write, in any
    /// order. A line below it is one of its children; others may stand between. The
    /// outermost lines may stand anywhere in the tree. Lines have the order of the tree; see
    /// [`sorted`](Trace::sorted) for work that runs side by side.
    ///
    /// ```
    /// use enter_span::testing::Recorder;
    /// use enter_span::in_span;
    ///
    /// let trace = Recorder::new().run(|| {
    ///     in_span!("POST /orders", kind = server, attributes(order.id = 7), |_| {
    ///         in_span!("authenticate", |_| ());
    ///         in_span!("db.query", kind = client, attributes(table = "orders", rows = 3), |_| ());
    ///     });
    /// });
    /// trace.assert_tree_contains("
    ///     POST /orders
    ///       db.query rows=3
    /// ");
    /// ```
    ///
    /// # Panics
    ///
    /// If a line is not there: the message has a `-` before it, and shows the whole tree.
    #[track_caller]
    #[expect(clippy::panic, reason = "this is an assertion of a test")]
    pub fn assert_tree_contains(&self, part: &str) {
        if let Some(missing) = partial::missing(&self.forest, part) {
            panic!("the trace has no line as those behind `-`\n{missing}\nin\n{self}");
        }
    }

    /// Checks that no span lost its context on this recorder's own thread.
    ///
    /// Other threads may be a neighbour's: they are looked at only in a test that is
    /// [`exclusive`](super::exclusive).
    ///
    /// # Panics
    ///
    /// If a span started on the recorder's own thread without the recorder's context; and, if the
    /// test is [`exclusive`](super::exclusive), on any other thread. The message shows the tree.
    #[track_caller]
    pub fn assert_no_orphans(&self) {
        let mut orphans = self.forest.record().orphans.clone();
        if state::is_exclusive() {
            orphans.extend(lost_context::unclaimed());
        }
        let orphans: Vec<_> = orphans.iter().map(|name| tree::one_line(name)).collect();
        assert!(
            orphans.is_empty(),
            "spans that started without a context: {}, beside\n{self}",
            orphans.join(", ")
        );
    }
}

/// The [`tree`](Trace::tree).
impl fmt::Display for Trace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.tree())
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let record = self.forest.record();
        formatter
            .debug_struct("Trace")
            .field("spans", &record.entries)
            .field("hidden", &record.hidden)
            .field("orphans", &record.orphans)
            .finish()
    }
}

impl RecordedSpan {
    fn at(forest: &Arc<Forest>, place: usize) -> Self {
        RecordedSpan {
            forest: Arc::clone(forest),
            place,
        }
    }

    fn all(forest: &Arc<Forest>, places: &[usize]) -> Vec<Self> {
        let places = places.iter();
        places
            .map(|place| RecordedSpan::at(forest, *place))
            .collect()
    }

    pub(super) fn entry(&self) -> &Entry {
        self.forest.entry(self.place)
    }

    /// The whole tree, with a mark before this span.
    pub(super) fn in_its_tree(&self) -> String {
        tree::point(&self.forest, self.place)
    }

    /// The span's name at its end.
    pub fn name(&self) -> &str {
        &self.entry().name
    }

    /// `internal`, `server`, `client`, `producer` or `consumer`.
    pub fn kind(&self) -> &str {
        self.entry().kind
    }

    /// The instrumentation scope: the name and version of the crate that made the span.
    pub fn library(&self) -> (&str, Option<&str>) {
        let (name, version) = &self.entry().library;
        (name, version.as_deref())
    }

    /// The span's identity.
    pub fn span_context(&self) -> &SpanContext {
        &self.entry().identity
    }

    /// The span's own id.
    pub fn span_id(&self) -> SpanId {
        self.entry().identity.span_id()
    }

    /// The id of the parent, or `None` if it has none.
    pub fn parent_id(&self) -> Option<SpanId> {
        let parent = &self.entry().parent;
        parent.is_valid().then(|| parent.span_id())
    }

    /// The parent, or `None` if it has none that was recorded here.
    pub fn parent(&self) -> Option<Self> {
        let parent = self.forest.parent(self.place)?;
        Some(RecordedSpan::at(&self.forest, parent))
    }

    /// The children, in the order in which they started.
    pub fn children(&self) -> Vec<Self> {
        RecordedSpan::all(&self.forest, self.forest.children(self.place))
    }

    /// Whether it is the first span of its trace, with no parent here nor in another process.
    pub fn is_root(&self) -> bool {
        !self.entry().parent.is_valid()
    }

    /// An attribute.
    pub fn attribute(&self, key: &str) -> Option<Value> {
        entry::find(&self.entry().attributes, key)
    }

    /// The keys of all attributes, as they were exported: one that stands there twice shows twice.
    pub fn keys(&self) -> Vec<&str> {
        let attributes = self.entry().attributes.iter();
        attributes.map(|a| a.key.as_str()).collect()
    }

    /// The events, in order.
    pub fn events(&self) -> &[Event] {
        &self.entry().events
    }

    /// The spans that it is linked to.
    pub fn links(&self) -> &[SpanContext] {
        &self.entry().links
    }

    /// The status.
    pub fn status(&self) -> &Status {
        &self.entry().status
    }

    /// The whole `error.type`, or `None` if there is none.
    pub fn error_type(&self) -> Option<&str> {
        self.entry().text("error.type")
    }

    /// How it ended, if by neither a return nor a panic: `cancelled` for a future that was dropped,
    /// `abandoned` for a span that a scope with `ends_children` ended.
    pub fn outcome(&self) -> Option<&str> {
        self.entry().text("enter_span.outcome")
    }

    /// Whether the span has ended.
    pub fn is_ended(&self) -> bool {
        self.entry().end.is_some()
    }

    /// When it started.
    pub fn start_time(&self) -> SystemTime {
        self.entry().start
    }

    /// When it ended, or `None` if it is still open.
    pub fn end_time(&self) -> Option<SystemTime> {
        self.entry().end
    }

    /// How long it took, or `None` if it is still open.
    pub fn duration(&self) -> Option<Duration> {
        self.entry().end?.duration_since(self.entry().start).ok()
    }
}

impl fmt::Debug for RecordedSpan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.entry().fmt(formatter)
    }
}
