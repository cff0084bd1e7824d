//! Bad subscribers and odd spans: the body runs, and our own tree is as it was.

use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use enter_span::testing::Recorder;
use enter_span::{Span, enter_span, in_span, span_id, start_span};
use enter_span_pipeline::Pipeline;
use tracing::dispatcher::with_default;
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Subscriber, info, info_span};
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, registry};

use super::super::layer;
use super::super::lines::Lines;
use super::{Calls, lines, record_by};
use crate::pipeline::{AGES, in_memory};
use crate::support::allocations;
use crate::support::child::is_child;

#[enter_span(attributes(id))]
fn order(id: u64) -> u64 {
    Span::current().set_attribute("late", id);
    assert!(span_id().is_some());
    in_span!("inner", |_| id)
}

/// Panics at one of its calls.
struct Panics(&'static str);

impl Panics {
    fn at(&self, call: &str) {
        if call == self.0 {
            std::panic::resume_unwind(Box::new("by the subscriber"));
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Panics {
    fn register_callsite(
        &self,
        metadata: &'static tracing::Metadata<'static>,
    ) -> tracing::subscriber::Interest {
        if metadata.name() == "registered" {
            self.at("register");
        }
        tracing::subscriber::Interest::sometimes()
    }

    fn enabled(&self, _: &tracing::Metadata<'_>, _: Context<'_, S>) -> bool {
        self.at("enabled");
        true
    }

    fn on_new_span(&self, _: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        self.at("new");
    }

    fn on_record(&self, _: &Id, _: &Record<'_>, _: Context<'_, S>) {
        self.at("record");
    }

    fn on_enter(&self, _: &Id, _: Context<'_, S>) {
        self.at("enter");
    }

    fn on_exit(&self, _: &Id, _: Context<'_, S>) {
        self.at("exit");
    }

    fn on_close(&self, _: Id, _: Context<'_, S>) {
        self.at("close");
    }
}

/// Whatever call of it panics.
#[test]
fn a_subscriber_may_panic() {
    for call in ["enabled", "new", "record", "enter", "exit", "close"] {
        for with_layer in [false, true] {
            let below = registry().with(with_layer.then(layer));
            let trace = record_by(below.with(Panics(call)), || {
                assert_eq!(order(1) + order(2), 3, "{call}");
                assert_eq!(span_id(), None);
            });
            let one = |id: u64| format!("order id={id} late={id}\n  inner\n");
            trace.assert_tree(&(one(1) + &one(2)));
        }
    }
}

/// Also where it sees a callsite first.
#[test]
fn a_subscriber_may_panic_at_a_callsite() {
    // `tracing` asks it about the callsites of others too.
    if !is_child("tracing::mirror::robust::a_subscriber_may_panic_at_a_callsite") {
        return;
    }
    let trace = record_by(registry().with(Panics("register")), || {
        (0..2).for_each(|_| in_span!("registered", |_| ()));
    });
    trace.assert_tree("registered\nregistered");
}

/// What it has kept of a span that it panicked at is kept once.
#[test]
fn a_subscriber_that_panics_at_spans_is_asked_no_more() {
    struct Counts(Arc<AtomicUsize>);
    impl<S: Subscriber> Layer<S> for Counts {
        fn on_new_span(&self, _: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
            self.0.fetch_add(1, Ordering::Relaxed);
            std::panic::resume_unwind(Box::new("by the subscriber"));
        }
    }
    #[enter_span]
    fn one() {}
    let count = Arc::new(AtomicUsize::new(0));
    let subscriber: Dispatch = registry().with(Counts(Arc::clone(&count))).into();
    with_default(&subscriber, || {
        Recorder::new().run(|| {
            // Other subscribers of this process come and go meanwhile, and each of them has it asked again.
            for _ in 0..1_000 {
                one();
            }
        });
    });
    assert!((1..500).contains(&count.load(Ordering::Relaxed)));
}

/// A panic of the body passes both, and both end.
#[test]
fn a_panic_passes_both() {
    let calls = Calls::default();
    let trace = record_by(registry().with(calls.clone()).with(layer()), || {
        let outcome = catch_unwind(|| {
            in_span!("outer", |_| {
                info_span!("theirs").in_scope(|| {
                    in_span!("inner", |_| std::panic::resume_unwind(Box::new(
                        "by the body"
                    )));
                });
            });
        });
        assert!(outcome.is_err());
        assert_eq!(span_id(), None);
        assert!(tracing::Span::current().is_none());
    });
    trace.assert_tree("outer !panic\n  theirs\n    inner !panic");
    let calls = calls.take();
    for name in ["outer", "theirs", "inner"] {
        for call in ["new", "enter", "exit", "close"] {
            let call = format!("{call} {name}");
            assert_eq!(
                calls.iter().filter(|one| **one == call).count(),
                1,
                "{call}"
            );
        }
    }
}

/// A thousand attributes: those of the span's limit before its start, and as many after it.
#[test]
fn many_attributes_are_within_limits() {
    let calls = Calls::default();
    let keys: Vec<String> = (0..1_000).map(|key| format!("key{key:04}")).collect();
    record_by(registry().with(calls.clone()), || {
        let pairs: Vec<_> = keys.iter().map(|key| (key.clone(), 1)).collect();
        in_span!("many", attributes(..pairs), |span| {
            for key in &keys {
                span.set_attribute(key.clone(), 2);
            }
        });
    });
    let calls = calls.take();
    let first = &calls[0];
    assert_eq!(first.matches("=1").count(), 128, "{first}");
    assert!(
        first.contains(r#"attributes="key0000=1 key0001=1 "#),
        "{first}"
    );
    let recorded = calls.iter().filter(|call| call.starts_with("record"));
    assert_eq!(recorded.count(), 128);
}

/// More keys than `tracing` takes fields go to the others.
#[test]
fn many_keys_at_the_site_are_within_limits() {
    let calls = Calls::default();
    record_by(registry().with(calls.clone()), || {
        in_span!(
            "many",
            attributes(
                k01 = 1,
                k02 = 1,
                k03 = 1,
                k04 = 1,
                k05 = 1,
                k06 = 1,
                k07 = 1,
                k08 = 1,
                k09 = 1,
                k10 = 1,
                k11 = 1,
                k12 = 1,
                k13 = 1,
                k14 = 1,
                k15 = 1,
                k16 = 1,
                k17 = 1,
                k18 = 1,
                k19 = 1,
                k20 = 1,
                k21 = 1,
                k22 = 1,
                k23 = 1,
                k24 = 1,
                k25 = 1,
                k26 = 1,
                k27 = 1,
                k28 = 1,
                k29 = 1,
                k30 = 1,
                k31 = 1
            ),
            |_| ()
        );
        in_span!(
            "odd",
            attributes("attributes" = 1, "otel.name" = "own"),
            |_| ()
        );
    });
    let calls = calls.take();
    assert!(
        calls[0].ends_with(r#" k29=1 attributes="k30=1 k31=1""#),
        "{}",
        calls[0]
    );
    let odd = r#"new odd attributes="attributes=1 otel.name=\"own\"""#;
    assert!(calls.contains(&odd.to_owned()), "{calls:?}");
}

/// Has spans of ours in its own calls.
struct Annotated(Arc<AtomicUsize>);

#[enter_span]
fn annotated() {
    Span::current().set_attribute("late", 1);
}

impl Annotated {
    fn call(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
        annotated();
    }
}

impl<S: Subscriber> Layer<S> for Annotated {
    fn on_new_span(&self, _: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        self.call();
    }

    fn on_record(&self, _: &Id, _: &Record<'_>, _: Context<'_, S>) {
        self.call();
    }

    fn on_enter(&self, _: &Id, _: Context<'_, S>) {
        self.call();
    }

    fn on_exit(&self, _: &Id, _: Context<'_, S>) {
        self.call();
    }

    fn on_close(&self, _: Id, _: Context<'_, S>) {
        self.call();
    }
}

/// A subscriber may have spans of ours: they have no mirrors, and it is not called without end.
#[test]
fn a_subscriber_may_be_annotated() {
    let count = Arc::new(AtomicUsize::new(0));
    let subscriber = registry().with(Annotated(Arc::clone(&count)));
    record_by(subscriber, || {
        // Once outside of the subscriber, so that its callsite is known.
        annotated();
    });
    assert_eq!(count.load(Ordering::Relaxed), 5);
}

/// An owned span that many threads enter for the first time is one span.
#[test]
fn threads_may_enter_a_span_at_the_same_time() {
    let calls = Calls::default();
    let subscriber: Dispatch = registry().with(calls.clone()).with(layer()).into();
    let trace = with_default(&subscriber, || {
        Recorder::new().run(|| {
            let (span, barrier) = (start_span!("session"), Barrier::new(4));
            thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| {
                        with_default(&subscriber, || {
                            barrier.wait();
                            span.enter(|| assert_eq!(span_id(), span.span_id()));
                            assert_eq!(span_id(), None);
                        });
                    });
                }
            });
            span.end();
        })
    });
    trace.assert_tree("session");
    let calls = calls.take();
    let count = |call: &str| calls.iter().filter(|one| *one == call).count();
    // One that was made in vain is closed and was never entered.
    assert_eq!(count("new session"), count("close session"));
    assert_eq!((count("enter session"), count("exit session")), (4, 4));
}

/// Beside what a span allocates without it, a mirror allocates nothing.
#[test]
fn a_mirror_allocates_nothing() {
    const SPANS: u64 = 200;
    #[enter_span(attributes(id, is_new = true, text = "a"))]
    fn plain(id: u64) -> u64 {
        black_box(id)
    }
    if !is_child("tracing::mirror::robust::a_mirror_allocates_nothing") {
        return;
    }
    let builder = Pipeline::builder().with_exporter(in_memory());
    let pipeline = builder.install().expect("no other one");
    let allocated = || {
        let spans = || (0..SPANS).for_each(|id| _ = plain(id));
        let count = in_span!("root", |_| allocations::count(spans));
        pipeline.flush(AGES).expect("flushed in time");
        count
    };
    // What goes round is made in the first rounds.
    let settled = || [(); 8].map(|()| allocated())[7];
    let without = settled();
    let with = with_default(&registry().into(), settled);
    // A list may grow once more.
    assert!(with < without + 8, "{with} with mirrors, {without} without");
}

/// A span that ends early, by other code, is shown until its body is over.
#[test]
fn a_span_may_end_before_its_body() {
    use opentelemetry::trace::TraceContextExt as _;
    let text = Lines::default();
    let trace = record_by(registry().with(lines(&text)), || {
        in_span!("request", |_| {
            opentelemetry::Context::current().span().end();
            info!("after it");
        });
    });
    trace.assert_tree("request");
    assert_eq!(text.text(), " INFO request: after it\n");
}

/// The destructor of a value that is dropped with the mirror may have spans too.
#[test]
fn a_cancelled_future_is_shown_in_its_destructors() {
    struct Noisy;
    impl Drop for Noisy {
        fn drop(&mut self) {
            info!("dropped");
        }
    }
    let text = Lines::default();
    record_by(registry().with(lines(&text)), || {
        let mut future = Box::pin(enter_span::enter_span_async("waits", |_| async {
            let _noisy = Noisy;
            std::future::pending::<()>().await;
        }));
        let polled = futures::FutureExt::now_or_never(&mut future);
        assert!(polled.is_none());
        let dropped = catch_unwind(AssertUnwindSafe(|| drop(future)));
        assert!(dropped.is_ok());
    });
    assert_eq!(
        text.text(),
        " INFO enter_span{otel.name=\"waits\"}: dropped\n"
    );
}
