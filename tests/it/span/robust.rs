//! Telemetry never hurts its host.

use std::any::Any as _;
use std::fmt;
use std::panic::{catch_unwind, resume_unwind};
use std::thread;

use enter_span::prelude::*;
use enter_span::testing::Recorder;
use enter_span::{Envelope, OwnedSpan, Span, Tracer, enter_span, enter_span_async, start_span};
use opentelemetry::Context;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};

use crate::support::check::{block_on, check};
use crate::support::child::is_child;

struct Rude;

impl fmt::Debug for Rude {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("a Debug that panics")
    }
}

/// TW30a: an attribute that panics is lost; the others and the body are not.
#[test]
fn an_attribute_that_panics_is_lost_alone() {
    #[enter_span(attributes(before = 1, rude = ?rude, index = list[9], after = 2))]
    fn work(rude: Rude, list: &[u8]) -> u8 {
        7
    }
    check(|| assert_eq!(work(Rude, &[]), 7), "work before=1 after=2");
}

/// Pain 17: user code that looks at spans while it is formatted neither deadlocks nor panics.
#[test]
fn an_attribute_may_look_at_spans_itself() {
    struct Curious;
    impl fmt::Display for Curious {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            Span::current().set_attribute("seen", true);
            enter_span("inside", |_| formatter.write_str("curious"))
        }
    }
    #[enter_span(attributes(shown = %value))]
    fn work(value: Curious) -> Result<(), Curious> {
        Span::current().set_attribute_with("again", || value.to_string());
        Err(value)
    }
    let trace = Recorder::new().run(|| enter_span("outer", |_| work(Curious).is_err()));
    let work = trace.find("work");
    assert_eq!(work.attribute("shown"), Some("curious".into()));
    assert_eq!(work.attribute("again"), Some("curious".into()));
    assert!(trace.spans().iter().all(|span| span.is_ended()));
}

#[enter_span]
fn descend(depth: u32) -> u32 {
    match depth {
        0 => 0,
        _ => 1 + descend(depth - 1),
    }
}

#[enter_span]
async fn descend_async(depth: u32) -> u32 {
    match depth {
        0 => 0,
        _ => 1 + Box::pin(descend_async(depth - 1)).await,
    }
}

fn with_stack<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(1 << 30);
        let thread = thread.spawn_scoped(scope, work).expect("a thread");
        thread.join().expect("no panic")
    })
}

/// Ten thousand spans inside of one another, sync and async.
#[test]
fn deep_nesting_is_recorded() {
    let trace = with_stack(|| Recorder::new().run(|| assert_eq!(descend(9_999), 9_999)));
    assert_eq!(trace.spans().len(), 10_000);
    let spans = trace.spans();
    let chained = spans
        .windows(2)
        .all(|pair| pair[1].parent_id() == Some(pair[0].span_id()));
    assert!(chained);
    let trace = with_stack(|| {
        block_on(Recorder::new().run_async(async { assert_eq!(descend_async(9_999).await, 9_999) }))
    });
    assert_eq!(trace.spans().len(), 10_000);
}

/// Beyond the limit of OpenTelemetry's stack of contexts (65,535) spans are still recorded.
#[test]
fn nesting_beyond_the_contexts_limit_degrades() {
    let depth = 66_000;
    let trace = with_stack(|| Recorder::new().run(|| assert_eq!(descend(depth), depth)));
    assert_eq!(trace.spans().len(), depth as usize + 1);
    assert!(trace.spans().iter().all(|span| span.is_ended()));
}

/// A hundred thousand spans, one after the other, leave nothing behind.
#[test]
fn consecutive_spans_leave_nothing_behind() {
    let recorder = Recorder::new().with_sampler(|_| false);
    recorder.run(|| {
        for _ in 0..100_000 {
            enter_span("one", |_| ());
        }
        let current = Context::current();
        assert!(!opentelemetry::trace::TraceContextExt::has_active_span(
            &current
        ));
    });
}

/// A guard of somebody else's that is dropped out of order does no harm.
#[test]
fn guards_may_be_dropped_out_of_order() {
    let recorder = Recorder::new();
    let trace = recorder.run(|| {
        let mut kept = None;
        enter_span("outer", |_| {
            kept = Some(Context::current().attach());
            enter_span("inner", |_| ());
        });
        enter_span("under the kept guard", |_| ());
        drop(kept);
    });
    assert_eq!(trace.spans().len(), 3);
    assert!(trace.spans().iter().all(|span| span.is_ended()));
    assert_eq!(
        trace.find("inner").parent_id(),
        Some(trace.find("outer").span_id())
    );
}

/// A future that never ends keeps only its own span open.
#[test]
fn an_abandoned_future_does_not_hold_its_parent() {
    let trace = Recorder::new().run(|| {
        enter_span("parent", |_| {
            let mut pending = Box::pin(enter_span_async("never", |_| std::future::pending::<()>()));
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            assert!(pending.as_mut().poll(&mut context).is_pending());
            std::mem::forget(pending);
        });
    });
    trace.assert_tree("parent\n  never (open)");
}

/// Annotated code in the destructor of a thread-local, which may run before or after OpenTelemetry's
/// own thread-local has died. In a process of its own: what it must not do is abort.
#[test]
fn a_dying_thread_makes_no_trouble() {
    struct Late(&'static str);
    impl Drop for Late {
        fn drop(&mut self) {
            enter_span(self.0, |span| span.set_attribute("late", true).is_traced());
            assert!(Span::current().trace_id().is_none());
            let _ = enter_span::is_enabled();
            let _ = enter_span::Context::current();
        }
    }
    thread_local! {
        static FIRST: Late = const { Late("used before any span") };
        static LAST: Late = const { Late("used after the first span") };
    }
    if !is_child("span::robust::a_dying_thread_makes_no_trouble") {
        return;
    }
    let provider = opentelemetry_sdk::trace::SdkTracerProvider::builder().build();
    enter_span::set_tracer_provider(provider);
    let orders: [fn(); 4] = [
        || FIRST.with(|_| enter_span("span", |_| LAST.with(|_| ()))),
        || enter_span("span", |_| FIRST.with(|_| LAST.with(|_| ()))),
        || FIRST.with(|_| drop(Context::current())),
        || FIRST.with(|_| LAST.with(|_| ())),
    ];
    for order in orders {
        thread::spawn(order)
            .join()
            .expect("a thread that ends well");
    }
}

/// A span that is open while its thread dies: the future is dropped by a thread-local's destructor.
#[test]
fn a_future_dropped_by_a_dying_thread_ends_its_span() {
    use std::cell::RefCell;
    use std::future::Future;
    use std::pin::Pin;
    type Kept = RefCell<Option<Pin<Box<dyn Future<Output = ()>>>>>;
    thread_local!(static KEPT: Kept = const { RefCell::new(None) });
    let recorder = Recorder::new();
    let inside = recorder.clone();
    let thread = thread::spawn(move || {
        KEPT.with(|kept| {
            let mut future: Pin<Box<dyn Future<Output = ()>>> =
                Box::pin(enter_span_async("kept", |_| std::future::pending()));
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            assert!(
                inside
                    .enter(|| future.as_mut().poll(&mut context))
                    .is_pending()
            );
            *kept.borrow_mut() = Some(future);
        });
    });
    thread.join().expect("a thread that ends well");
    recorder.trace().assert_tree("kept ~cancelled");
}

/// Bad input: spans and messages that outlive their runtime and their provider end once, and
/// do no harm.
#[test]
fn what_outlives_its_runtime_does_no_harm() {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(exporter.clone())
        .build();
    let tracer = Tracer::new(provider.clone(), "outlived");
    let kept = block_on(tracer.enter_span_async("run", async |span| {
        let owned = tracer.start_span("owned");
        let message = owned.enter(|| Envelope::new("late"));
        let pending = Box::pin(async { std::future::pending::<()>().await }.in_current_span());
        (span, owned, message, pending)
    }));
    let exported = || exporter.get_finished_spans().expect("the exported spans");
    assert!(exported().iter().map(|span| &span.name).eq(["run"]));
    provider.shutdown().expect("a shutdown");
    let (span, owned, message, pending) = kept;
    assert!(!span.is_traced());
    span.set_attribute("late", true);
    owned.enter(|| enter_span("below", |_| {}));
    assert_eq!(message.open_child(|text| text.len()), 4);
    drop((owned, pending));
    // The exporter forgets at its shutdown; nothing came after.
    assert!(exported().is_empty());
}

/// Bad input: an envelope that arrives after its trace ended still has its parent.
#[test]
fn a_message_may_arrive_after_its_trace() {
    let recorder = Recorder::new();
    let message = recorder.enter(|| enter_span("sent", |_| Envelope::new(())));
    assert!(recorder.trace().find("sent").is_ended());
    let handle = |()| enter_span("handled", |_| {});
    message.clone().open_child(handle);
    thread::spawn(move || message.open_linked(handle))
        .join()
        .expect("a thread");
    recorder
        .trace()
        .assert_tree("sent\n  handled\nhandled ^sent");
}

/// Bad input: a stream that is polled after its end is what it was alone, without a span.
#[test]
fn a_stream_may_be_polled_after_its_end() {
    use futures::{FutureExt as _, StreamExt as _, stream};
    let recorder = Recorder::new();
    let mut items = recorder.enter(|| {
        stream::iter([1])
            .in_owned_span(start_span("stream"))
            .boxed()
    });
    let mut next = || items.next().now_or_never().flatten();
    assert_eq!((next(), next(), next()), (Some(1), None, None));
    recorder.trace().assert_tree("stream");
}

/// A span that ends while its thread dies leaves a simple exporter in order, and is exported.
#[test]
fn a_span_that_ends_on_a_dying_thread_is_exported() {
    use std::cell::RefCell;
    thread_local! {
        static KEPT: RefCell<Vec<OwnedSpan>> = const { RefCell::new(Vec::new()) };
    }
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(exporter.clone())
        .build();
    let tracer = Tracer::new(provider, "dying");
    thread::scope(|threads| {
        let work = || {
            // It is there before OpenTelemetry's own, and dies after that.
            KEPT.with_borrow_mut(Vec::clear);
            let span = tracer.start_span("kept");
            KEPT.with_borrow_mut(|kept| kept.push(span));
        };
        // Joined by hand: a scope does not wait for destructors of thread-locals.
        threads.spawn(work).join().expect("a thread that ends well");
    });
    tracer.enter_span("after", |_| {});
    let spans = exporter.get_finished_spans().expect("the exported spans");
    assert!(spans.iter().map(|span| &span.name).eq(["kept", "after"]));
}

/// A provider that panics in its destructor does not reach whoever drops the last that knows it.
#[test]
fn a_provider_that_panics_in_its_destructor_does_no_harm() {
    struct Rude(opentelemetry::trace::noop::NoopTracerProvider);
    impl opentelemetry::trace::TracerProvider for Rude {
        type Tracer = opentelemetry::trace::noop::NoopTracer;
        fn tracer_with_scope(&self, scope: opentelemetry::InstrumentationScope) -> Self::Tracer {
            self.0.tracer_with_scope(scope)
        }
    }
    impl Drop for Rude {
        fn drop(&mut self) {
            resume_unwind(Box::new("a provider that is dropped"));
        }
    }
    let start = || {
        let provider = Rude(opentelemetry::trace::noop::NoopTracerProvider::new());
        Tracer::new(provider, "rude").start_span("span")
    };
    start().end();
    let context = start().context();
    assert_eq!(context.enter(|| 1), 1);
    drop(context);
    // While something else unwinds, it would abort the process.
    let unwinds = || start().enter(|| resume_unwind(Box::new(7)));
    let caught: Result<(), _> = catch_unwind(unwinds);
    let payload = caught.expect_err("a panic").downcast::<i32>().ok();
    assert_eq!(payload.as_deref(), Some(&7));
}

/// What panics while it is dropped, and again when that panic is dropped, all during a third one.
#[test]
fn panics_of_destructors_do_not_add_up() {
    struct Payload;
    impl Drop for Payload {
        fn drop(&mut self) {
            resume_unwind(Box::new("a payload that is dropped"));
        }
    }
    struct Nasty;
    impl Drop for Nasty {
        fn drop(&mut self) {
            resume_unwind(Box::new(Payload));
        }
    }
    let recorder = Recorder::new();
    let unwinds = || {
        let nasty = Nasty;
        let never = (move || drop(nasty)).in_owned_span(start_span("never"));
        resume_unwind(Box::new(never.type_id()));
    };
    let caught = recorder.enter(|| catch_unwind(unwinds));
    assert!(caught.is_err());
    recorder.trace().assert_tree("never !panic");
}

/// A name whose making panics costs the span, and not what runs in it.
#[test]
fn a_name_that_panics_costs_the_span() {
    struct Rude;
    impl From<Rude> for std::borrow::Cow<'static, str> {
        fn from(_: Rude) -> Self {
            resume_unwind(Box::new("a name"))
        }
    }
    check(
        || {
            assert_eq!(enter_span(Rude, |_| 1), 1);
            assert_eq!(block_on(enter_span_async(Rude, |_| async { 2 })), 2);
            assert_eq!(start_span(Rude).enter(|| 3), 3);
        },
        "",
    );
}
