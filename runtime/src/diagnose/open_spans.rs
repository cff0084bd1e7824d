//! What is open now: the spans that have started and not ended, for people.
//!
//! The list itself is in `open_list.rs`. Reports of roots that stay open are in `root_watch.rs`.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::fmt::{self, Write as _};
use std::time::Duration;

use crate::context::identity::{SpanContext, SpanId, TraceId};
use crate::diagnose::open_list::{self, OpenEntry, OpenSpanInfo, OpenSpanPlace};

/// The spans that are open in this process at this moment, in the order of their start.
///
/// For a debug page or a watchdog: a task that hangs never ends its span, which therefore is never
/// exported, and here it is. Printed, they are a tree, with the age of each and its place in source:
///
/// ```text
/// checkout 12.3s shop::checkout (src/checkout.rs:41) trace 4bf92f3577b34da6a3ce929d0e0e4736
///   charge 12.2s shop::bank::charge (src/bank.rs:7)
/// ```
///
/// Only spans of this library that are recorded are listed, not those of other OpenTelemetry code;
/// while nothing is traced the list is empty. It is read in parts, and no span waits for it: of spans that
/// start or end in the meantime some are listed. In a forked child those that its parent had open are listed
/// too. With the feature `open-spans` each recorded span costs an entry in the list, for all crates of the
/// program, since features unify; without it there is none. An entry takes about 200 bytes, which are kept for
/// later spans.
///
/// ```
/// use enter_span::{enter_span, open_spans};
///
/// # use opentelemetry_sdk::trace::SdkTracerProvider;
/// # enter_span::set_tracer_provider(SdkTracerProvider::builder().build());
/// enter_span("hangs", |_| {
///     let open = open_spans();
///     assert_eq!(open.iter().next().unwrap().name(), "hangs");
///     println!("{open}");
/// });
/// assert!(open_spans().is_empty());
/// ```
pub fn open_spans() -> OpenSpans {
    OpenSpans(open(|_| true))
}

pub(super) fn open(is_wanted: impl Fn(&OpenSpanInfo) -> bool) -> Vec<OpenSpan> {
    let wanted = |entry: &OpenEntry, age| is_wanted(&entry.info).then(|| OpenSpan::of(entry, age));
    let mut spans = open_list::read(wanted);
    spans.sort_unstable_by_key(|span| (Reverse(span.age), span.number));
    spans
}

/// A span that has not ended.
#[derive(Clone, Debug)]
pub struct OpenSpan {
    /// Unique; in the order of the starts of one thread.
    pub(super) number: u64,
    info: OpenSpanInfo,
    age: Duration,
}

/// The spans that were open at one moment. Shown with `{}`, they are a tree.
#[derive(Clone, Debug)]
pub struct OpenSpans(Vec<OpenSpan>);

impl OpenSpan {
    fn of(entry: &OpenEntry, age: Duration) -> Self {
        OpenSpan {
            number: entry.number,
            info: entry.info.clone(),
            age,
        }
    }

    /// Its name of the moment.
    pub fn name(&self) -> &str {
        self.info.name.as_deref().unwrap_or(self.info.site.name())
    }

    /// How long ago it had started when the list was made.
    pub fn age(&self) -> Duration {
        self.age
    }

    /// The path of its function, or of the module of its block; `None` where it was made
    /// by a function that cannot know its caller.
    pub fn function(&self) -> Option<&'static str> {
        self.info.site.location().map(|(function, ..)| function)
    }

    /// The file, relative to its crate, and the line.
    pub fn file_and_line(&self) -> Option<(&'static str, u32)> {
        self.info
            .site
            .location()
            .map(|(_, file, line)| (file, line))
    }

    /// Its identity.
    pub fn span_context(&self) -> &SpanContext {
        &self.info.identity
    }

    /// The id of its parent, open or not, in this process or another.
    pub fn parent_id(&self) -> Option<SpanId> {
        self.has_parent().then_some(self.info.parent)
    }

    fn has_parent(&self) -> bool {
        self.info.parent.0 != opentelemetry::trace::SpanId::INVALID
    }

    fn key(&self) -> (TraceId, SpanId) {
        let identity = &self.info.identity;
        (identity.trace_id(), identity.span_id())
    }

    fn key_of_parent(&self) -> (TraceId, SpanId) {
        (self.info.identity.trace_id(), self.info.parent)
    }

    /// Whether it is the first span of its trace in this process, but for those that others made.
    pub fn is_root(&self) -> bool {
        self.info.place == OpenSpanPlace::First
    }
}

/// One line: the name, the age, the place in source.
impl fmt::Display for OpenSpan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.name().chars() {
            if letter.is_control() {
                write!(formatter, "{}", letter.escape_default())?
            } else {
                formatter.write_char(letter)?
            }
        }
        write!(formatter, " {:.1?}", self.age)?;
        match self.info.site.location() {
            Some((function, file, line)) => write!(formatter, " {function} ({file}:{line})"),
            None => Ok(()),
        }
    }
}

impl OpenSpans {
    /// The spans, in the order of their start.
    pub fn iter(&self) -> std::slice::Iter<'_, OpenSpan> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing is open.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> IntoIterator for &'a OpenSpans {
    type Item = &'a OpenSpan;
    type IntoIter = std::slice::Iter<'a, OpenSpan>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl IntoIterator for OpenSpans {
    type Item = OpenSpan;
    type IntoIter = std::vec::IntoIter<OpenSpan>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// Levels beyond this are not indented further: nobody could read them, and the text would grow with
/// the square of the depth.
const DEEP: usize = 64;

/// A span stands below its parent, or at the top if that is not open.
impl fmt::Display for OpenSpans {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let valid = self.iter().filter(|span| span.info.identity.is_valid());
        let open: HashSet<_> = valid.map(OpenSpan::key).collect();
        let mut children: HashMap<_, Vec<&OpenSpan>> = HashMap::new();
        let mut next = Vec::new();
        for span in self.0.iter().rev() {
            if open.contains(&span.key_of_parent()) {
                children.entry(span.key_of_parent()).or_default().push(span)
            } else {
                next.push((span, 0))
            }
        }
        let mut is_first = true;
        while let Some((span, depth)) = next.pop() {
            if !std::mem::take(&mut is_first) {
                writeln!(formatter)?;
            }
            write!(
                formatter,
                "{:indent$}{span}",
                "",
                indent = 2 * depth.min(DEEP)
            )?;
            if depth == 0 {
                write!(formatter, " trace {}", span.info.identity.trace_id())?;
            }
            let below = children.remove(&span.key());
            next.extend(below.into_iter().flatten().map(|span| (span, depth + 1)));
        }
        Ok(())
    }
}
