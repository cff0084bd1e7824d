//! What a span may hold: all that it says is within its limits, what says how it ended has room before
//! anything else, and what a queue holds is counted by what it takes.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use enter_span::attribute::OwnedKey;
use enter_span::{Span, Tracer, in_span};
use enter_span_pipeline::{Limits, Pipeline, Sampler, SpanLimits};
use opentelemetry::trace::{
    Link, Span as _, SpanContext, SpanId, SpanKind, Status, TraceContextExt as _, TraceFlags,
    TraceId, TraceState, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Array, Context, KeyValue, StringValue};
use opentelemetry_sdk::trace::{SamplingDecision, SamplingResult, ShouldSample, SpanData};
use rstest::rstest;

use crate::pipeline::{AGES, build, finished, gated, in_memory, tracer};
use crate::support::allocations;
use crate::support::child::is_child;

/// The one span that `work` makes within these limits.
fn limited(limits: SpanLimits, work: impl FnOnce(&Tracer)) -> SpanData {
    let exporter = in_memory();
    let builder = Pipeline::builder().with_span_limits(limits);
    let pipeline = build(builder.with_exporter(exporter.clone()));
    work(&tracer(&pipeline));
    pipeline.flush(AGES).expect("flushed in time");
    let mut spans = finished(&exporter);
    assert_eq!(spans.len(), 1);
    spans.remove(0)
}

fn value<'a>(list: &'a [KeyValue], key: &str) -> Option<Cow<'a, str>> {
    let mut found = list.iter().filter(|a| a.key.as_str() == key);
    let value = found.next().map(|a| a.value.as_str());
    assert!(found.next().is_none(), "two of the key {key}");
    value
}

fn event_names(span: &SpanData) -> Vec<&str> {
    span.events.iter().map(|event| &*event.name).collect()
}

/// In characters, also what is written of the place in source; a number is no text.
#[test]
fn texts_of_the_place_in_source_are_cut() {
    #[enter_span::enter_span(tracer = tracer)]
    fn déjà_vu(tracer: &Tracer) {}
    let whole = limited(SpanLimits::default(), déjà_vu);
    let function = value(&whole.attributes, "code.function.name").expect("a path");
    let file = value(&whole.attributes, "code.file.path").expect("a path");
    assert!(function.ends_with("déjà_vu") && file.ends_with("limits.rs"));
    for most in 0..=function.chars().count() + 1 {
        let limits = SpanLimits::default().with_text(most);
        let span = limited(limits, déjà_vu);
        let head = |text: &str| text.chars().take(most).collect::<String>();
        let of = |key| value(&span.attributes, key).map(Cow::into_owned);
        assert_eq!(of("code.function.name"), Some(head(&function)));
        assert_eq!(of("code.file.path"), Some(head(&file)));
        let line = value(&whole.attributes, "code.line.number");
        assert_eq!(of("code.line.number").as_deref(), line.as_deref());
    }
}

/// Says more than a sampler should.
#[derive(Clone, Debug)]
struct Talks;

impl ShouldSample for Talks {
    fn should_sample(
        &self,
        _: Option<&Context>,
        _: TraceId,
        _: &str,
        _: &SpanKind,
        _: &[KeyValue],
        _: &[Link],
    ) -> SamplingResult {
        SamplingResult {
            decision: SamplingDecision::RecordAndSample,
            attributes: vec![
                KeyValue::new("sampler", "vvvvv"),
                KeyValue::new("code.function.name", "sampler"),
            ],
            trace_state: TraceState::NONE,
        }
    }
}

/// Whoever says it, and wherever.
#[test]
fn all_texts_are_cut() {
    let exporter = in_memory();
    let limits = SpanLimits::default().with_text(3);
    let builder = Pipeline::builder()
        .with_span_limits(limits)
        .with_sampler(Sampler::Custom(Box::new(Talks)));
    let pipeline = build(builder.with_exporter(exporter.clone()));
    let tracer = tracer(&pipeline);
    let long = || "vvvvv".to_owned();
    let failed: Result<(), String> = in_span!(
        "work",
        tracer = tracer,
        start(start = "vvvvv"),
        attributes(constant = "vvvvv", owned = long(), shown = %long(), list = ["vvvvv"; 2]),
        |span| {
            span.set_attribute("handle", long())
                .set_attribute(OwnedKey::<str>::new("key"), long())
                .add_event("event", [("event", long())]);
            let linked = SpanContext::new(
                TraceId::from(1),
                SpanId::from(2),
                TraceFlags::SAMPLED,
                true,
                TraceState::NONE,
            );
            let context = Context::from(span.context());
            context.span().add_link(linked, vec![KeyValue::new("link", long())]);
            Err(long())
        }
    );
    assert!(failed.is_err());
    pipeline.flush(AGES).expect("flushed in time");
    let span = &finished(&exporter)[0];
    assert_eq!(span.events.len(), 2);
    let lists = span.events.iter().map(|event| &event.attributes);
    let lists = lists.chain(span.links.iter().map(|link| &link.attributes));
    let mut texts = 0;
    for attribute in lists.chain([&span.attributes]).flatten() {
        let value = match &attribute.value {
            opentelemetry::Value::String(text) => text.as_str(),
            opentelemetry::Value::Array(Array::String(list)) => list[1].as_str(),
            _ => continue,
        };
        assert_eq!(value.chars().count(), 3, "{attribute:?}");
        texts += 1;
    }
    // Eight of the span's own, two of its place, one of its end, one of an event, two of the exception's and
    // one of a link.
    assert_eq!(texts, 15, "{span:?}");
}

/// What the site says is said once, whoever else says it.
#[test]
fn the_place_in_source_is_said_once() {
    let exporter = in_memory();
    let builder = Pipeline::builder().with_sampler(Sampler::Custom(Box::new(Talks)));
    let pipeline = build(builder.with_exporter(exporter.clone()));
    let tracer = tracer(&pipeline);
    in_span!("work", tracer = tracer, start(code.line.number = 0), |_| ());
    pipeline.flush(AGES).expect("flushed in time");
    let span = &finished(&exporter)[0];
    let function = value(&span.attributes, "code.function.name").expect("a path");
    assert_eq!(function, "it::span::limits");
    assert_ne!(
        value(&span.attributes, "code.line.number").as_deref(),
        Some("0")
    );
}

#[derive(Clone, Copy, Debug)]
enum Full {
    Events,
    Attributes,
    BytesOfEvents,
    BytesOfAttributes,
    BytesOfLinks,
    Name,
}

impl Full {
    fn limits(self) -> SpanLimits {
        let default = SpanLimits::default().with_bytes(4096);
        match self {
            Full::Events => default.with_events(3),
            Full::Attributes => default.with_attributes(3),
            _ => default,
        }
    }

    fn fill(self, span: &Span) {
        let text = "x".repeat(64);
        for number in 0..128 {
            let key = || OwnedKey::<str>::new(format!("key {number}"));
            match self {
                Full::Events => _ = span.add_event("event", ()),
                Full::Attributes | Full::BytesOfAttributes => _ = span.set_attribute(key(), &*text),
                Full::BytesOfEvents => _ = span.add_event("event", [(key(), &*text)]),
                Full::BytesOfLinks => _ = span.add_link(span),
                Full::Name => _ = span.update_name("x".repeat(4096)),
            }
        }
    }
}

/// Of the failure: the kind, and the event with its type and its text.
#[track_caller]
fn assert_says_how_it_ended(span: &SpanData, kind: &str, message: &str) {
    assert_eq!(value(&span.attributes, "error.type").as_deref(), Some(kind));
    let last = span.events.last().expect("an event");
    assert_eq!(last.name, "exception");
    assert_eq!(
        value(&last.attributes, "exception.type").as_deref(),
        Some(kind)
    );
    assert_eq!(
        value(&last.attributes, "exception.message").as_deref(),
        Some(message)
    );
    assert_eq!(span.status, Status::error(message.to_owned()));
}

/// Whatever has used up its room; what gives way for it is counted.
#[rstest]
fn how_a_span_ended_has_room(
    #[values(
        Full::Events,
        Full::Attributes,
        Full::BytesOfEvents,
        Full::BytesOfAttributes,
        Full::BytesOfLinks,
        Full::Name
    )]
    full: Full,
) {
    let failed = limited(full.limits(), |tracer| {
        let failed: Result<(), String> = in_span!("work", tracer = tracer, |span| {
            full.fill(&span);
            Err("refused".to_owned())
        });
        assert!(failed.is_err());
    });
    assert_says_how_it_ended(&failed, "alloc::string::String", "refused");
    let told = limited(full.limits(), |tracer| {
        tracer.enter_span("work", |span| {
            full.fill(&span);
            span.set_outcome(&Err::<(), _>("refused".to_owned()));
        });
    });
    assert_says_how_it_ended(&told, "alloc::string::String", "refused");
    let panicked = limited(full.limits(), |tracer| {
        let work = || {
            tracer.enter_span("work", |span| {
                full.fill(&span);
                resume_unwind(Box::new("burst"))
            })
        };
        let caught: Result<(), _> = catch_unwind(AssertUnwindSafe(work));
        assert!(caught.is_err());
    });
    assert_says_how_it_ended(&panicked, "panic", "burst");
    let most = full.limits();
    for span in [failed, told, panicked] {
        assert!(span.events.len() <= most.events && span.attributes.len() <= most.attributes);
        let (events, attributes) = (span.events.dropped_count, span.dropped_attributes_count);
        match full {
            Full::Events | Full::BytesOfEvents => {
                assert_eq!(span.events.len() + events as usize, 128 + 1);
            }
            Full::Attributes | Full::BytesOfAttributes => {
                let code =
                    if span.name == "work" && span.attributes.len() + attributes as usize > 129 {
                        3
                    } else {
                        0
                    };
                assert_eq!(span.attributes.len() + attributes as usize, 128 + 1 + code);
            }
            Full::BytesOfLinks => {
                assert_eq!(span.links.len() + span.links.dropped_count as usize, 128);
            }
            Full::Name => {}
        }
    }
}

/// The place in source gives way as well.
#[test]
fn how_a_span_ended_comes_before_where_it_stands() {
    let limits = SpanLimits::default().with_attributes(3);
    let span = limited(limits, |tracer| {
        _ = in_span!("work", tracer = tracer, |_| Err::<(), _>(
            "refused".to_owned()
        ));
    });
    assert!(value(&span.attributes, "error.type").is_some());
    assert_eq!(
        (span.attributes.len(), span.dropped_attributes_count),
        (3, 1)
    );
}

/// A limit of none is one.
#[test]
fn a_span_without_events_has_none() {
    let limits = SpanLimits::default().with_events(0).with_attributes(0);
    let span = limited(limits, |tracer| {
        _ = in_span!("work", tracer = tracer, |_| Err::<(), _>(
            "refused".to_owned()
        ));
    });
    assert_eq!((span.events.len(), span.events.dropped_count), (0, 1));
    assert_eq!(
        (span.attributes.len(), span.dropped_attributes_count),
        (0, 4)
    );
    assert_eq!(span.status, Status::error("refused"));
}

/// Its text is cut as any other one.
#[test]
fn a_long_error_is_cut() {
    let span = limited(Full::BytesOfEvents.limits(), |tracer| {
        _ = in_span!("work", tracer = tracer, |span| {
            Full::BytesOfEvents.fill(&span);
            Err::<(), _>("x".repeat(1 << 20))
        });
    });
    let last = span.events.last().expect("an event");
    assert_eq!(last.name, "exception");
    let message = value(&last.attributes, "exception.message").expect("a text");
    assert!((512..4096).contains(&message.len()), "{}", message.len());
}

/// An error that was recorded by hand among too many events has room too, and is then the only one.
#[test]
fn an_error_by_hand_has_room() {
    let span = limited(Full::Events.limits(), |tracer| {
        _ = in_span!("work", tracer = tracer, |span| {
            Full::Events.fill(&span);
            span.record_error(&std::fmt::Error);
            span.add_event("late", ());
            Err::<(), _>("refused".to_owned())
        });
    });
    assert_eq!(event_names(&span), ["event", "event", "exception"]);
    let theirs = value(&span.events[2].attributes, "exception.type");
    assert_eq!(theirs.as_deref(), Some("core::fmt::Error"));
}

/// That of other instrumentation is one as well.
#[test]
fn an_exception_of_others_has_room() {
    let exporter = in_memory();
    let builder = Pipeline::builder().with_span_limits(Full::Events.limits());
    let pipeline = build(builder.with_exporter(exporter.clone()));
    let mut span = pipeline.provider().tracer("theirs").start("work");
    (0..4).for_each(|_| span.add_event("event", Vec::new()));
    span.record_error(&std::fmt::Error);
    span.end();
    pipeline.flush(AGES).expect("flushed in time");
    assert_eq!(
        event_names(&finished(&exporter)[0]),
        ["event", "event", "exception"]
    );
}

/// How a span was cancelled, or abandoned, is kept as well.
#[test]
fn a_span_that_was_cancelled_says_so() {
    use futures::FutureExt as _;
    let span = limited(Full::BytesOfEvents.limits(), |tracer| {
        let work = tracer.enter_span_async("work", async |span: Span| {
            Full::BytesOfEvents.fill(&span);
            std::future::pending::<()>().await;
        });
        assert_eq!(work.now_or_never(), None);
    });
    assert_eq!(
        value(&span.attributes, "enter_span.outcome").as_deref(),
        Some("cancelled")
    );
}

/// A text of four bytes in the room of many.
fn roomy(bytes: usize) -> String {
    let mut text = "x".repeat(bytes);
    text.truncate(4);
    text
}

fn roomy_list<T>(list: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut roomy = Vec::with_capacity(1024);
    roomy.extend(list);
    roomy
}

const BUDGET: usize = 4 << 20;

/// The bytes that a full queue holds, while its exporter hangs, beside its budget.
#[track_caller]
fn assert_within_the_budget(name: &str, work: impl Fn(&Pipeline, &Tracer)) {
    let (blocks, has_started, open) = gated();
    let limits = Limits::default()
        .with_queue_bytes(BUDGET)
        .with_queue_spans(1 << 20)
        .with_batch_bytes(64 << 10);
    let builder = Pipeline::builder().with_limits(limits);
    let mut pipeline = None;
    let held = allocations::held_after(|| {
        let built = build(builder.with_exporter(blocks));
        let tracer = tracer(&built);
        while built.counts().dropped.queue_full == 0 {
            (0..64).for_each(|_| work(&built, &tracer));
        }
        pipeline = Some(built);
    });
    has_started.recv().expect("an export");
    let part = held as f64 / BUDGET as f64;
    assert!(part <= 1.2, "{name}: {part:.2} of the budget");
    assert!(part >= 0.4, "{name}: {part:.2} of the budget is little");
    drop(open);
}

/// By what they take, and not by what they show: texts that were cut, and the room that lists have.
#[test]
fn a_full_queue_holds_its_budget() {
    if !is_child("span::limits::a_full_queue_holds_its_budget") {
        return;
    }
    assert_within_the_budget("plain", |_, tracer| tracer.enter_span("work", |_| {}));
    assert_within_the_budget("names", |_, tracer| {
        tracer.enter_span(roomy(1 << 16), |_| {})
    });
    assert_within_the_budget("names with a little room", |_, tracer| {
        let mut name = String::with_capacity(100);
        name.push_str(&"x".repeat(60));
        tracer.enter_span(name, |_| {});
    });
    assert_within_the_budget("renames", |_, tracer| {
        tracer.enter_span("work", |span| _ = span.update_name(roomy(1 << 16)));
    });
    assert_within_the_budget("descriptions", |_, tracer| {
        tracer.enter_span("work", |span| {
            _ = span.set_status(enter_span::Status::error(roomy(1 << 16)));
        });
    });
    assert_within_the_budget("event names", |_, tracer| {
        tracer.enter_span("work", |span| {
            (0..4).for_each(|_| _ = span.add_event(roomy(1 << 16), ()));
        });
    });
    assert_within_the_budget("libraries", |pipeline, _| {
        pipeline.tracer("x".repeat(200)).enter_span("work", |_| {});
    });
    assert_within_the_budget("small attributes", |_, tracer| {
        tracer.enter_span("work", |span| {
            for number in 0..40 {
                span.set_attribute(OwnedKey::<str>::new(format!("k{number}")), "v");
            }
        });
    });
    assert_within_the_budget("small events", |_, tracer| {
        tracer.enter_span("work", |span| {
            (0..9).for_each(|_| _ = span.add_event("event", [("k", "v")]));
        });
    });
    assert_within_the_budget("links", |_, tracer| {
        tracer.enter_span("work", |span| (0..9).for_each(|_| _ = span.add_link(&span)));
    });
    assert_within_the_budget("lists", |_, tracer| {
        tracer.enter_span("work", |span| {
            span.set_attribute("texts", vec!["v"; 20]);
            span.set_attribute("numbers", vec![1; 20]);
        });
    });
    assert_within_the_budget("failures", |_, tracer| {
        let work = |_: Span| Err::<(), _>("refused".to_owned());
        tracer.enter_span("work", |span| {
            let failed = work(span.clone());
            span.set_outcome(&failed);
        });
    });
}

/// The same of what comes by OpenTelemetry's own interface, whose lists have any room.
#[test]
fn a_full_queue_of_others_holds_its_budget() {
    if !is_child("span::limits::a_full_queue_of_others_holds_its_budget") {
        return;
    }
    let spans = |change: fn(&mut enter_span_pipeline::PipelineSpan)| {
        move |pipeline: &Pipeline, _: &Tracer| {
            let mut span = pipeline.provider().tracer("theirs").start(roomy(1 << 16));
            change(&mut span);
        }
    };
    assert_within_the_budget("names", spans(|_| {}));
    assert_within_the_budget(
        "events",
        spans(|span| {
            span.add_event(roomy(1 << 16), roomy_list([KeyValue::new("k", 1)]));
        }),
    );
    assert_within_the_budget(
        "lists",
        spans(|span| {
            let list = roomy_list([StringValue::from("v")]);
            span.set_attribute(KeyValue::new(
                "list",
                opentelemetry::Value::Array(Array::String(list)),
            ));
        }),
    );
    assert_within_the_budget(
        "links",
        spans(|span| {
            let state = (0..32).map(|number| (format!("k{number}"), "v"));
            let linked = SpanContext::new(
                TraceId::from(1),
                SpanId::from(2),
                TraceFlags::SAMPLED,
                true,
                TraceState::from_key_value(state).expect("a valid state"),
            );
            span.add_link(linked, roomy_list([KeyValue::new("k", 1)]));
        }),
    );
}
