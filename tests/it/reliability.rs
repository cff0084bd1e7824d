//! Many spans from four threads through an exporter that fails at random.

use crate::pipeline::assert_all_accounted;

#[path = "../../pipeline/examples/reliability/run.rs"]
mod run;

/// All is accounted for at each flush, ids are unique, and each parent was exported or counted.
#[test]
fn everything_is_accounted_for_under_load() {
    let end = run::run(100_000, 5, 7, assert_all_accounted);
    assert!(end.counts.recorded >= 100_000);
    assert_eq!(end.taken, end.counts.exported);
    assert_eq!((end.doubles, end.lost_parents), (0, 0));
}
