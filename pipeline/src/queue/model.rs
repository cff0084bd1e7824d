//! The hand-over under every order of events that loom can find: nothing is lost, nothing comes twice,
//! and the limits hold. `scripts/model.sh` runs it.
#![expect(clippy::expect_used, reason = "these are tests")]

use std::sync::Arc;

use loom::thread;

use crate::queue::budget::Room;
use crate::queue::buffers::{Buffer, Pushed, Store};

type Items = Store<Vec<u32>>;

fn store(spans: usize) -> Arc<Items> {
    let bytes = 10 * spans;
    // Lists of one item: the second one begins another.
    let batch = Room { spans: 1, bytes };
    Arc::new(Store::new(Room { spans, bytes }, batch, 1))
}

/// A buffer that was given room for two items, and has used one half; beside it there is room for one.
fn hoarded() -> (Arc<Items>, Arc<Buffer<Vec<u32>>>) {
    let store = store(64);
    let hoards = store.join();
    push(&store, &hoards, 0, 625);
    push(&store, &hoards, 1, 5);
    (store, hoards)
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
    pushes_into(store, &store.join(), items)
}

fn pushes_into(
    store: &Arc<Items>,
    buffer: &Arc<Buffer<Vec<u32>>>,
    items: &'static [u32],
) -> thread::JoinHandle<()> {
    let (store, buffer) = (Arc::clone(store), Arc::clone(buffer));
    thread::spawn(move || {
        for item in items {
            push(&store, &buffer, *item, 5);
        }
        store.leave(&buffer);
    })
}

fn join<const THREADS: usize>(threads: [thread::JoinHandle<()>; THREADS]) {
    for thread in threads {
        thread.join().expect("a thread that ends");
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
        let threads = [pushes(&store, &[1]), pushes(&store, &[2])];
        let mut taken = Vec::new();
        drain(&store, 4, &mut taken);
        join(threads);
        drain(&store, 4, &mut taken);
        assert_eq!(store.tally().full, 0);
        assert_accounted(&store, 2, taken);
    });
}

#[test]
fn what_is_pushed_while_it_closes_is_taken_or_counted() {
    check(|| {
        let store = store(4);
        let threads = [pushes(&store, &[1, 2])];
        store.close();
        let mut taken = Vec::new();
        drain(&store, 4, &mut taken);
        join(threads);
        // Nobody drains after the last time.
        assert_accounted(&store, 2, taken);
    });
}

#[test]
fn what_one_thread_pushes_stays_in_order_while_it_closes() {
    check(|| {
        let store = store(4);
        let threads = [pushes(&store, &[1, 2, 3])];
        let mut taken = Vec::new();
        drain(&store, 4, &mut taken);
        store.close();
        drain(&store, 4, &mut taken);
        join(threads);
        // What was refused came after what was taken.
        assert!([1, 2, 3].starts_with(&taken), "{taken:?}");
        assert_accounted(&store, 3, taken);
    });
}

#[test]
fn a_thread_that_comes_while_it_closes_is_served_or_refused() {
    check(|| {
        let store = store(4);
        let thread = {
            let store = Arc::clone(&store);
            thread::spawn(move || {
                let buffer = store.join();
                push(&store, &buffer, 1, 5);
                store.leave(&buffer);
            })
        };
        store.close();
        let mut taken = Vec::new();
        drain(&store, 4, &mut taken);
        join([thread]);
        assert_accounted(&store, 1, taken);
    });
}

#[test]
fn a_full_queue_takes_what_its_limit_says() {
    check(|| {
        let store = store(2);
        join([pushes(&store, &[1, 2]), pushes(&store, &[3])]);
        let mut taken = Vec::new();
        drain(&store, 2, &mut taken);
        assert_eq!(taken.len(), 2);
        assert_accounted(&store, 3, taken);
    });
}

/// The worker makes room while threads find none.
#[test]
fn a_full_queue_keeps_its_limit_while_the_worker_drains() {
    check(|| {
        let store = store(1);
        let threads = [pushes(&store, &[1, 2])];
        let mut taken = Vec::new();
        drain(&store, 1, &mut taken);
        join(threads);
        drain(&store, 1, &mut taken);
        assert_accounted(&store, 2, taken);
    });
}

#[test]
fn a_portion_that_another_thread_has_not_used_is_reclaimed() {
    check(|| {
        let (store, hoards) = hoarded();
        join([pushes(&store, &[2]), pushes(&store, &[3])]);
        assert_eq!((store.tally().accepted, store.tally().full), (4, 0));
        store.leave(&hoards);
        let mut taken = Vec::new();
        drain(&store, 4, &mut taken);
        assert_accounted(&store, 4, taken);
    });
}

/// Without that another thread has to ask for it.
#[test]
fn what_a_thread_was_given_and_does_not_use_goes_back() {
    check(|| {
        let used = |spans, bytes| Room { spans, bytes };
        let (store, hoards) = hoarded();
        assert_eq!(store.used(), used(2, 635));
        store.leave(&hoards);
        assert_eq!(store.used(), used(2, 630));
        let (store, _hoards) = hoarded();
        drain(&store, 2, &mut Vec::new());
        assert_eq!(store.used(), used(0, 0));
    });
}

#[test]
fn a_portion_is_used_or_reclaimed_and_not_both() {
    check(|| {
        let (store, hoards) = hoarded();
        let threads = [pushes_into(&store, &hoards, &[2]), pushes(&store, &[3, 4])];
        join(threads);
        // Room for three.
        assert!((2..=4).contains(&store.tally().accepted));
        let mut taken = Vec::new();
        drain(&store, 4, &mut taken);
        assert_accounted(&store, 5, taken);
    });
}

#[test]
fn lists_go_round_while_their_thread_pushes() {
    check(|| {
        let store = store(4);
        let buffer = store.join();
        push(&store, &buffer, 1, 5);
        let threads = [pushes_into(&store, &buffer, &[2, 3])];
        let mut taken = Vec::new();
        drain(&store, 4, &mut taken);
        join(threads);
        drain(&store, 4, &mut taken);
        // What came before stays before.
        assert_eq!(taken, [1, 2, 3]);
        assert_accounted(&store, 3, taken);
    });
}

/// The worker goes to sleep while a thread pushes: it has seen the item, or is called.
#[test]
fn a_worker_that_falls_asleep_is_called() {
    check(|| {
        let bytes = 640;
        let most = Room { spans: 64, bytes };
        // Due neither as a batch nor as half of all.
        let store = Arc::new(Items::new(most, most, usize::MAX));
        let threads = [(1, store.join()), (2, store.join())].map(|(item, buffer)| {
            let store = Arc::clone(&store);
            thread::spawn(move || {
                let pushed = push(&store, &buffer, item, 1);
                store.leave(&buffer);
                pushed.call
            })
        });
        let is_asleep = store.fall_asleep();
        let calls = threads.map(|thread| thread.join().expect("a thread that ends"));
        let called = calls.iter().filter(|call| call.is_some()).count();
        // By one thread, who is enough.
        assert!(called <= 1, "{calls:?}");
        assert!(!is_asleep || called == 1, "{calls:?}");
        let mut taken = Vec::new();
        drain(&store, 64, &mut taken);
        assert_accounted(&store, 2, taken);
    });
}

/// Also while a buffer moves from those that live to the sum of those that are gone.
#[test]
fn who_counts_meanwhile_finds_each_item_once() {
    check(|| {
        let store = store(4);
        let buffer = store.join();
        push(&store, &buffer, 1, 5);
        let threads = [pushes_into(&store, &buffer, &[2]), {
            let store = Arc::clone(&store);
            thread::spawn(move || {
                let counted = store.tally().accepted;
                assert!((1..=2).contains(&counted), "{counted}");
            })
        }];
        let mut taken = Vec::new();
        drain(&store, 4, &mut taken);
        join(threads);
        drain(&store, 4, &mut taken);
        assert_accounted(&store, 2, taken);
    });
}
