//! What a body can say to its span, and what its values become.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use enter_span::testing::Recorder;
use enter_span::{Span, Status, ToAttribute, Value, enter_span, enter_span_async, start_span};

use crate::support::check::{block_on, check, check_async};

/// The value passes, and the span has ended.
#[test]
fn a_block_gives_its_value() {
    check(
        || {
            let value = enter_span("sync-op", |span| {
                span.set_attribute("type", "sync");
                "sync-value"
            });
            assert_eq!(value, "sync-value");
        },
        "sync-op type=sync",
    );
}

/// The same for a future; its duration holds the wait.
#[test]
fn an_async_block_gives_its_value_and_lasts_as_long_as_it() {
    let mut waited = Duration::ZERO;
    let recorder = Recorder::new();
    let work = enter_span_async("async-op", |_| async {
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(2) {
            tokio::task::yield_now().await;
        }
        waited = start.elapsed();
        "async-value"
    });
    assert_eq!(block_on(recorder.enter_async(work)), "async-value");
    let duration = recorder.trace().find("async-op").duration();
    assert!(duration.expect("it has ended") >= waited);
}

/// Work that only computes has its real duration too.
#[test]
fn work_of_the_processor_alone_shows_its_time() {
    let recorder = Recorder::new();
    let worked = recorder.enter(|| {
        enter_span("compute", |_| {
            let start = Instant::now();
            while start.elapsed() < Duration::from_millis(2) {
                std::hint::spin_loop();
            }
            start.elapsed()
        })
    });
    let duration = recorder.trace().find("compute").duration();
    assert!(duration.expect("it has ended") >= worked);
}

/// An error is the caller's, unchanged, and the span has ended with it.
#[test]
fn an_error_passes_unchanged() {
    #[enter_span("sync-error-op")]
    fn fails() -> Result<(), String> {
        Err("sync error".to_owned())
    }
    check(
        || assert_eq!(fails(), Err("sync error".to_owned())),
        "sync-error-op !String",
    );
}

/// A panic keeps its payload.
#[test]
fn a_panic_passes_unchanged() {
    check(
        || {
            let caught = std::panic::catch_unwind(|| {
                enter_span("sync-error-op", |_| std::panic::panic_any(7_u8));
            });
            let payload = caught.expect_err("the panic");
            assert_eq!(payload.downcast_ref(), Some(&7_u8));
        },
        "sync-error-op !panic",
    );
}

/// The same for futures.
#[test]
fn an_error_of_a_future_passes_unchanged() {
    #[enter_span("async-error-op")]
    async fn fails() -> Result<(), &'static str> {
        tokio::task::yield_now().await;
        Err("async error")
    }
    check_async(
        async { assert_eq!(fails().await, Err("async error")) },
        "async-error-op !&str",
    );
}

/// The handle shows what it is.
#[test]
fn the_handle_shows_its_name_and_ids() {
    Recorder::new().run(|| {
        enter_span("class-name-op", |span| {
            let id = span.span_id().expect("an id").to_string();
            assert!(format!("{span:?}").starts_with("Span { trace_id: Some("));
            assert!(format!("{span:?}").contains(&id));
        });
    });
    assert!(format!("{:?}", Span::default()).starts_with("Span { trace_id: None"));
}

/// Traced inside, and not after.
#[test]
fn a_handle_is_traced_until_the_span_ends() {
    let trace = Recorder::new().run(|| {
        let kept = enter_span("is-traced-op", |span| {
            assert!(span.is_traced());
            assert!(enter_span::is_traced());
            span
        });
        assert!(!kept.is_traced());
        kept.set_attribute("late", 1)
            .add_event("late", [("k", 1)])
            .set_status(Status::error("late"))
            .update_name("late")
            .record_error(&std::fmt::Error);
        kept.set_attribute_with("late", || -> i32 { unreachable!("it has ended") });
    });
    trace.assert_tree("is-traced-op");
    assert_eq!(trace.find("is-traced-op").status(), &Status::Unset);
    assert!(trace.find("is-traced-op").events().is_empty());
}

/// Nothing is written for nothing.
#[test]
fn an_absent_value_writes_no_attribute() {
    check(
        || {
            enter_span("undefined-attr-op", |span| {
                span.set_attribute("skipped", None::<u8>);
                span.set_attribute("there", Some(1));
            });
        },
        "undefined-attr-op there=1",
    );
}

/// Setters chain, and several attributes can be set at once.
#[test]
fn setters_chain() {
    let trace = check(
        || {
            enter_span("set-attributes-op", |span| {
                span.set_attribute("single", "one")
                    .set_attributes([
                        ("string", Some(Value::from("value"))),
                        ("number", Some(Value::from(42))),
                        ("bool", Some(Value::from(true))),
                        ("skipped", None),
                    ])
                    .set_attribute("last", 1.5);
            });
        },
        "set-attributes-op single=one string=value number=42 bool=true last=1.5",
    );
    let number = trace.find("set-attributes-op").attribute("number");
    assert_eq!(number, Some(Value::from(42_i64)));
}

/// Each attribute on its own span, sync and async.
#[test]
fn attributes_stay_on_their_level() {
    check_async(
        async {
            let inner = enter_span("nested-outer-op", |span| {
                span.set_attribute("level", "outer");
                enter_span("nested-inner-op", |span| {
                    span.set_attribute("level", "inner");
                    "inner"
                })
            });
            assert_eq!(inner, "inner");
            enter_span_async("nested-async-outer", |span| async move {
                span.set_attribute("level", "outer");
                enter_span_async("nested-async-inner", |span| async move {
                    tokio::task::yield_now().await;
                    span.set_attribute("level", "inner");
                })
                .await;
            })
            .await;
        },
        "
        nested-outer-op level=outer
          nested-inner-op level=inner
        nested-async-outer level=outer
          nested-async-inner level=inner
        ",
    );
}

/// The same key again replaces the value, in its first place, and is exported once.
#[test]
fn the_last_value_of_a_key_wins() {
    #[enter_span(|span|, attributes(first = 1, second = 1))]
    fn work() {
        span.set_attribute("first", 2);
        Span::current().set_attribute("first", "three");
    }
    let trace = check(work, "work first=three second=1");
    let keys = trace.find("work").keys();
    assert_eq!(keys.iter().filter(|key| **key == "first").count(), 1);
}

/// Every number arrives as a number, or as its decimal text if it does not fit.
#[test]
fn values_keep_their_kind() {
    fn value(value: impl ToAttribute) -> Value {
        value.to_attribute().expect("a value")
    }
    assert_eq!(value(u64::MAX), Value::from("18446744073709551615"));
    assert_eq!(value(i64::MAX as u64), Value::from(i64::MAX));
    assert_eq!(value(i128::MIN), Value::from(i128::MIN.to_string()));
    assert_eq!(value(7_usize), Value::from(7_i64));
    assert_eq!(value(0.5_f32), Value::from(0.5_f64));
    assert_eq!(value('ß'), Value::from("ß"));
    assert_eq!((&&"text").to_attribute(), Some(Value::from("text")));
    assert_eq!(value(Box::<str>::from("text")), Value::from("text"));
    assert_eq!(value(Arc::<str>::from("text")), Value::from("text"));
    assert_eq!(value(Rc::new(1)), Value::from(1));
    assert_eq!(value(Cow::Borrowed("text")), Value::from("text"));
    assert_eq!(value(Some(&String::from("text"))), Value::from("text"));
    assert_eq!(value([1_u8, 2]), value(vec![1_i64, 2]));
    assert_eq!(value([u64::MAX, 1]), value(["18446744073709551615", "1"]));
    assert_eq!(value(vec![String::from("a")]), value(["a"]));
    assert_eq!(None::<u8>.to_attribute(), None);
}

/// No number panics, not even one that is none.
#[test]
fn floats_that_are_no_numbers_pass() {
    check(
        || {
            enter_span("floats", |span| {
                span.set_attributes([("nan", f64::NAN), ("inf", f64::INFINITY)]);
            });
        },
        "floats nan=NaN inf=inf",
    );
}

/// An empty key is no key, many attributes and a large value are no problem of ours.
#[test]
fn odd_attributes_do_no_harm() {
    let trace = Recorder::new().run(|| {
        enter_span("odd", |span| {
            span.set_attribute("", "nothing");
            for index in 0..200 {
                span.set_attribute(format!("key.{index}"), index);
            }
            span.set_attribute("large", "ü".repeat(512 * 1024));
        });
    });
    let odd = trace.find("odd");
    assert_eq!(odd.keys().len(), 201);
    assert_eq!(odd.attribute("key.199"), Some(Value::from(199)));
    assert_eq!(
        odd.attribute("large"),
        Some(Value::from("ü".repeat(1 << 19)))
    );
}

/// An empty name is a name, and a name is never cut inside of a character.
#[test]
fn any_text_is_a_name() {
    let trace = Recorder::new().run(|| {
        enter_span("", |_| ());
        enter_span("𝄞".repeat(1000), |_| ());
    });
    assert_eq!(trace.spans()[0].name(), "");
    assert_eq!(trace.spans()[1].name(), "𝄞".repeat(1000));
}

/// A span with more keys than are upserted still takes them.
#[test]
fn more_keys_than_are_upserted_are_kept() {
    let trace = Recorder::new().run(|| {
        enter_span("many", |span| {
            for index in 0..2000 {
                span.set_attribute(format!("key.{index}"), index);
            }
        });
    });
    assert_eq!(trace.find("many").keys().len(), 2000);
}

/// The last status holds, whatever the order, and it is written once.
#[test]
fn the_last_status_holds() {
    let status = |set: fn(&Span)| {
        let trace = Recorder::new().run(|| enter_span("status", |span| set(&span)));
        trace.find("status").status().clone()
    };
    let last = status(|span| {
        span.set_status(Status::error("second"))
            .set_status(Status::error("first"));
    });
    assert_eq!(last, Status::error("first"));
    let last = status(|span| {
        span.set_status(Status::Ok).set_status(Status::error("e"));
    });
    assert_eq!(last, Status::error("e"));
    let last = status(|span| {
        span.set_status(Status::error("e"))
            .set_status(Status::Unset);
    });
    assert_eq!(last, Status::Unset);
}

/// So does the last name.
#[test]
fn the_last_name_holds() {
    check(
        || {
            enter_span("first", |span| {
                span.update_name("second").update_name("third");
            });
        },
        "third",
    );
}

/// After the end, neither a status nor a name is taken.
#[test]
fn what_comes_after_the_end_is_ignored() {
    let trace = check(
        || {
            let ended = enter_span("ended", |span| span.clone());
            ended.set_status(Status::error("late")).update_name("late");
        },
        "ended",
    );
    assert_eq!(trace.find("ended").status(), &Status::Unset);
}

/// An error can be recorded without a status.
#[test]
fn a_recorded_error_is_an_event_and_no_status() {
    let trace = check(
        || {
            enter_span("records", |span| {
                let error = "x".parse::<u8>().expect_err("no number");
                span.record_error(&error);
            });
        },
        "records",
    );
    let event = &trace.find("records").events()[0];
    assert_eq!(event.name(), "exception");
    assert_eq!(
        event.attribute("exception.message"),
        Some(Value::from("invalid digit found in string"))
    );
    assert_eq!(
        event.attribute("exception.type"),
        Some(Value::from("core::num::error::ParseIntError"))
    );
}

/// A block says by hand what a function says by itself.
#[test]
fn a_block_can_say_that_it_failed() {
    let trace = check(
        || {
            enter_span("block", |span| {
                span.set_outcome(&"x".parse::<u8>());
            });
            enter_span("fine", |span| {
                span.set_outcome(&"1".parse::<u8>());
            });
        },
        "
        block !ParseIntError
        fine
        ",
    );
    assert_eq!(trace.find("block").events().len(), 1);
}

/// Events carry typed attributes.
#[test]
fn events_have_attributes() {
    let trace = Recorder::new().run(|| {
        enter_span("work", |span| {
            span.add_event(
                "cache.miss",
                [("shard", Value::from(3)), ("key", Value::from("a"))],
            );
        });
    });
    let event = &trace.find("work").events()[0];
    assert_eq!(event.name(), "cache.miss");
    assert_eq!(event.attribute("shard"), Some(Value::from(3)));
    assert_eq!(event.attribute("key"), Some(Value::from("a")));
}

/// The value of an attribute is made only for a span that is traced.
#[test]
fn a_value_is_made_only_if_it_is_wanted() {
    Span::default().set_attribute_with("key", || -> u8 { unreachable!("nobody listens") });
    check(
        || {
            enter_span("lazy", |span| {
                span.set_attribute_with("key", || 1 + 1);
            });
        },
        "lazy key=2",
    );
}

/// The ids of the current span in one call, for a log line.
#[test]
fn the_current_ids_are_at_hand() {
    assert_eq!(enter_span::trace_id(), None);
    assert_eq!(enter_span::span_id(), None);
    let trace = Recorder::new().run(|| {
        enter_span("ids", |span| {
            assert_eq!(enter_span::span_id(), span.span_id());
            assert_eq!(enter_span::trace_id(), span.trace_id());
            assert_eq!(enter_span::trace_id().expect("an id").to_string().len(), 32);
            assert_eq!(enter_span::span_id().expect("an id").to_string().len(), 16);
        });
    });
    let ids = trace.find("ids");
    assert_eq!(ids.span_id(), ids.span_context().span_id());
}

/// An error stands on the span that is told of it, not on the current one; each gives one
/// event; after the end there is none. (Numbers, texts and bare objects are no errors in Rust.)
#[test]
fn an_error_is_recorded_on_the_span_that_is_told() {
    let trace = check(
        || {
            enter_span("record-exception-active", |_| {
                let receiver = start_span("record-exception-receiver");
                let boxed: Box<dyn std::error::Error> = "recorded-string".into();
                receiver
                    .record_error(&std::io::Error::other("recorded-error"))
                    .record_error(&std::fmt::Error)
                    .record_error(&*boxed);
                let handle = Span::clone(&receiver);
                receiver.end();
                handle.record_error(&std::fmt::Error);
            });
        },
        "
        record-exception-active
          record-exception-receiver
        ",
    );
    let events = trace.find("record-exception-receiver").events();
    let text = |key| events.iter().map(move |event| event.attribute(key));
    let messages = [
        "recorded-error",
        &std::fmt::Error.to_string(),
        "recorded-string",
    ];
    assert!(text("exception.message").eq(messages.map(|text| Some(Value::from(text)))));
    assert_eq!(
        events[0].attribute("exception.type"),
        Some(Value::from("std::io::error::Error"))
    );
    assert!(trace.find("record-exception-active").events().is_empty());
}

/// A large attribute costs neither the others nor the span.
#[test]
fn a_large_attribute_costs_no_other() {
    let large = "x".repeat(300 * 1024);
    let trace = Recorder::new().run(|| {
        enter_span("large", |span| {
            span.set_attribute("marker", 1);
            span.set_attribute("payload", large.as_str());
            span.set_attribute("small", 2);
        });
    });
    let span = trace.find("large");
    assert_eq!(span.attribute("marker"), Some(Value::from(1)));
    assert_eq!(span.attribute("payload"), Some(Value::from(large)));
    assert_eq!(span.attribute("small"), Some(Value::from(2)));
}

/// A name has no limit of ours, and is never cut in the middle of a letter.
#[test]
fn a_name_is_not_cut() {
    let name = format!("{}é{}", "x".repeat(63), "y".repeat(100));
    let trace = Recorder::new().run(|| enter_span(name.clone(), |_| {}));
    assert_eq!(trace.spans()[0].name(), name);
}

/// A span starts when its work does, however long its actor has been idle.
#[test]
fn a_span_starts_when_its_message_is_handled() {
    let recorder = Recorder::new();
    recorder.enter(|| enter_span("first", |_| {}));
    let delivered = SystemTime::now();
    recorder.enter(|| enter_span("second", |_| {}));
    let trace = recorder.trace();
    assert!(trace.find("first").start_time() <= delivered);
    assert!(trace.find("second").start_time() >= delivered);
}
