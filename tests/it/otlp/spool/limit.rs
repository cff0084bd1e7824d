//! A spool has a size and an age.

use std::time::Duration;

use enter_span_pipeline::WhenFull;

use super::{Folder, assert_books, drain, exporting, leave, wait_until};
use crate::pipeline::AGES;
use crate::pipeline::otlp::build;
use crate::support::scripted::{Scripted, taken};

/// As a file counts that is small.
const BLOCK: u64 = 4096;

/// Of a folder with room for five files, the newest are kept, or the oldest: as it was asked. What is lost counts
/// where it was lost.
#[test]
fn a_full_folder_loses_the_oldest() {
    let folder = Folder::new("oldest");
    let spool = folder.spool().with_max_bytes(5 * BLOCK);
    let counts = leave(spool, 0..200);
    assert_eq!((counts.spooled, counts.dropped.total()), (200, 0));
    assert_books(&counts);
    assert_eq!(folder.names().len(), 5);
    assert_eq!(counts.spool.evicted + counts.spool.waiting, 200);
    let receiver = Scripted::answering(vec![taken()]);
    let arrived = drain(&receiver, folder.spool(), counts.spool.waiting);
    assert!(
        arrived.contains(&199) && !arrived.contains(&0),
        "{arrived:?}"
    );
}

#[test]
fn a_full_folder_loses_the_newest_if_that_is_asked() {
    let folder = Folder::new("newest");
    let spool = folder.spool().with_max_bytes(5 * BLOCK);
    let counts = leave(spool.with_when_full(WhenFull::DropNewest), 0..200);
    assert_eq!(counts.spooled + counts.dropped.spool_full, 200);
    assert_books(&counts);
    assert_eq!(folder.names().len(), 5);
    assert_eq!(
        (counts.spool.evicted, counts.spool.waiting),
        (0, counts.spooled)
    );
    let receiver = Scripted::answering(vec![taken()]);
    let arrived = drain(&receiver, folder.spool(), counts.spooled);
    assert!(
        arrived.contains(&0) && !arrived.contains(&199),
        "{arrived:?}"
    );
}

/// Files of all runs are too old at some time, and are not sent then.
#[test]
fn old_files_are_removed() {
    let folder = Folder::new("age");
    let left = leave(folder.spool(), 0..25);
    let receiver = Scripted::answering(vec![taken()]);
    let spool = folder.spool().with_max_age(Duration::ZERO);
    let pipeline = build(exporting(receiver.url(), spool));
    wait_until(&pipeline, |counts| counts.spool.expired == left.spooled);
    pipeline.shutdown(AGES).expect("down in time");
    assert_eq!(receiver.requests().len(), 0);
    assert_eq!(folder.names(), [""; 0]);
}

/// Each way to sync, the extremes included.
#[test]
fn files_are_whole_however_they_are_synced() {
    for (number, interval) in [Duration::ZERO, Duration::from_millis(1), Duration::MAX]
        .into_iter()
        .enumerate()
    {
        let folder = Folder::new(&format!("sync-{number}"));
        let spool = || folder.spool().with_sync_interval(interval);
        assert_eq!(leave(spool(), 0..25).spooled, 25);
        let receiver = Scripted::answering(vec![taken()]);
        let arrived = drain(&receiver, spool(), 25);
        assert_eq!(arrived, (0..25).collect::<Vec<_>>());
    }
}
