//! Holds the spans of traces that are not decided, between the buffers and the exporters. The worker's alone.
//!
//! Buffers are drained one by one, so a root can come before a child that ended earlier on another thread. The
//! next full drain has that child: what it finds is behind the root's end. So a trace is decided after the first
//! full drain behind the one that had its root.
//!
//! Spans are moved out of the lists that go round, so that callers never allocate for what waits here. Their room
//! in the queue stays taken. What a trace takes beside its spans is charged on top.

use std::sync::Arc;
use std::time::Instant;

use opentelemetry::trace::SpanId;

use crate::host::clock::Clock;
use crate::keep::decided_spans::DecidedSpans;
use crate::keep::ended_root::EndedRoot;
use crate::keep::pending_trace::PendingTrace;
use crate::keep::place_table::{Key, Place, PlaceTable};
use crate::keep::policy::Keep;
use crate::keep::rules::Rules;
use crate::keep::stretch::Stretch;
use crate::keep::trace_list::TraceList;
use crate::keep::verdict::{Reason, Verdict};
use crate::queue::budget::{Shares, Size};
use crate::queue::leaving_spans::LeavingSpans;
use crate::queue::limit::Limits;
use crate::queue::span_list::SpanList;
use crate::queue::span_queue::{DrainedList, SpanQueue};
use crate::stats::counts::Ledger;
use crate::stats::keep_counts::KeepLedger;

pub(crate) struct Keeper {
    rules: Rules,
    queue: Arc<SpanQueue>,
    /// Of the spans.
    ledger: Arc<Ledger>,
    /// Of the traces.
    keep_ledger: Arc<KeepLedger>,
    places: PlaceTable,
    traces: TraceList,
    /// Most spans follow one of their own trace.
    last: Option<(Key, Place)>,
    /// Their roots came with the drain before.
    due: Vec<EndedRoot>,
    /// Their roots came with this one.
    arrived: Vec<EndedRoot>,
    decided: DecidedSpans,
    pending: Size,
    /// What may be undecided.
    most: Size,
    /// Bytes that traces take beside their spans.
    charged: usize,
    now: Instant,
    /// Empty lists for the next traces.
    spare: Vec<SpanList>,
    is_closed: bool,
}

pub(crate) struct KeeperConfig {
    pub(crate) keep: Keep,
    pub(crate) limits: Limits,
    pub(crate) clock: Arc<Clock>,
    pub(crate) queue: Arc<SpanQueue>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) keep_ledger: Arc<KeepLedger>,
}

/// Bytes that a trace takes beside its spans: itself, its place, and room that its lists have to spare.
const TRACE_BYTES: usize = size_of::<PendingTrace>() + 256;

/// Lists that are kept for the next traces, and the most spans that one of them has room for.
const MOST_SPARE: usize = 256;
const MOST_SPARE_SPANS: usize = 64;

impl Keeper {
    pub(crate) fn new(config: KeeperConfig) -> Self {
        let limits = config.limits;
        Keeper {
            rules: Rules::new(config.keep),
            queue: config.queue,
            ledger: config.ledger,
            keep_ledger: config.keep_ledger,
            places: PlaceTable::default(),
            traces: TraceList::default(),
            last: None,
            due: Vec::new(),
            arrived: Vec::new(),
            decided: DecidedSpans::new(config.clock, limits.batch()),
            pending: Size::default(),
            most: limits.queue().half(),
            charged: 0,
            now: Instant::now(),
            spare: Vec::new(),
            is_closed: false,
        }
    }

    /// Takes what one full drain has found, and decides what is to be decided behind it.
    pub(crate) fn absorb(&mut self, all: Vec<DrainedList>) {
        self.now = Instant::now();
        self.decided.begin_turn();
        for drained in all {
            self.absorb_list(drained);
        }
        let mut due = std::mem::take(&mut self.due);
        for root in due.drain(..) {
            if let Some(Place::Pending(number)) = self.places.find(root.key) {
                if let (Some(lost), Some(trace)) = (root.lost, self.traces.get_mut(number)) {
                    trace.lose_root(lost);
                }
                self.decide_by_rules(number);
            }
        }
        let lost = self.queue.lost_roots.take().into_iter();
        self.arrived.extend(lost.map(EndedRoot::lost));
        self.due = std::mem::replace(&mut self.arrived, due);
        self.expire();
        if self.is_closed {
            self.decide_rest();
        }
    }

    /// What is kept. All that was decided is counted, and its room is free, if it goes nowhere.
    pub(crate) fn take_kept(&mut self) -> Vec<DrainedList> {
        let buffers = &self.queue.buffers;
        let charge = self.traces.len() * TRACE_BYTES;
        buffers.charge(self.charged, charge);
        self.charged = charge;
        // Before it is counted anywhere else.
        self.keep_ledger.set_undecided(self.pending.spans);
        self.decided.take(buffers, &self.ledger)
    }

    /// Whether the next full drain decides something.
    pub(crate) fn has_due(&self) -> bool {
        !self.due.is_empty()
    }

    /// When the oldest trace has to be decided.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let (_, oldest) = self.traces.oldest()?;
        oldest.since.checked_add(self.rules.bounds.age)
    }

    /// From now on nothing waits. Gives how many traces had to be kept for that.
    pub(crate) fn close(&mut self) -> usize {
        self.is_closed = true;
        self.decide_rest()
    }

    fn absorb_list(&mut self, mut drained: DrainedList) {
        let mut shares = Shares::of(drained.size);
        let mut leaving = drained.items.leave();
        while let Some(key) = leaving.spans().first().map(Key::of) {
            let place = match self.last {
                Some((last, place)) if last == key => place,
                _ => self.find(key),
            };
            match place {
                Place::Pending(number) => self.hold(number, key, &mut leaving, &mut shares),
                Place::Decided(verdict) => self.follow(verdict, key, &mut leaving, &mut shares),
            }
        }
        drop(leaving);
        self.queue.buffers.return_list(drained);
    }

    fn find(&mut self, key: Key) -> Place {
        let place = self.places.find(key).unwrap_or_else(|| {
            let spans = self.spare.pop().unwrap_or_default();
            let trace = PendingTrace::new(key, self.now, spans);
            let number = self.traces.push(trace);
            self.places.set_pending(key, number);
            Place::Pending(number)
        });
        self.last = Some((key, place));
        place
    }

    #[inline]
    fn hold(&mut self, number: u32, key: Key, leaving: &mut LeavingSpans<'_>, shares: &mut Shares) {
        let most = self.rules.bounds.spans;
        let Some(trace) = self.traces.get_mut(number) else {
            // Every pending place leads to a trace. If it did not, nothing would be lost.
            return self.follow(Verdict::Kept(Reason::Undecided), key, leaving, shares);
        };
        let most = most.saturating_sub(trace.spans.len()).max(1);
        let stretch = Stretch::of(leaving.spans(), key, trace.key.root, most);
        if self.rules.has_keys() {
            let attributes = leaving.attributes(stretch.next);
            self.rules.find_keys(attributes, &mut trace.keys);
        }
        let bytes = shares.next_of(stretch.next.spans);
        trace.take(leaving, &stretch, bytes);
        self.pending.spans += stretch.next.spans;
        self.pending.bytes += bytes;
        if stretch.root.is_some() {
            self.arrived.push(EndedRoot::arrived(trace.key));
        }
        let number = match stretch.other_root {
            Some(own) => self.join(number, own),
            None => number,
        };
        self.decide_at_once(number);
    }

    /// What ends after the decision.
    fn follow(
        &mut self,
        verdict: Verdict,
        key: Key,
        leaving: &mut LeavingSpans<'_>,
        shares: &mut Shares,
    ) {
        let stretch = Stretch::of(leaving.spans(), key, key.root, usize::MAX);
        if let Some(own) = stretch.other_root {
            self.decide_alias(key.with_root(own), verdict);
        }
        self.decided
            .add(verdict, &self.rules, leaving, stretch.next, shares);
    }

    /// What took a span for its root follows the decision too.
    #[cold]
    fn decide_alias(&mut self, alias: Key, verdict: Verdict) {
        if let Some(Place::Pending(number)) = self.places.find(alias) {
            self.decide(number, verdict);
        }
        self.places.decide(alias, verdict);
    }

    /// A span of other instrumentation has come, which spans below it may have taken for their root. Gives the
    /// number of the trace that has all of them.
    #[cold]
    fn join(&mut self, number: u32, own: SpanId) -> u32 {
        let Some(key) = self.traces.get(number).map(|trace| trace.key) else {
            return number;
        };
        let other = self.places.set_below(key.with_root(own), key.root);
        self.last = None;
        let Some(other) = other.filter(|other| *other != number) else {
            self.add_alias(number, own);
            return number;
        };
        let is_older = |one: u32, other: u32| {
            let since = |number| self.traces.get(number).map(|trace| trace.since);
            since(one) < since(other)
        };
        // The older one's place, so that nothing waits for longer than it may.
        let (stays, goes) = if is_older(other, number) {
            (other, number)
        } else {
            (number, other)
        };
        if let Some(gone) = self.traces.remove(goes) {
            if let Some(trace) = self.traces.get_mut(stays) {
                trace.key = key;
                let list = trace.absorb(gone);
                self.keep_spare(list);
            }
        }
        self.places.set_pending(key, stays);
        self.add_alias(stays, own);
        stays
    }

    fn add_alias(&mut self, number: u32, own: SpanId) {
        if let Some(trace) = self.traces.get_mut(number) {
            trace.aliases.push(own);
        }
    }

    /// If nothing that may come changes the decision, or the trace is too large.
    #[inline]
    fn decide_at_once(&mut self, number: u32) {
        let Some(trace) = self.traces.get(number) else {
            return;
        };
        if let Some(reason) = self.rules.early_reason(trace) {
            self.decide(number, Verdict::Kept(reason));
        } else if trace.spans.len() >= self.rules.bounds.spans {
            self.decide_early(number);
        }
    }

    /// Decides those that are too old, and the oldest if all together are too many.
    fn expire(&mut self) {
        while let Some((number, oldest)) = self.traces.oldest() {
            let is_old = self.now.saturating_duration_since(oldest.since) >= self.rules.bounds.age;
            let bytes = self.pending.bytes + self.traces.len() * TRACE_BYTES;
            let is_full = self.pending.spans > self.most.spans || bytes > self.most.bytes;
            if !is_old && !is_full {
                return;
            }
            self.decide_early(number);
        }
    }

    fn decide_early(&mut self, number: u32) {
        self.keep_ledger.count_early();
        self.decide_by_rules(number);
    }

    fn decide_by_rules(&mut self, number: u32) {
        let reading = self.decided.reading();
        let Some(trace) = self.traces.get(number) else {
            return;
        };
        let judgement = self.rules.judge(trace, &reading);
        self.keep_ledger.count_panics(judgement.panics);
        self.decide(number, judgement.verdict);
    }

    /// Keeps all that are left. Gives their number.
    fn decide_rest(&mut self) -> usize {
        let mut count = 0;
        while let Some((number, _)) = self.traces.oldest() {
            count += 1;
            self.decide(number, Verdict::Kept(Reason::Undecided));
        }
        self.keep_ledger.count_undecided(count);
        count
    }

    fn decide(&mut self, number: u32, verdict: Verdict) {
        let Some(mut trace) = self.traces.remove(number) else {
            return;
        };
        self.last = None;
        self.pending.spans -= trace.size.spans;
        self.pending.bytes -= trace.size.bytes;
        self.places.decide(trace.key, verdict);
        for alias in &trace.aliases {
            self.places.decide(trace.key.with_root(*alias), verdict);
        }
        if verdict == Verdict::NotKept {
            self.keep_ledger.count_not_kept();
        } else {
            self.keep_ledger.count_kept();
        }
        self.decided.add_trace(verdict, &self.rules, &mut trace);
        self.keep_spare(trace.spans);
    }

    fn keep_spare(&mut self, list: SpanList) {
        if self.spare.len() < MOST_SPARE && list.is_short(MOST_SPARE_SPANS) {
            self.spare.push(list);
        }
    }
}
