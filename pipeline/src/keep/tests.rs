//! What no test from outside can bring about: the order in which buffers are drained.
#![expect(clippy::expect_used, reason = "these are tests")]

use std::sync::Arc;
use std::time::Instant;

use enter_span::native::{EndedSpan, Parentage, SpanSource, StatusCode};
use opentelemetry::trace::{SpanId, TraceFlags, TraceId};
use opentelemetry::{InstrumentationScope, KeyValue, Value};

use crate::host::clock::Clock;
use crate::keep::{Keep, Keeper, KeeperConfig};
use crate::queue::budget::Size;
use crate::queue::limit::Limits;
use crate::queue::span_list::SpanList;
use crate::queue::span_queue::{DrainedList, ListHome, SpanQueue};
use crate::stats::counts::Ledger;
use crate::stats::keep_counts::KeepLedger;

struct Rig {
    keeper: Keeper,
    ledger: Arc<Ledger>,
    keep_ledger: Arc<KeepLedger>,
    home: ListHome,
}

fn rig(keep: Keep) -> Rig {
    let (ledger, keep_ledger) = (Arc::<Ledger>::default(), Arc::<KeepLedger>::default());
    let limits = Limits::default();
    let keeper = Keeper::new(KeeperConfig {
        keep,
        limits,
        clock: Arc::new(Clock::new()),
        queue: SpanQueue::new(limits, |_| {}),
        ledger: Arc::clone(&ledger),
        keep_ledger: Arc::clone(&keep_ledger),
    });
    Rig {
        keeper,
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
            list.push(&mut span, &mut vec![KeyValue::new("id", id)]);
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

/// By the attributes, which have to be those of their spans.
fn ids(list: &DrainedList) -> Vec<i64> {
    let records = list.items.records(0..list.items.len());
    let id = |(span, attributes): (&EndedSpan, &[KeyValue])| {
        let id = i64::from_be_bytes({ span.parentage.span_id }.to_bytes());
        assert_eq!(
            attributes.first().map(|one| &one.value),
            Some(&Value::I64(id))
        );
        id
    };
    records.map(id).collect()
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
