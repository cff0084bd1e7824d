//! The hand-over under every order of events that loom can find: nothing is lost, nothing comes twice,
//! and the limits hold. `scripts/model.sh` runs it.
#![expect(clippy::expect_used, reason = "these are tests")]

use std::sync::Arc;

use loom::thread;

use crate::budget::Room;
use crate::store::{Buffer, Pushed, Store};

type Items = Store<Vec<u32>>;

fn store(spans: usize) -> Arc<Items> {
    let bytes = 10 * spans;
    // Lists of one item: the second one begins another.
    let batch = Room { spans: 1, bytes };
    Arc::new(Store::new(Room { spans, bytes }, batch, 1))
}

fn push(store: &Items, buffer: &Buffer<Vec<u32>>, item: u32, bytes: usize) -> Pushed {
    store.push(buffer, bytes, |items| items.push(item))
}

/// All orders with up to two preemptions, which is what faults of this kind need.
fn check(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(model);
}

/// A thread that pushes these, and leaves.
fn pushes(store: &Arc<Items>, items: &'static [u32]) -> thread::JoinHandle<()> {
    let (store, buffer) = (Arc::clone(store), store.join());
    thread::spawn(move || {
        push_all(&store, &buffer, items);
        store.leave(&buffer);
    })
}

fn join(threads: [thread::JoinHandle<()>; 2]) {
    for thread in threads {
        thread.join().expect("a thread that ends");
    }
}

fn push_all(store: &Items, buffer: &Buffer<Vec<u32>>, items: &[u32]) {
    for item in items {
        push(store, buffer, *item, 5);
    }
}

/// The worker's part. What it takes is released at once, and goes back for its next use.
fn drain(store: &Items, most: usize, taken: &mut Vec<u32>) {
    let all = store.drain();
    let spans: usize = all.iter().map(|drained| drained.items.len()).sum();
    assert!(spans <= most, "{spans} of {most}");
    for mut drained in all {
        assert_eq!(drained.size.spans, drained.items.len());
        taken.append(&mut drained.items);
        let size = drained.size;
        store.give_back(drained);
        store.release(size);
    }
}

/// Each item was taken once, or refused and counted; and all room is free again.
fn assert_accounted(store: &Items, pushed: u64, mut taken: Vec<u32>) {
    let tally = store.tally();
    assert_eq!(tally.accepted, taken.len() as u64);
    assert_eq!(tally.accepted + tally.full + tally.closed, pushed);
    taken.sort_unstable();
    let all = taken.len();
    taken.dedup();
    assert_eq!(taken.len(), all);
    assert_eq!(store.used(), Room::default());
}

#[test]
fn what_is_pushed_while_the_worker_drains_is_taken_once() {
    check(|| {
        let store = store(4);
        let threads = [pushes(&store, &[1, 2]), pushes(&store, &[3])];
        let mut taken = Vec::new();
        drain(&store, 4, &mut taken);
        join(threads);
        drain(&store, 4, &mut taken);
        assert_eq!(store.tally().full, 0);
        assert_accounted(&store, 3, taken);
    });
}

#[test]
fn what_is_pushed_while_it_closes_is_taken_or_counted() {
    check(|| {
        let store = store(4);
        let threads = [pushes(&store, &[1, 2]), pushes(&store, &[3])];
        store.close();
        let mut taken = Vec::new();
        drain(&store, 4, &mut taken);
        join(threads);
        // Nobody drains after the last time.
        assert_accounted(&store, 3, taken);
    });
}

#[test]
fn a_full_queue_takes_what_its_limit_says() {
    check(|| {
        let store = store(2);
        let threads = [pushes(&store, &[1, 2]), pushes(&store, &[3, 4])];
        join(threads);
        let mut taken = Vec::new();
        drain(&store, 2, &mut taken);
        assert_eq!(taken.len(), 2);
        assert_accounted(&store, 4, taken);
    });
}

#[test]
fn a_portion_that_another_thread_has_not_used_is_reclaimed() {
    check(|| {
        // Portions are of two items here: the first thread holds one that it does not use.
        let store = Arc::new(Items::new(
            Room {
                spans: 64,
                bytes: 640,
            },
            Room {
                spans: 1,
                bytes: 640,
            },
            1,
        ));
        let hoards = store.join();
        push(&store, &hoards, 0, 625);
        push_all(&store, &hoards, &[0]);
        join([pushes(&store, &[1]), pushes(&store, &[2])]);
        assert_eq!((store.tally().accepted, store.tally().full), (4, 0));
        store.leave(&hoards);
    });
}

#[test]
fn lists_go_round_while_their_thread_pushes() {
    check(|| {
        let store = store(4);
        let buffer = store.join();
        push(&store, &buffer, 1, 5);
        let thread = {
            let (store, buffer) = (Arc::clone(&store), Arc::clone(&buffer));
            thread::spawn(move || {
                push_all(&store, &buffer, &[2, 3]);
                store.leave(&buffer);
            })
        };
        let mut taken = Vec::new();
        drain(&store, 4, &mut taken);
        thread.join().expect("a thread that ends");
        drain(&store, 4, &mut taken);
        // What came before stays before.
        assert!(taken.is_sorted());
        assert_accounted(&store, 3, taken);
    });
}
