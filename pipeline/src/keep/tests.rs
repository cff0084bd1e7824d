//! What no test from outside can bring about: the order in which buffers are drained.

use std::sync::Arc;
use std::time::{Duration, Instant};

use enter_span::native::{EndedSpan, Parentage, SpanSource, StatusCode};
use opentelemetry::trace::{SpanId, TraceFlags, TraceId};
use opentelemetry::{InstrumentationScope, KeyValue, Value};

use crate::host::clock::Clock;
use crate::keep::verdict::KEPT;
use crate::keep::{Keep, Keeper, KeeperConfig};
use crate::queue::budget::Size;
use crate::queue::limit::Limits;
use crate::queue::span_list::SpanList;
use crate::queue::span_queue::{DrainedList, ListHome, SpanQueue};
use crate::stats::counts::Ledger;
use crate::stats::keep_counts::KeepLedger;

struct Rig {
    keeper: Keeper,
    queue: Arc<SpanQueue>,
    ledger: Arc<Ledger>,
    keep_ledger: Arc<KeepLedger>,
    home: ListHome,
}

fn rig(keep: Keep) -> Rig {
    let (ledger, keep_ledger) = (Arc::<Ledger>::default(), Arc::<KeepLedger>::default());
    let limits = Limits::default();
    let queue = SpanQueue::new(limits, |_| {});
    let keeper = Keeper::new(KeeperConfig {
        keep,
        limits,
        clock: Arc::new(Clock::new()),
        queue: Arc::clone(&queue),
        ledger: Arc::clone(&ledger),
        keep_ledger: Arc::clone(&keep_ledger),
    });
    Rig {
        keeper,
        queue,
        ledger,
        keep_ledger,
        home: ListHome::default(),
    }
}

/// Its id, its root, and when it starts.
fn span(id: u64, root: u64, start: u64) -> EndedSpan {
    EndedSpan {
        parentage: Parentage {
            trace_id: TraceId::from(1_u128),
            span_id: SpanId::from(id),
            flags: TraceFlags::SAMPLED,
            parent: SpanId::from(root),
            parent_is_remote: false,
        },
        root: SpanId::from(root),
        start,
        end: start + 1,
        ..EndedSpan::default()
    }
}

fn failed(span: EndedSpan) -> EndedSpan {
    EndedSpan {
        status: StatusCode::Error,
        ..span
    }
}

/// Of other instrumentation.
fn foreign(span: EndedSpan) -> EndedSpan {
    let scope = InstrumentationScope::builder("other").build();
    EndedSpan {
        source: SpanSource::Scope(Arc::new(scope)),
        ..span
    }
}

impl Rig {
    /// One full drain that finds these.
    fn drain<const N: usize>(&mut self, spans: [EndedSpan; N]) {
        let mut list = SpanList::default();
        for mut span in spans {
            let id = i64::from_be_bytes({ span.parentage.span_id }.to_bytes());
            let count = attributes_of(id);
            list.push(&mut span, &mut vec![KeyValue::new("id", id); count]);
        }
        let size = Size {
            spans: N,
            bytes: 100 * N + 7,
        };
        self.keeper.absorb(vec![self.home.list(list, size)]);
    }

    /// The ids of what is kept now, with the sum of their bytes.
    fn kept(&mut self) -> (Vec<i64>, usize) {
        let lists = self.keeper.take_kept();
        let bytes = lists.iter().map(|list| list.size.bytes).sum();
        (lists.iter().flat_map(ids).collect(), bytes)
    }
}

/// How many attributes the span with this id has: spans of one trace differ in it.
fn attributes_of(id: i64) -> usize {
    (id % 4) as usize
}

/// Of spans whose attributes have to be their own, and all of these.
fn ids(list: &DrainedList) -> Vec<i64> {
    let records = list.items.records(0..list.items.len());
    let id = |(span, attributes): (&EndedSpan, &[KeyValue])| {
        let id = i64::from_be_bytes({ span.parentage.span_id }.to_bytes());
        let (own, added) = attributes.split_at(attributes_of(id));
        assert!(own.iter().all(|one| one.value == Value::I64(id)));
        assert!(added.iter().all(|one| one.key.as_str() == KEPT));
        assert!(added.len() <= 1);
        id
    };
    records.map(id).collect()
}

/// The ids of spans that say why their trace is kept.
fn reasons(lists: &[DrainedList]) -> Vec<i64> {
    let records = lists
        .iter()
        .flat_map(|list| list.items.records(0..list.items.len()));
    let kept =
        records.filter(|(_, attributes)| attributes.iter().any(|one| one.key.as_str() == KEPT));
    kept.map(|(span, _)| i64::from_be_bytes({ span.parentage.span_id }.to_bytes()))
        .collect()
}

/// Whatever the order of their ends is.
#[test]
fn what_is_kept_is_in_the_order_of_starts() {
    let span = |id| span(id, 1, 10 * id);
    let orders = [
        // As they are; children one after the other; below each other; a child that outlives its parent.
        [span(1), span(2), span(3), span(4), span(5)],
        [span(2), span(3), span(4), span(5), span(1)],
        [span(5), span(4), span(3), span(2), span(1)],
        [span(3), span(2), span(1), span(5), span(4)],
    ];
    for order in orders {
        let mut rig = rig(Keep::all());
        rig.drain(order);
        rig.drain([]);
        let lists = rig.keeper.take_kept();
        let all: Vec<i64> = lists.iter().flat_map(ids).collect();
        assert_eq!((all, reasons(&lists)), (vec![1, 2, 3, 4, 5], vec![1]));
    }
}

/// Spans of two traces by turns, as of two tasks on one thread.
#[test]
fn each_span_goes_to_its_own_trace() {
    let mut rig = rig(Keep::errors());
    let (a, b) = (|id| span(id, 1, id), |id| span(id, 11, id));
    rig.drain([a(3), b(13), a(2), failed(b(12)), b(14), a(1), b(11)]);
    rig.drain([a(4), b(15)]);
    let (mut kept, bytes) = rig.kept();
    kept.sort_unstable();
    assert_eq!((kept, bytes), (vec![11, 12, 13, 14, 15], 507));
    assert_eq!(rig.ledger.not_kept(), 4);
}

#[test]
fn a_trace_that_is_longer_than_a_list_keeps_its_order() {
    const SPANS: usize = 1500;
    let mut rig = rig(Keep::all());
    rig.drain::<SPANS>(std::array::from_fn(|index| {
        let id = (SPANS - index) as u64;
        span(id, 1, id)
    }));
    rig.drain([]);
    let (ids, bytes) = rig.kept();
    assert!(ids.into_iter().eq(1..=SPANS as i64));
    assert_eq!(bytes, 100 * SPANS + 7);
}

/// What a span holds is dropped once, with the list that has it in the end.
#[test]
fn what_spans_hold_lives_as_long_as_they_do() {
    let scope = Arc::new(InstrumentationScope::builder("other").build());
    let of = |id, start| EndedSpan {
        source: SpanSource::Scope(Arc::clone(&scope)),
        ..span(id, 1, start)
    };
    for keep in [Keep::all(), Keep::none()] {
        let mut rig = rig(keep);
        rig.drain([of(3, 30), of(2, 20), of(4, 40), of(1, 10)]);
        assert_eq!(Arc::strong_count(&scope), 5);
        rig.drain([of(5, 50)]);
        let lists = rig.keeper.take_kept();
        let kept: usize = lists.iter().map(|list| list.items.len()).sum();
        assert_eq!(Arc::strong_count(&scope), 1 + kept);
        drop(lists);
        assert_eq!(Arc::strong_count(&scope), 1);
    }
}

/// The drain that has the root may have missed a child that ended before it on another thread.
#[test]
fn a_child_that_comes_with_the_next_drain_is_decided_on() {
    let mut rig = rig(Keep::errors().for_scope("none", Keep::none()));
    rig.drain([span(2, 1, 20), span(1, 1, 10)]);
    assert_eq!(rig.kept(), (vec![], 0));
    assert!(rig.keeper.has_due());
    assert_eq!(rig.keep_ledger.undecided(), 2);
    rig.drain([failed(span(3, 1, 15))]);
    // In the order of their starts, with all of their bytes.
    assert_eq!(rig.kept(), (vec![1, 3, 2], 207 + 107));
    assert_eq!((rig.keep_ledger.undecided(), rig.ledger.not_kept()), (0, 0));
}

/// After that drain the decision has fallen.
#[test]
fn a_child_that_comes_later_changes_nothing() {
    let mut rig = rig(Keep::errors());
    rig.drain([span(1, 1, 10)]);
    rig.drain([]);
    rig.drain([failed(span(2, 1, 20))]);
    assert_eq!(rig.kept(), (vec![], 0));
    assert_eq!(rig.ledger.not_kept(), 2);
    assert!(rig.keeper.deadline().is_none());
}

/// A span was taken for the root, and comes before, after and between the spans that took it for that.
#[test]
fn what_took_another_span_for_its_root_joins_it() {
    let middle = || foreign(span(2, 1, 20));
    let below = || failed(span(3, 2, 30));
    let root = || span(1, 1, 10);
    let orders = [
        [middle(), below(), root()],
        [below(), middle(), root()],
        [below(), root(), middle()],
        [root(), below(), middle()],
        [root(), middle(), below()],
        [middle(), root(), below()],
    ];
    for order in orders {
        // Nothing goes before its decision.
        let mut rig = rig(Keep::errors().for_scope("none", Keep::none()));
        rig.drain(order);
        rig.drain([]);
        assert_eq!(rig.kept().0, [1, 2, 3]);
        assert_eq!(rig.keep_ledger.counts().kept, 1);
    }
}

/// The same where the decision has fallen when it comes.
#[test]
fn what_took_another_span_for_its_root_follows_its_decision() {
    let mut rig = rig(Keep::none());
    rig.drain([span(3, 2, 30), span(1, 1, 10)]);
    rig.drain([]);
    assert_eq!(rig.ledger.not_kept(), 0);
    rig.kept();
    assert_eq!((rig.keep_ledger.undecided(), rig.ledger.not_kept()), (1, 1));
    rig.drain([foreign(span(2, 1, 20)), span(4, 2, 40)]);
    rig.kept();
    assert_eq!((rig.keep_ledger.undecided(), rig.ledger.not_kept()), (0, 4));
    assert!(
        rig.keeper
            .deadline()
            .is_none_or(|deadline| deadline < Instant::now())
    );
}

/// A root that found no room may be known before what ended below it is drained. Its error counts all the same.
#[test]
fn a_lost_root_is_over_also_before_its_children_come() {
    for is_failed in [false, true] {
        let mut rig = rig(Keep::errors());
        let root = span(1, 1, 0);
        rig.queue.lose(&if is_failed { failed(root) } else { root });
        rig.drain([]);
        rig.drain([span(2, 1, 1)]);
        let kept: &[i64] = if is_failed { &[2] } else { &[] };
        assert_eq!(rig.kept().0, kept);
        assert!(!rig.keeper.has_due());
    }
}

/// A lost root whose children came before is not measured by the time that has passed since.
#[test]
fn a_lost_root_is_as_long_as_what_is_below_it() {
    let mut rig = rig(Keep::slower_than(Duration::ZERO));
    let below = |id| EndedSpan {
        // At one moment.
        start: 1,
        end: 1,
        ..span(id, 1, 1)
    };
    rig.drain([below(2)]);
    rig.queue.lose(&span(1, 1, 1));
    rig.drain([below(3)]);
    rig.drain([]);
    assert_eq!(rig.kept().0, [0; 0]);
}
