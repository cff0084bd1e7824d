//! Spans in the order in which they are shown: traces, parents before children, long runs folded.
//!
//! Whatever the spans say of each other, each is shown or counted exactly once: one whose parent
//! is not there stands at the top, and a circle of parents is cut open. Nothing here recurses.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use opentelemetry::trace::{SpanId, Status, TraceId};
use opentelemetry_sdk::trace::SpanData;

use super::parents::parents;
use super::state::{SpanState, kept, length, state};

/// One trace, ready to be drawn.
pub(super) struct Trace<'a> {
    pub(super) id: TraceId,
    pub(super) start: SystemTime,
    pub(super) end: SystemTime,
    pub(super) spans: usize,
    pub(super) roots: usize,
    pub(super) failed: usize,
    pub(super) cancelled: usize,
    pub(super) kept: Option<String>,
    pub(super) rows: Vec<Row<'a>>,
}

pub(super) struct Row<'a> {
    pub(super) item: Item<'a>,
    /// What stands before the name, and before lines that belong to the same span.
    pub(super) guides: String,
    pub(super) below: String,
    /// Whether a child has failed with the same words, and shows them.
    pub(super) explained: bool,
}

pub(super) enum Item<'a> {
    Span(&'a SpanData, ParentLink),
    Folded(Folded<'a>),
}

/// Whether a span's parent is in the list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ParentLink {
    /// Below its parent, or at the top because it has none.
    Known,
    /// At the top: its parent is in another process.
    Remote,
    /// At the top: its parent should be here and is not.
    Orphan,
}

/// Spans that are counted and not shown.
pub(super) struct Folded<'a> {
    /// Of siblings that share it.
    pub(super) name: Option<&'a str>,
    pub(super) spans: usize,
    /// What is below such siblings.
    pub(super) inside: usize,
    /// How many of them failed or were cancelled, or something in them.
    pub(super) troubled: usize,
    /// The sum for siblings, which do not contain each other; from the first start to the last end
    /// otherwise.
    pub(super) took: Duration,
    pub(super) least: Duration,
    pub(super) most: Duration,
    pub(super) start: SystemTime,
    pub(super) end: SystemTime,
}

/// All traces, the earliest first.
pub(super) fn traces(spans: &[SpanData]) -> Vec<Trace<'_>> {
    let mut by_trace: HashMap<TraceId, Vec<&SpanData>> = HashMap::new();
    for span in spans {
        let id = span.span_context.trace_id();
        by_trace.entry(id).or_default().push(span);
    }
    let traces = by_trace.into_iter();
    let mut traces: Vec<_> = traces.map(|(id, spans)| trace(id, spans)).collect();
    traces.sort_by_key(|trace| (trace.start, trace.id.to_bytes()));
    traces
}

fn trace(id: TraceId, mut spans: Vec<&SpanData>) -> Trace<'_> {
    spans.sort_by_key(|span| (span.start_time, span.end_time));
    let count = |wanted| spans.iter().filter(|span| state(span) == wanted).count();
    let starts = spans.iter().map(|span| span.start_time);
    let ends = spans.iter().map(|span| span.end_time.max(span.start_time));
    let forest = Forest::new(spans.clone());
    Trace {
        id,
        roots: forest.roots.len(),
        start: starts.min().unwrap_or(SystemTime::UNIX_EPOCH),
        end: ends.max().unwrap_or(SystemTime::UNIX_EPOCH),
        spans: spans.len(),
        failed: count(SpanState::Failed),
        cancelled: count(SpanState::Cancelled),
        kept: kept(spans.iter().copied()),
        rows: forest.rows(),
    }
}

/// The spans of a trace, by their place in the list: who is above whom.
struct Forest<'a> {
    spans: Vec<&'a SpanData>,
    parent: Vec<Option<usize>>,
    children: Vec<Vec<usize>>,
    roots: Vec<usize>,
    /// It failed or was cancelled, or something below it did.
    troubled: Vec<bool>,
}

impl<'a> Forest<'a> {
    fn new(spans: Vec<&'a SpanData>) -> Self {
        let parent = parents(&spans);
        let mut children = vec![Vec::new(); spans.len()];
        let mut roots = Vec::new();
        for (span, parent) in parent.iter().enumerate() {
            match parent {
                Some(parent) => children[*parent].push(span),
                None => roots.push(span),
            }
        }
        let mut forest = Forest {
            troubled: vec![false; spans.len()],
            spans,
            parent,
            children,
            roots,
        };
        forest.spread_trouble();
        forest
    }

    fn spread_trouble(&mut self) {
        for span in 0..self.spans.len() {
            let mut next = Some(span).filter(|_| state(self.spans[span]) != SpanState::Quiet);
            while let Some(span) = next.filter(|&span| !self.troubled[span]) {
                self.troubled[span] = true;
                next = self.parent[span];
            }
        }
    }

    fn rows(&self) -> Vec<Row<'a>> {
        let mut rows = Vec::new();
        let roots = self.shown(&self.roots).into_iter();
        let mut open: Vec<(Entry, Guides)> = roots.map(|root| (root, Guides::default())).collect();
        open.reverse();
        while let Some((entry, guides)) = open.pop() {
            if rows.len() == MOST_ROWS && !open.is_empty() {
                open.push((entry, guides));
                let rest = open.iter().flat_map(|(entry, _)| self.all_of(entry));
                let rest = Entry::Rest(rest.collect());
                rows.push(self.row(&rest, &Guides::default(), false));
                break;
            }
            let children = self.children_of(&entry, &guides);
            rows.push(self.row(&entry, &guides, !children.is_empty()));
            let last = children.len().saturating_sub(1);
            let below = children.into_iter().enumerate();
            let below = below.map(|(n, child)| (child, guides.child(n == last)));
            open.extend(below.rev());
        }
        rows
    }

    fn children_of(&self, entry: &Entry, guides: &Guides) -> Vec<Entry> {
        match entry {
            Entry::Span(span) if guides.depth < MOST_DEPTH => self.shown(&self.children[*span]),
            Entry::Span(span) if self.children[*span].is_empty() => Vec::new(),
            Entry::Span(span) => vec![Entry::Rest(self.below(&self.children[*span]))],
            Entry::Siblings(_) | Entry::Rest(_) => Vec::new(),
        }
    }

    fn all_of(&self, entry: &Entry) -> Vec<usize> {
        match entry {
            Entry::Span(span) => self.below(&[*span]),
            Entry::Siblings(hidden) => self.below(hidden),
            Entry::Rest(rest) => rest.clone(),
        }
    }

    /// These, and all that hangs below them.
    fn below(&self, spans: &[usize]) -> Vec<usize> {
        let mut all = spans.to_vec();
        let mut next = 0;
        while next < all.len() {
            all.extend(&self.children[all[next]]);
            next += 1;
        }
        all
    }

    fn row(&self, entry: &Entry, guides: &Guides, has_children: bool) -> Row<'a> {
        let (item, explained) = match entry {
            Entry::Span(span) => (
                Item::Span(self.spans[*span], self.parent_link(*span)),
                self.is_explained(*span),
            ),
            Entry::Siblings(hidden) => (Item::Folded(self.siblings(hidden)), false),
            Entry::Rest(rest) => (Item::Folded(self.folded(rest)), false),
        };
        Row {
            item,
            explained,
            guides: format!("{}{}", guides.before, guides.branch),
            below: guides.below() + if has_children { "│ " } else { "  " },
        }
    }

    fn parent_link(&self, span: usize) -> ParentLink {
        let data = self.spans[span];
        match self.parent[span] {
            None if data.parent_span_is_remote => ParentLink::Remote,
            None if data.parent_span_id != SpanId::INVALID => ParentLink::Orphan,
            _ => ParentLink::Known,
        }
    }

    fn is_explained(&self, span: usize) -> bool {
        let status = &self.spans[span].status;
        let mut children = self.children[span].iter();
        matches!(status, Status::Error { .. })
            && children.any(|&child| self.spans[child].status == *status)
    }

    /// The siblings that get a row, each with its own, in the order of their starts; the others of their name
    /// share one behind the last of them.
    fn shown(&self, siblings: &[usize]) -> Vec<Entry> {
        let mut alike: HashMap<&str, Vec<usize>> = HashMap::new();
        for &span in siblings {
            alike.entry(&self.spans[span].name).or_default().push(span);
        }
        let long = alike.iter().filter(|(_, run)| run.len() > MOST_ALIKE);
        let mut folds: HashMap<&str, Vec<usize>> =
            long.map(|(name, run)| (*name, self.hidden(run))).collect();
        let mut shown = Vec::new();
        for span in siblings {
            let name = &*self.spans[*span].name;
            let hidden = folds.get(name);
            let is_hidden = hidden.is_some_and(|hidden| hidden.binary_search(span).is_ok());
            if !is_hidden {
                shown.push(Entry::Span(*span));
            }
            if alike[name].last() == Some(span) {
                shown.extend(folds.remove(name).map(Entry::Siblings));
            }
        }
        shown
    }

    /// All but the first few, the slowest, and some of those that are worth a look; in order.
    fn hidden(&self, run: &[usize]) -> Vec<usize> {
        let mut slowest = run.to_vec();
        slowest.sort_by_key(|&span| std::cmp::Reverse(self.length(span)));
        slowest.truncate(SLOWEST);
        let troubled = run.iter().filter(|&&span| self.troubled[span]);
        let troubled: Vec<usize> = troubled.copied().take(MOST_TROUBLED).collect();
        let is_kept = |span: &usize| {
            run[..FIRST].contains(span) || slowest.contains(span) || troubled.contains(span)
        };
        let hidden = run.iter().filter(|span| !is_kept(span));
        hidden.copied().collect()
    }

    fn siblings(&self, hidden: &[usize]) -> Folded<'a> {
        Folded {
            name: hidden.first().map(|&first| &*self.spans[first].name),
            inside: self.below(hidden).len() - hidden.len(),
            took: hidden.iter().map(|&span| self.length(span)).sum(),
            ..self.folded(hidden)
        }
    }

    fn folded(&self, hidden: &[usize]) -> Folded<'a> {
        let spans = || hidden.iter().map(|&span| self.spans[span]);
        let lengths = || hidden.iter().map(|&span| self.length(span));
        let start = spans().map(|span| span.start_time).min();
        let start = start.unwrap_or(SystemTime::UNIX_EPOCH);
        let end = spans().map(|span| span.end_time).max().unwrap_or(start);
        Folded {
            name: None,
            spans: hidden.len(),
            inside: 0,
            troubled: hidden.iter().filter(|&&span| self.troubled[span]).count(),
            took: length(start, end),
            least: lengths().min().unwrap_or_default(),
            most: lengths().max().unwrap_or_default(),
            start,
            end,
        }
    }

    fn length(&self, span: usize) -> Duration {
        length(self.spans[span].start_time, self.spans[span].end_time)
    }
}

/// More siblings of one name than this are folded, down to the kinds below.
const MOST_ALIKE: usize = 10;
const FIRST: usize = 3;
const SLOWEST: usize = 2;
const MOST_TROUBLED: usize = 3;

/// Levels that are shown.
const MOST_DEPTH: usize = 32;
/// Rows of a trace.
const MOST_ROWS: usize = 500;

/// A span, or several that share a row.
enum Entry {
    Span(usize),
    /// They have one name, and what hangs below them is not in the list.
    Siblings(Vec<usize>),
    /// What is too deep, or too much.
    Rest(Vec<usize>),
}

/// The lines that lead from a span to its parent. The outermost are cut where nesting is deep.
#[derive(Clone, Default)]
struct Guides {
    depth: usize,
    before: String,
    branch: &'static str,
}

/// A level takes two columns.
const MOST_LEVELS: usize = 8;

impl Guides {
    fn child(&self, is_last: bool) -> Self {
        Guides {
            depth: self.depth + 1,
            before: self.below(),
            branch: if is_last { "└ " } else { "├ " },
        }
    }

    /// What stands before everything below this span, apart from its own branches.
    fn below(&self) -> String {
        let trunk = match self.branch {
            "├ " => "│ ",
            "└ " => "  ",
            _ => "",
        };
        let all: Vec<char> = self.before.chars().chain(trunk.chars()).collect();
        match all.len().checked_sub(2 * MOST_LEVELS) {
            None | Some(0) => all.into_iter().collect(),
            Some(cut) => "… ".chars().chain(all.into_iter().skip(cut + 2)).collect(),
        }
    }
}
