//! What is measured: the scenarios, and the work of each in a library's own words.

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;

use enter_span_benches::{Yield, drive};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    Off,
    NotSampled,
    Tree100,
    Tree1,
    Leaf,
    Attributes5,
    Result,
    AsyncReady,
    Async10Yields,
    Threads4,
}

/// The threads of [`Scenario::Threads4`].
pub(crate) const THREADS: u64 = 4;

/// The spans of a tree: a root, and all others side by side below it.
pub(crate) const TREE: u64 = 100;

const CHILDREN: u64 = TREE - 1;

const YIELDS: u32 = 10;

impl Scenario {
    /// `off` is the first: what is installed stays installed.
    pub(crate) const ALL: [Scenario; 10] = [
        Scenario::Off,
        Scenario::NotSampled,
        Scenario::Tree100,
        Scenario::Tree1,
        Scenario::Leaf,
        Scenario::Attributes5,
        Scenario::Result,
        Scenario::AsyncReady,
        Scenario::Async10Yields,
        Scenario::Threads4,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Scenario::Off => "off",
            Scenario::NotSampled => "not_sampled",
            Scenario::Tree100 => "tree_100",
            Scenario::Tree1 => "tree_1",
            Scenario::Leaf => "leaf",
            Scenario::Attributes5 => "attributes_5",
            Scenario::Result => "result",
            Scenario::AsyncReady => "async_ready",
            Scenario::Async10Yields => "async_10_yields",
            Scenario::Threads4 => "threads_4",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Scenario::ALL
            .into_iter()
            .find(|scenario| scenario.name() == name)
    }

    /// Spans in a round: whole trees, and so few that no queue is full. That of fastrace has 10,240
    /// places for each thread, and what is over stays behind until the next span. A root takes four of
    /// them, an async span takes one and another one for each poll.
    pub(crate) fn spans(self) -> u64 {
        match self {
            Scenario::Off => 200_000,
            Scenario::NotSampled | Scenario::Threads4 => 20_000,
            Scenario::Tree1 => 2_000,
            Scenario::AsyncReady => 4_000,
            Scenario::Async10Yields => 800,
            _ => 8_000,
        }
    }

    /// Whether its spans arrive at the exporter.
    pub(crate) fn is_recorded(self) -> bool {
        !matches!(self, Scenario::Off | Scenario::NotSampled)
    }
}

/// How a library says it. Every function does [`body`], in a span with the attribute `id`.
pub(crate) trait Spans {
    fn root(id: u64, children: impl FnOnce());

    fn child(id: u64) -> u64;

    /// A span that is never current, where there is such a thing.
    fn leaf(id: u64) -> u64;

    fn attributes_5(facts: Facts<'_>) -> u64;

    /// An error is told: the status, and its text.
    fn result(id: u64) -> Result<u64, Refused>;

    fn ready(id: u64) -> impl Future<Output = u64>;

    fn yields(id: u64) -> impl Future<Output = u64>;

    /// Below a root that was sampled out.
    fn not_sampled(children: impl FnOnce());
}

/// The five attributes: an integer, a bool, a float, a static text and a borrowed one.
#[derive(Clone, Copy)]
pub(crate) struct Facts<'a> {
    pub(crate) id: u64,
    pub(crate) is_retry: bool,
    pub(crate) ratio: f64,
    pub(crate) route: &'static str,
    pub(crate) tenant: &'a str,
}

#[derive(Debug)]
pub(crate) struct Refused;

impl std::fmt::Display for Refused {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the payment was refused")
    }
}

impl std::error::Error for Refused {}

pub(crate) fn body(id: u64) -> u64 {
    black_box(id).wrapping_add(1)
}

/// One of the 99 is an error.
pub(crate) fn failing_body(id: u64) -> Result<u64, Refused> {
    match body(id) {
        CHILDREN => Err(Refused),
        value => Ok(value),
    }
}

pub(crate) async fn yielding_body(id: u64) -> u64 {
    for _ in 0..YIELDS {
        black_box(id);
        Yield::default().await;
    }
    body(id)
}

/// Makes so many spans.
pub(crate) type Work = fn(u64);

pub(crate) fn work<S: Spans>(scenario: Scenario) -> Work {
    match scenario {
        Scenario::Off => calls::<S>,
        Scenario::NotSampled => |spans| S::not_sampled(|| calls::<S>(spans)),
        Scenario::Tree1 => lone_roots::<S>,
        Scenario::Tree100 | Scenario::Threads4 => |spans| trees::<S, _>(spans, S::child),
        Scenario::Leaf => |spans| trees::<S, _>(spans, S::leaf),
        Scenario::Attributes5 => |spans| trees::<S, _>(spans, |id| S::attributes_5(facts(id))),
        Scenario::Result => |spans| trees::<S, _>(spans, S::result),
        Scenario::AsyncReady => |spans| trees::<S, _>(spans, |id| drive(pin!(S::ready(id)))),
        Scenario::Async10Yields => |spans| trees::<S, _>(spans, |id| drive(pin!(S::yields(id)))),
    }
}

fn lone_roots<S: Spans>(spans: u64) {
    for id in 0..spans {
        S::root(id, || {
            black_box(body(id));
        });
    }
}

fn calls<S: Spans>(spans: u64) {
    for id in 0..spans {
        black_box(S::child(id));
    }
}

fn trees<S: Spans, R>(spans: u64, child: impl Fn(u64) -> R) {
    for tree in 0..spans / TREE {
        S::root(tree, || {
            for id in 0..CHILDREN {
                black_box(child(id));
            }
        });
    }
}

fn facts(id: u64) -> Facts<'static> {
    Facts {
        id,
        is_retry: black_box(false),
        ratio: black_box(0.25),
        route: "/orders/{id}",
        tenant: black_box("acme"),
    }
}
