//! What is open now: the spans that have started and not ended.
//!
//! A list beside the recordings, in a few parts so that threads seldom wait for each other. No user code
//! runs while a part is locked. Reports of roots that stay open are in `root_watch.rs`.
//!
//! A lock that another thread of the parent held at a fork never opens in the child. So each lock is tried
//! first, the process id is read only where it is taken, and the child goes on with a list of its own. A span
//! costs no system call for it.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError, TryLockError};
use std::time::Duration;

use crate::backend::site::Site;
use crate::context::clock::Monotonic;
use crate::context::identity::{SpanContext, SpanId};

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
/// while nothing is traced the list is empty. It is read in parts: of spans that start or end in the
/// meantime some are listed. In a forked child those that its parent had open may be missing.
/// With the feature `open-spans` each recorded span costs an entry in the list, for all crates of the
/// program, since features unify; without it there is none.
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
    let now = Monotonic::now();
    let mut spans = Vec::new();
    let list = List::current();
    for lines in (0..PARTS).filter_map(|part| list.lines(part as u64)) {
        let wanted = lines.all().filter(|(_, line)| is_wanted(&line.info));
        spans.extend(wanted.map(|(number, line)| OpenSpan::of(*number, line, now)));
    }
    spans.sort_unstable_by_key(|span: &OpenSpan| span.number);
    spans
}

/// A span that has not ended.
#[derive(Clone, Debug)]
pub struct OpenSpan {
    /// In the order of the starts.
    pub(super) number: u64,
    info: OpenSpanInfo,
    age: Duration,
}

/// The spans that were open at one moment. Shown with `{}`, they are a tree.
#[derive(Clone, Debug)]
pub struct OpenSpans(Vec<OpenSpan>);

impl OpenSpan {
    fn of(number: u64, line: &OpenEntry, now: Monotonic) -> Self {
        OpenSpan {
            number,
            info: line.info.clone(),
            age: line.started.elapsed_until(now),
        }
    }

    /// Its name of the moment.
    pub fn name(&self) -> &str {
        &self.info.name
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
        let parent = &self.info.parent;
        parent.is_valid().then(|| parent.span_id())
    }

    /// Whether it is the first span of its trace in this process, but for those that others made.
    pub fn is_root(&self) -> bool {
        self.info.place == OpenSpanPlace::First
    }
}

/// One line: the name, the age, the place in source.
impl fmt::Display for OpenSpan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.info.name.chars() {
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
        let key = |context: &SpanContext| (context.trace_id(), context.span_id());
        let valid = self.iter().filter(|span| span.info.identity.is_valid());
        let open: HashSet<_> = valid.map(|span| key(&span.info.identity)).collect();
        let mut children: HashMap<_, Vec<&OpenSpan>> = HashMap::new();
        let mut next = Vec::new();
        for span in self.0.iter().rev() {
            if open.contains(&key(&span.info.parent)) {
                children
                    .entry(key(&span.info.parent))
                    .or_default()
                    .push(span)
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
            let below = children.remove(&key(&span.info.identity));
            next.extend(below.into_iter().flatten().map(|span| (span, depth + 1)));
        }
        Ok(())
    }
}

/// What is known of a span that has started.
#[derive(Clone, Debug)]
pub(crate) struct OpenSpanInfo {
    pub(crate) name: Cow<'static, str>,
    pub(crate) site: &'static Site,
    pub(crate) identity: SpanContext,
    pub(crate) parent: SpanContext,
    pub(crate) place: OpenSpanPlace,
}

/// Where a span stands among those of its trace that are ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OpenSpanPlace {
    First,
    Below,
}

struct OpenEntry {
    info: OpenSpanInfo,
    started: Monotonic,
}

type Part = Mutex<Option<HashMap<u64, OpenEntry>>>;

const PARTS: usize = 16;

/// Lines for which a part keeps its room.
const FEW: usize = 16;

/// The list of a process. A forked child has that of its parent; but a part that another thread had
/// locked at the fork is locked for ever, and then the child goes on with a list of its own.
struct List {
    /// Whose it is; nobody's until it is used.
    process: AtomicU32,
    parts: [Part; PARTS],
    next: OnceLock<Box<List>>,
}

static FIRST: List = List::of(0);

impl List {
    const fn of(process: u32) -> Self {
        List {
            process: AtomicU32::new(process),
            parts: [const { Mutex::new(None) }; PARTS],
            next: OnceLock::new(),
        }
    }

    fn current() -> &'static List {
        let mut list = &FIRST;
        while let Some(next) = list.next.get() {
            list = next;
        }
        list
    }

    /// The part that a line of this number stands in; `None` where another process may have locked it,
    /// and from then on another list is the current one.
    fn lines(&self, number: u64) -> Option<Lines<'_>> {
        if self.process.load(Ordering::Relaxed) == 0 {
            self.process.store(process_id(), Ordering::Relaxed);
        }
        let part = &self.parts[number as usize % PARTS];
        let locked = match part.try_lock() {
            Ok(locked) => locked,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) if self.is_of_parent() => {
                let own = || Box::new(List::of(process_id()));
                self.next.get_or_init(own);
                return None;
            }
            Err(TryLockError::WouldBlock) => part.lock().unwrap_or_else(PoisonError::into_inner),
        };
        Some(Lines(locked))
    }

    /// Asks the operating system.
    fn is_of_parent(&self) -> bool {
        self.process.load(Ordering::Relaxed) != process_id()
    }
}

/// Without an operating system, as on `wasm32-unknown-unknown`, reading it panics, and nothing forks.
fn process_id() -> u32 {
    if cfg!(all(target_family = "wasm", target_os = "unknown")) {
        1
    } else {
        std::process::id()
    }
}

/// A part of the list, locked.
struct Lines<'a>(MutexGuard<'a, Option<HashMap<u64, OpenEntry>>>);

impl Lines<'_> {
    fn all(&self) -> impl Iterator<Item = (&u64, &OpenEntry)> {
        self.0.iter().flatten()
    }

    fn get(&mut self) -> &mut HashMap<u64, OpenEntry> {
        self.0.get_or_insert_default()
    }

    /// Room for what is open, and not for ever for the most that ever was. It keeps twice that, so
    /// that giving back costs each span a constant share.
    fn remove(&mut self, number: u64) -> Option<OpenEntry> {
        let lines = self.get();
        let line = lines.remove(&number);
        if lines.capacity() > FEW && lines.len() < lines.capacity() / 4 {
            lines.shrink_to(lines.len() * 2);
        }
        line
    }
}

/// A span's line in the list, which goes when this does.
pub(crate) struct Listed {
    number: u64,
    list: &'static List,
}

impl Listed {
    pub(crate) fn rename(&self, name: Cow<'static, str>) {
        let Some(mut lines) = self.list.lines(self.number) else {
            return;
        };
        let before = lines.get().get_mut(&self.number);
        let before = before.map(|line| std::mem::replace(&mut line.info.name, name));
        drop(lines);
        drop(before);
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        let lines = self.list.lines(self.number);
        let line = lines.and_then(|mut lines| lines.remove(self.number));
        drop(line);
    }
}

/// Puts a span that has started into the list.
pub(crate) fn enlist(info: OpenSpanInfo) -> Listed {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let line = OpenEntry {
        info,
        started: Monotonic::now(),
    };
    let mut list = List::current();
    let mut lines = list.lines(number);
    if lines.is_none() {
        list = List::current();
        lines = list.lines(number);
    }
    if let Some(mut lines) = lines {
        lines.get().insert(number, line);
    }
    Listed { number, list }
}
