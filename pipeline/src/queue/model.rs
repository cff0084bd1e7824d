//! The buffers under every order of events that loom can find: nothing is lost, nothing comes twice,
//! and the limits hold. `scripts/model.sh` runs it.
#![expect(clippy::expect_used, reason = "these are tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use loom::thread;

use crate::queue::budget::Size;
use crate::queue::buffers::Buffers;
use crate::queue::push_result::PushResult;
use crate::queue::thread_buffer::BufferOwner;

type Items = Buffers<Vec<u32>>;
type Owner = BufferOwner<Vec<u32>>;

fn buffers(spans: usize) -> Arc<Items> {
    let bytes = 10 * spans;
    // Lists of one item: the second one begins another.
    let batch = Size { spans: 1, bytes };
    Arc::new(Buffers::new(Size { spans, bytes }, batch, 1))
}

/// A buffer that was given room for two items, and has used one half; beside it there is room for one.
fn hoarded() -> (Arc<Items>, Owner) {
    let buffers = buffers(64);
    let hoard = buffers.join();
    push(&buffers, &hoard, 0, 625);
    push(&buffers, &hoard, 1, 5);
    (buffers, hoard)
}

fn push(buffers: &Items, buffer: &Owner, item: u32, bytes: usize) -> PushResult {
    buffers.push(buffer, bytes, |items| items.push(item))
}

/// All orders with up to two preemptions, which is what faults of this kind need.
fn check(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(model);
}

/// A thread that pushes these, and leaves.
fn pushes(buffers: &Arc<Items>, items: &'static [u32]) -> thread::JoinHandle<()> {
    pushes_into(buffers, buffers.join(), items)
}

fn pushes_into(
    buffers: &Arc<Items>,
    buffer: Owner,
    items: &'static [u32],
) -> thread::JoinHandle<()> {
    let buffers = Arc::clone(buffers);
    thread::spawn(move || {
        for item in items {
            push(&buffers, &buffer, *item, 5);
        }
        buffers.leave(&buffer);
    })
}

fn join<const THREADS: usize>(threads: [thread::JoinHandle<()>; THREADS]) {
    for thread in threads {
        thread.join().expect("a thread that ends");
    }
}

/// The worker's part. What it takes is released immediately, and goes back for its next use.
fn drain(buffers: &Items, most: usize, taken: &mut Vec<u32>) {
    let all = buffers.drain();
    let spans: usize = all.iter().map(|drained| drained.items.len()).sum();
    assert!(spans <= most, "{spans} of {most}");
    for mut drained in all {
        assert_eq!(drained.size.spans, drained.items.len());
        taken.append(&mut drained.items);
        let size = drained.size;
        buffers.return_list(drained);
        buffers.release(size);
    }
}

/// Each item was taken once, or refused and counted; and all room is free again.
fn assert_accounted(buffers: &Items, pushed: u64, mut taken: Vec<u32>) {
    let counts = buffers.counts();
    assert_eq!(counts.accepted, taken.len() as u64);
    assert_eq!(counts.accepted + counts.full + counts.closed, pushed);
    taken.sort_unstable();
    let all = taken.len();
    taken.dedup();
    assert_eq!(taken.len(), all);
    assert_eq!(buffers.used(), Size::default());
}

#[test]
fn what_is_pushed_while_the_worker_drains_is_taken_once() {
    check(|| {
        let buffers = buffers(4);
        let threads = [pushes(&buffers, &[1]), pushes(&buffers, &[2])];
        let mut taken = Vec::new();
        drain(&buffers, 4, &mut taken);
        join(threads);
        drain(&buffers, 4, &mut taken);
        assert_eq!(buffers.counts().full, 0);
        assert_accounted(&buffers, 2, taken);
    });
}

#[test]
fn what_is_pushed_while_it_closes_is_taken_or_counted() {
    check(|| {
        let buffers = buffers(4);
        let threads = [pushes(&buffers, &[1, 2])];
        buffers.close();
        let mut taken = Vec::new();
        drain(&buffers, 4, &mut taken);
        join(threads);
        // Nobody drains after the last time.
        assert_accounted(&buffers, 2, taken);
    });
}

#[test]
fn what_one_thread_pushes_stays_in_order_while_it_closes() {
    check(|| {
        let buffers = buffers(4);
        let threads = [pushes(&buffers, &[1, 2, 3])];
        let mut taken = Vec::new();
        drain(&buffers, 4, &mut taken);
        buffers.close();
        drain(&buffers, 4, &mut taken);
        join(threads);
        // What was refused came after what was taken.
        assert!([1, 2, 3].starts_with(&taken), "{taken:?}");
        assert_accounted(&buffers, 3, taken);
    });
}

#[test]
fn a_thread_that_comes_while_it_closes_is_served_or_refused() {
    check(|| {
        let buffers = buffers(4);
        let thread = {
            let buffers = Arc::clone(&buffers);
            thread::spawn(move || {
                let buffer = buffers.join();
                push(&buffers, &buffer, 1, 5);
                buffers.leave(&buffer);
            })
        };
        buffers.close();
        let mut taken = Vec::new();
        drain(&buffers, 4, &mut taken);
        join([thread]);
        assert_accounted(&buffers, 1, taken);
    });
}

#[test]
fn a_full_queue_takes_what_its_limit_says() {
    check(|| {
        let buffers = buffers(2);
        join([pushes(&buffers, &[1, 2]), pushes(&buffers, &[3])]);
        let mut taken = Vec::new();
        drain(&buffers, 2, &mut taken);
        assert_eq!(taken.len(), 2);
        assert_accounted(&buffers, 3, taken);
    });
}

/// The worker makes room while threads find none.
#[test]
fn a_full_queue_keeps_its_limit_while_the_worker_drains() {
    check(|| {
        let buffers = buffers(1);
        let threads = [pushes(&buffers, &[1, 2])];
        let mut taken = Vec::new();
        drain(&buffers, 1, &mut taken);
        join(threads);
        drain(&buffers, 1, &mut taken);
        assert_accounted(&buffers, 2, taken);
    });
}

#[test]
fn a_portion_that_another_thread_has_not_used_is_reclaimed() {
    check(|| {
        let (buffers, hoard) = hoarded();
        join([pushes(&buffers, &[2]), pushes(&buffers, &[3])]);
        assert_eq!((buffers.counts().accepted, buffers.counts().full), (4, 0));
        buffers.leave(&hoard);
        let mut taken = Vec::new();
        drain(&buffers, 4, &mut taken);
        assert_accounted(&buffers, 4, taken);
    });
}

/// Without that another thread has to ask for it.
#[test]
fn what_a_thread_was_given_and_does_not_use_goes_back() {
    check(|| {
        let used = |spans, bytes| Size { spans, bytes };
        let (buffers, hoard) = hoarded();
        assert_eq!(buffers.used(), used(2, 635));
        buffers.leave(&hoard);
        assert_eq!(buffers.used(), used(2, 630));
        let (buffers, _hoards) = hoarded();
        drain(&buffers, 2, &mut Vec::new());
        assert_eq!(buffers.used(), used(0, 0));
    });
}

#[test]
fn a_portion_is_used_or_reclaimed_and_not_both() {
    check(|| {
        let (buffers, hoard) = hoarded();
        let threads = [
            pushes_into(&buffers, hoard, &[2]),
            pushes(&buffers, &[3, 4]),
        ];
        join(threads);
        // Room for three.
        assert!((2..=4).contains(&buffers.counts().accepted));
        let mut taken = Vec::new();
        drain(&buffers, 4, &mut taken);
        assert_accounted(&buffers, 5, taken);
    });
}

#[test]
fn lists_go_round_while_their_thread_pushes() {
    check(|| {
        let buffers = buffers(4);
        let buffer = buffers.join();
        push(&buffers, &buffer, 1, 5);
        let threads = [pushes_into(&buffers, buffer, &[2, 3])];
        let mut taken = Vec::new();
        drain(&buffers, 4, &mut taken);
        join(threads);
        drain(&buffers, 4, &mut taken);
        // What came before stays before.
        assert_eq!(taken, [1, 2, 3]);
        assert_accounted(&buffers, 3, taken);
    });
}

/// The worker goes to sleep while a thread pushes: it has seen the item, or is called.
#[test]
fn a_worker_that_falls_asleep_is_called() {
    check(|| {
        let bytes = 640;
        let most = Size { spans: 64, bytes };
        // Due neither as a batch nor as half of all.
        let buffers = Arc::new(Items::new(most, most, usize::MAX));
        let threads = [(1, buffers.join()), (2, buffers.join())].map(|(item, buffer)| {
            let buffers = Arc::clone(&buffers);
            thread::spawn(move || {
                let pushed = push(&buffers, &buffer, item, 1);
                buffers.leave(&buffer);
                pushed.call
            })
        });
        let is_asleep = buffers.fall_asleep();
        let calls = threads.map(|thread| thread.join().expect("a thread that ends"));
        let called = calls.iter().filter(|call| call.is_some()).count();
        // By one thread, who is enough.
        assert!(called <= 1, "{calls:?}");
        assert!(!is_asleep || called == 1, "{calls:?}");
        let mut taken = Vec::new();
        drain(&buffers, 64, &mut taken);
        assert_accounted(&buffers, 2, taken);
    });
}

/// A thread that finds its first lane locked goes on in the second one: what it pushed there before a flush
/// begins is taken by it, in its order, and the thread's next push moves it.
#[test]
fn what_went_into_the_second_lane_is_taken_once_and_in_order() {
    static WENT_ASIDE: AtomicBool = AtomicBool::new(false);
    static WAS_TAKEN_FROM_THERE: AtomicBool = AtomicBool::new(false);
    check(|| {
        let buffers = buffers(8);
        let buffer = buffers.join();
        push(&buffers, &buffer, 1, 5);
        let thread = {
            let buffers = Arc::clone(&buffers);
            thread::spawn(move || {
                push(&buffers, &buffer, 2, 5);
                let is_aside = buffer.is_in_second_lane();
                push(&buffers, &buffer, 3, 5);
                WENT_ASIDE.fetch_or(is_aside, Ordering::Relaxed);
                buffer
            })
        };
        let mut taken = Vec::new();
        drain(&buffers, 8, &mut taken);
        let buffer = thread.join().expect("a thread that ends");
        let is_aside = buffer.is_in_second_lane();
        // A flush: nobody pushes any more, and the thread stands still.
        drain(&buffers, 8, &mut taken);
        WAS_TAKEN_FROM_THERE.fetch_or(is_aside, Ordering::Relaxed);
        assert_eq!(taken, [1, 2, 3]);
        buffers.leave(&buffer);
        assert_accounted(&buffers, 3, taken);
    });
    assert!(WENT_ASIDE.load(Ordering::Relaxed));
    assert!(WAS_TAKEN_FROM_THERE.load(Ordering::Relaxed));
}

/// Also while a buffer moves from those that live to the sum of those that are gone.
#[test]
fn who_counts_meanwhile_finds_each_item_once() {
    check(|| {
        let buffers = buffers(4);
        let buffer = buffers.join();
        push(&buffers, &buffer, 1, 5);
        let threads = [pushes_into(&buffers, buffer, &[2]), {
            let buffers = Arc::clone(&buffers);
            thread::spawn(move || {
                let counted = buffers.counts().accepted;
                assert!((1..=2).contains(&counted), "{counted}");
            })
        }];
        let mut taken = Vec::new();
        drain(&buffers, 4, &mut taken);
        join(threads);
        drain(&buffers, 4, &mut taken);
        assert_accounted(&buffers, 2, taken);
    });
}
