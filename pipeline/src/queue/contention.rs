//! A thread that finds its buffer locked. Every order of events is in `model.rs`.

use crate::queue::budget::Size;
use crate::queue::buffers::Buffers;

/// The thread finds a lock that nobody opens while it pushes: it does not wait, nothing is lost, and a
/// flush that comes before its next push has all.
#[test]
fn a_push_beside_a_visitor_does_not_wait_and_is_taken() {
    let most = Size {
        spans: 64,
        bytes: 640,
    };
    let buffers = Buffers::<Vec<u32>>::new(most, most, usize::MAX);
    let owner = buffers.join();
    let push = |item| buffers.push(&owner, 1, |items| items.push(item));
    let drained = || {
        let lists = buffers.drain().into_iter();
        lists.flat_map(|list| list.items).collect::<Vec<u32>>()
    };
    push(1);
    owner.buffer().while_visited(|| {
        assert!(push(2).is_accepted && push(3).is_accepted);
    });
    assert_eq!(drained(), [1, 2, 3]);
    push(4);
    owner.buffer().while_visited(|| push(5));
    push(6);
    assert_eq!(drained(), [4, 5, 6]);
    assert_eq!(buffers.counts().accepted, 6);
}

/// A thread's end waits for nobody either, and the worker still removes what it left.
#[test]
fn a_thread_that_ends_beside_a_visitor_leaves_everything_to_the_worker() {
    let most = Size {
        spans: 64,
        bytes: 640,
    };
    let buffers = Buffers::<Vec<u32>>::new(most, most, usize::MAX);
    let owner = buffers.join();
    let buffer = owner.buffer().clone();
    buffer.while_visited(|| {
        buffers.push(&owner, 1, |items| items.push(1));
        buffers.leave(&owner);
    });
    assert_eq!(buffers.drain().len(), 1);
    assert!(buffer.is_drained());
    assert_eq!(buffers.counts().accepted, 1);
}
