//! The spans of traces that are decided, until the end of the worker's turn.

use std::sync::Arc;
use std::time::SystemTime;

use enter_span::native::EndedSpan;
use opentelemetry::{KeyValue, StringValue};

use crate::host::clock::{Clock, Reading};
use crate::keep::outbox::Outbox;
use crate::keep::pending_trace::{PendingTrace, times};
use crate::keep::rules::Rules;
use crate::keep::verdict::{KEPT, Reason, Verdict};
use crate::queue::budget::{Shares, Size};
use crate::queue::buffers::Buffers;
use crate::queue::leaving_spans::{LeavingSpans, Next};
use crate::queue::span_list::SpanList;
use crate::queue::span_order::SpanOrder;
use crate::queue::span_queue::DrainedList;
use crate::stats::counts::{DropCause, Ledger};

pub(super) struct DecidedSpans {
    clock: Arc<Clock>,
    /// Of the clocks, in this turn.
    reading: Option<Reading>,
    kept: Outbox,
    not_kept: Size,
    order: SpanOrder,
}

impl DecidedSpans {
    pub(super) fn new(clock: Arc<Clock>, batch: Size) -> Self {
        DecidedSpans {
            clock,
            reading: None,
            kept: Outbox::new(batch.of_list()),
            not_kept: Size::default(),
            order: SpanOrder::default(),
        }
    }

    pub(super) fn begin_turn(&mut self) {
        self.reading = None;
    }

    /// The clocks are read once in a turn, and only if something is decided.
    pub(super) fn reading(&mut self) -> Reading {
        let clock = &self.clock;
        *self.reading.get_or_insert_with(|| clock.read())
    }

    /// The next spans, which end after the decision.
    pub(super) fn add(
        &mut self,
        verdict: Verdict,
        rules: &Rules,
        leaving: &mut LeavingSpans<'_>,
        next: Next,
        shares: &mut Shares,
    ) {
        let Verdict::Kept(reason) = verdict else {
            self.not_kept.spans += next.spans;
            self.not_kept.bytes += shares.next_of(next.spans);
            leaving.drop_next(next);
            return;
        };
        for _ in 0..next.spans {
            let mut first = leaving.spans().iter().take(1);
            let is_root = first.any(|span| { span.parentage.span_id } == span.root);
            let reason = is_root.then(|| text(reason, rules));
            self.kept.push_next(leaving, shares.next(), reason);
        }
    }

    /// All spans of a trace that have ended before it.
    pub(super) fn add_trace(&mut self, verdict: Verdict, rules: &Rules, trace: &mut PendingTrace) {
        match verdict {
            Verdict::Kept(reason) => self.keep(text(reason, rules), trace),
            Verdict::NotKept => {
                self.not_kept.spans += trace.size.spans;
                self.not_kept.bytes += trace.size.bytes;
                trace.spans.clear();
            }
        }
    }

    /// In the order of their starts.
    fn keep(&mut self, reason: StringValue, trace: &mut PendingTrace) {
        let reading = self.reading();
        let has_told = trace.has_told_start;
        let start = |span: &EndedSpan| {
            if has_told {
                nanos(times(span, &reading).0)
            } else {
                span.start
            }
        };
        let root = trace.key.root;
        let sorted = self.order.sort(&mut trace.spans, start);
        let mut spans = sorted.spans().iter();
        if let Some(root) = spans.position(|span| { span.parentage.span_id } == root) {
            sorted.add_to(root, KeyValue::new(KEPT, reason));
        }
        self.kept.push_all(sorted, trace.size);
    }

    /// What is kept. The rest is counted, and its room is free.
    pub(super) fn take(
        &mut self,
        buffers: &Buffers<SpanList>,
        ledger: &Ledger,
    ) -> Vec<DrainedList> {
        let not_kept = std::mem::take(&mut self.not_kept);
        if not_kept.spans > 0 {
            ledger.count(not_kept.spans, Some(DropCause::NotKept));
        }
        buffers.release(not_kept);
        self.kept.take(buffers)
    }
}

fn text(reason: Reason, rules: &Rules) -> StringValue {
    match reason {
        Reason::Error => "error".into(),
        Reason::Slower => "slower".into(),
        Reason::With(key) => format!("with {}", rules.key(key)).into(),
        Reason::By => "by".into(),
        Reason::Fraction => "fraction".into(),
        Reason::Undecided => "undecided".into(),
    }
}

fn nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or_default().as_nanos() as u64
}
