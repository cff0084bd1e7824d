//! Many spans from four threads through an exporter that fails at random.

use crate::pipeline::assert_all_accounted;
use crate::support::child::is_child;

use run::{Plan, Way};

#[path = "../../../pipeline/examples/reliability/run.rs"]
mod run;
#[path = "../../../pipeline/examples/reliability/work.rs"]
mod work;

#[track_caller]
fn check(way: Way, queue_spans: usize) -> u64 {
    let plan = Plan {
        way,
        spans: 100_000,
        rounds: 5,
        queue_spans,
        seed: 7,
    };
    let end = run::run(plan, assert_all_accounted);
    assert!(end.made >= 100_000 && end.is_right(), "{end:?}");
    end.unseen
}

/// At each flush all is accounted for; in the end each span was exported, refused by the exporter, or
/// counted as dropped before it, and so was each parent.
#[test]
fn everything_is_accounted_for_under_load() {
    check(Way::Provider, 4_096);
}

/// The same for spans that start on one thread and end on another, and for leaves; where there is
/// room, the exporter sees all of them.
#[test]
fn an_installed_pipeline_accounts_for_everything_under_load() {
    if !is_child("pipeline::reliability::an_installed_pipeline_accounts_for_everything_under_load")
    {
        return;
    }
    check(Way::Installed, 4_096);
    assert_eq!(check(Way::Installed, 1_000_000), 0);
}
