//! A mirror is closed once, at the end of its span, and nothing is called after that.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;

use enter_span::prelude::*;
use enter_span::{Context, enter_span, in_span, start_span};
use futures::{StreamExt as _, stream};
use tracing::dispatcher::with_default;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Dispatch, Event, Metadata, Subscriber};

use super::record_by;
use crate::support::check::block_on;

/// A subscriber that counts references and entries as `tracing` defines them, and writes down what breaks that.
#[derive(Clone, Default)]
struct Strict(Arc<State>);

#[derive(Default)]
struct State {
    last: AtomicU64,
    open: Mutex<HashMap<u64, Open>>,
    calls: Mutex<Vec<&'static str>>,
    violations: Mutex<Vec<String>>,
}

#[derive(Default)]
struct Open {
    references: usize,
    entries: usize,
}

impl Strict {
    fn on(&self, call: &'static str, id: &Id, change: impl FnOnce(&mut Open) -> Result<(), &str>) {
        self.0.calls.lock().expect("the calls").push(call);
        let mut open = self.0.open.lock().expect("the spans");
        let changed = match open.get_mut(&id.into_u64()) {
            Some(span) => change(span),
            None => Err("it is closed"),
        };
        if let Err(why) = changed {
            let mut violations = self.0.violations.lock().expect("the list");
            violations.push(format!("{call}: {why}"));
        }
    }

    /// What was called since this was asked before. All is closed, and nothing was called on what is.
    #[track_caller]
    fn take(&self) -> Vec<&'static str> {
        let violations = self.0.violations.lock().expect("the list");
        assert!(violations.is_empty(), "{violations:?}");
        let open = self.0.open.lock().expect("the spans");
        assert!(open.is_empty(), "{} are open", open.len());
        std::mem::take(&mut *self.0.calls.lock().expect("the calls"))
    }
}

impl Subscriber for Strict {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        let id = self.0.last.fetch_add(1, Ordering::Relaxed) + 1;
        let span = Open {
            references: 1,
            entries: 0,
        };
        self.0.open.lock().expect("the spans").insert(id, span);
        self.0.calls.lock().expect("the calls").push("new");
        Id::from_u64(id)
    }

    fn record(&self, id: &Id, _: &Record<'_>) {
        self.on("record", id, |_| Ok(()));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, id: &Id) {
        self.on("enter", id, |span| {
            span.entries += 1;
            Ok(())
        });
    }

    fn exit(&self, id: &Id) {
        self.on("exit", id, |span| {
            span.entries = span.entries.checked_sub(1).ok_or("it is not entered")?;
            Ok(())
        });
    }

    fn clone_span(&self, id: &Id) -> Id {
        self.on("clone", id, |span| {
            span.references += 1;
            Ok(())
        });
        id.clone()
    }

    fn try_close(&self, id: Id) -> bool {
        let mut is_last = false;
        self.on("close", &id, |span| {
            span.references -= 1;
            is_last = span.references == 0;
            if is_last && span.entries > 0 {
                return Err("it is entered");
            }
            Ok(())
        });
        if is_last {
            self.0
                .open
                .lock()
                .expect("the spans")
                .remove(&id.into_u64());
        }
        is_last
    }
}

/// A stream that has ended stays where it is, and its span does not.
#[test]
fn a_mirror_is_closed_with_its_span_and_not_with_its_work() {
    let strict = Strict::default();
    record_by(strict.clone(), || {
        let mut numbers = stream::iter([1, 2]).in_owned_span(start_span!("numbers"));
        assert_eq!(block_on(numbers.by_ref().collect::<Vec<_>>()), [1, 2]);
        assert_eq!(strict.take().last(), Some(&"close"));
        // Polled again, it is outside of every span.
        assert_eq!(block_on(numbers.next()), None);
        assert_eq!(strict.take(), [""; 0]);
        let mut boxed = Box::pin(enter_span::enter_span_async("future", |_| async {}));
        block_on(&mut boxed);
        assert_eq!(strict.take(), ["new", "enter", "exit", "close"]);
        drop(boxed);
    });
    assert_eq!(strict.take(), [""; 0]);
}

/// Who is in a span by its context has the mirror open until then.
#[test]
fn a_carried_context_keeps_the_mirror_open_while_it_is_entered() {
    let strict = Strict::default();
    let dispatch = Dispatch::from(strict.clone());
    let (sends, receives) = mpsc::channel::<Context>();
    let (entered, is_entered) = mpsc::channel();
    let (ended, is_ended) = mpsc::channel::<()>();
    let elsewhere = {
        let dispatch = dispatch.clone();
        thread::spawn(move || {
            with_default(&dispatch, || {
                let context = receives.recv().expect("a context");
                context.enter(|| {
                    entered.send(()).expect("it waits");
                    is_ended.recv().expect("the end");
                });
                // It has ended.
                context.enter(|| enter_span("after it", |_| {}));
            });
        })
    };
    record_by(dispatch, || {
        in_span!("request", |_| {
            sends.send(Context::current()).expect("it waits");
            is_entered.recv().expect("it is entered");
        });
    });
    ended.send(()).expect("it waits");
    elsewhere.join().expect("no panic");
    let calls = strict.take();
    assert_eq!(
        calls[..6],
        ["new", "enter", "enter", "exit", "exit", "close"]
    );
    // That of what came after it.
    assert_eq!(calls[6..], ["new", "enter", "exit", "close"]);
}

/// The same for any order in which a thread enters a span and another one ends it.
#[test]
fn a_context_may_be_entered_while_its_span_ends() {
    let strict = Strict::default();
    let dispatch = &Dispatch::from(strict.clone());
    let barrier = &Barrier::new(2);
    for _ in 0..200 {
        let (sends, receives) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(move || {
                let context: Context = receives.recv().expect("a context");
                with_default(dispatch, || {
                    barrier.wait();
                    context.enter(|| {});
                    _ = enter_span::Span::current().set_attribute("late", 1);
                });
            });
            record_by(dispatch.clone(), || {
                in_span!("request", |_| {
                    sends.send(Context::current()).expect("it waits");
                    barrier.wait();
                });
            });
        });
        let calls = strict.take();
        let count = |call: &str| calls.iter().filter(|one| **one == call).count();
        assert_eq!((count("new"), count("close")), (1, 1));
    }
}

/// Declines every span. The answer for `session` waits for the test.
struct Declines(Mutex<mpsc::Receiver<()>>, mpsc::Sender<()>);

impl Subscriber for Declines {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        if metadata.name() == "session" {
            self.1.send(()).ok();
            self.0.lock().expect("one thread").recv().ok();
        }
        false
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Of two threads that enter a span first, one may want no mirror: the other one keeps its own.
#[test]
fn a_thread_that_wants_no_mirror_leaves_the_other_ones() {
    let strict = Strict::default();
    let dispatch = Dispatch::from(strict.clone());
    let (asked, is_asked) = mpsc::channel();
    let (answer, answers) = mpsc::channel();
    let declines = Dispatch::new(Declines(Mutex::new(answers), asked));
    record_by(dispatch, || {
        let span = &start_span!("session");
        thread::scope(|scope| {
            let other = scope.spawn(|| with_default(&declines, || span.enter(|| {})));
            // It has found no mirror, and is about to answer.
            is_asked.recv().expect("it is asked");
            span.enter(|| {});
            drop(answer);
            other.join().expect("no panic");
        });
        span.enter(|| {});
    });
    // On the other thread too: it finds one that is open, as a thread does that comes later.
    let calls = strict.take();
    assert_eq!(calls[0], "new");
    assert_eq!(calls[1..7], ["enter", "exit"].repeat(3));
    assert_eq!(calls[7..], ["close"]);
}
