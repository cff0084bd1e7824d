//! The rules: each keeps what it says, for the reason that it says.

use std::borrow::Borrow;
use std::sync::mpsc;
use std::time::Duration;

use enter_span::{Span, Status, enter_span, in_span, start_span};
use enter_span_pipeline::Keep;
use opentelemetry::trace::SpanKind;
use opentelemetry_sdk::trace::{Sampler, SamplingDecision, ShouldSample as _};
use rstest::rstest;

use super::{caller, names, reason, reasons, rig};

fn fail(span: impl Borrow<Span>) {
    span.borrow().set_status(Status::error("no answer"));
}

/// The whole trace, whichever span has failed, and nothing of others.
#[test]
fn an_error_anywhere_keeps_the_trace() {
    let rig = rig(Keep::errors());
    rig.tracer.enter_span("root", |_| {
        enter_span("child", |_| enter_span("failed", fail));
        enter_span("after", |_| {});
    });
    rig.tracer
        .enter_span("other", |_| enter_span("fine", |_| {}));
    let mut names = rig.names();
    names.sort();
    assert_eq!(names, ["after", "child", "failed", "root"]);
    let counts = rig.pipeline.counts();
    assert_eq!((counts.exported, counts.not_kept), (4, 2));
    assert_eq!((counts.keep.kept, counts.keep.not_kept), (1, 1));
}

/// By the duration of the local root, which is to be longer and not as long.
#[test]
fn a_slow_root_keeps_the_trace() {
    let most = Duration::from_millis(500);
    let rig = rig(Keep::slower_than(most));
    rig.root_of(most, "as long");
    rig.root_of(most + Duration::from_nanos(1), "longer");
    rig.root_of(Duration::ZERO, "fast");
    let kept = rig.flush();
    assert_eq!(reasons(&kept), [("longer".into(), Some("slower".into()))]);
}

/// Whatever the value, and on whichever span.
#[test]
fn a_key_keeps_the_trace() {
    let rig = rig(Keep::with("debug").or_with("audit"));
    rig.tracer.enter_span("debugged", |_| {
        enter_span("child", |span| _ = span.set_attribute("debug", false));
    });
    rig.tracer
        .enter_span("audited", |span| _ = span.set_attribute("audit", 1));
    rig.tracer
        .enter_span("plain", |span| _ = span.set_attribute("debugger", true));
    let kept = rig.flush();
    let roots: Vec<_> = kept.iter().filter_map(reason).collect();
    assert_eq!(roots, ["with debug", "with audit"]);
    assert_eq!(kept.len(), 3);
}

/// A rule of the application's sees what a trace has.
#[test]
fn a_rule_sees_the_local_trace() {
    let (sees, seen) = mpsc::channel();
    let keep = Keep::by(move |trace| {
        let root = trace.root().expect("it has ended");
        let list = trace.spans().map(|span| span.name().to_owned());
        let text = format!(
            "{:?} {:?} error={} root={} {:?} scope={} key={:?} links={} description={:?} longest={}",
            trace.trace_id() == opentelemetry::trace::TraceId::from(9_u128),
            list.collect::<Vec<_>>(),
            trace.has_error(),
            root.name(),
            root.kind(),
            root.scope(),
            root.attribute("tenant").map(ToString::to_string),
            root.links().len(),
            trace
                .spans()
                .find(|span| span.is_error())
                .map(|span| span.status_description().to_owned()),
            trace.duration() >= trace.spans().map(|span| span.duration()).max(),
        );
        sees.send(text).ok();
        root.attribute("tenant").is_some()
    });
    let rig = rig(keep);
    let linked = caller(1);
    in_span!(
        "root",
        tracer = rig.tracer,
        parent = caller(9),
        kind = server,
        links(linked),
        |span| {
            span.set_attribute("tenant", "a");
            enter_span("child", fail);
        }
    );
    rig.tracer.enter_span("other", |_| {});
    let kept = rig.flush();
    assert_eq!(names(&kept), ["root", "child"]);
    assert_eq!(kept[0].span_kind, SpanKind::Server);
    assert_eq!(reason(&kept[0]).as_deref(), Some("by"));
    let seen: Vec<String> = seen.try_iter().collect();
    assert_eq!(seen.len(), 2, "{seen:?}");
    assert_eq!(
        seen[0],
        "true [\"child\", \"root\"] error=true root=root Server scope=it key=Some(\"a\") links=1 description=Some(\"no answer\") longest=true"
    );
}

/// What a cancelled span says is seen too.
#[test]
fn a_rule_sees_outcomes() {
    let keep = Keep::by(|trace| {
        trace
            .spans()
            .any(|span| span.outcome() == Some("cancelled"))
    });
    let rig = rig(keep);
    rig.tracer.enter_span("dropped", |_| {
        let mut future = Box::pin(enter_span::enter_span_async("waits", async |_: Span| {
            std::future::pending::<()>().await;
        }));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(future.as_mut().poll(&mut context).is_pending());
    });
    rig.tracer.enter_span("done", |_| {});
    assert_eq!(rig.names(), ["dropped", "waits"]);
}

/// A rule that panics keeps its trace, and the pipeline goes on.
#[test]
fn a_rule_that_panics_keeps_its_trace() {
    let rig = rig(Keep::by(|trace| match trace.root() {
        Some(root) if root.name() == "bad" => std::panic::resume_unwind(Box::new("a bug")),
        _ => false,
    }));
    rig.tracer.enter_span("bad", |_| {});
    rig.tracer.enter_span("good", |_| {});
    assert_eq!(reasons(&rig.flush()), [("bad".into(), Some("by".into()))]);
    assert_eq!(rig.pipeline.counts().keep.panics, 1);
    rig.tracer.enter_span("bad", |_| {});
    assert_eq!(rig.names(), ["bad"]);
}

/// Services that share a fraction keep the same traces, also where one of them uses the SDK.
#[rstest]
#[case(0.3)]
#[case(0.0)]
#[case(1.0)]
fn a_fraction_is_that_of_the_sdk(#[case] fraction: f64) {
    let rig = rig(Keep::fraction(fraction));
    let sdk = Sampler::TraceIdRatioBased(fraction);
    let mut expected = Vec::new();
    for _ in 0..300 {
        let span = start_span!("root", tracer = rig.tracer, root);
        let trace_id = span.trace_id().expect("a trace");
        let answer =
            sdk.should_sample(None, trace_id.into(), "root", &SpanKind::Internal, &[], &[]);
        if answer.decision == SamplingDecision::RecordAndSample {
            expected.push(trace_id.to_string());
        }
    }
    let kept = rig.flush();
    let mut found: Vec<_> = kept
        .iter()
        .map(|span| span.span_context.trace_id().to_string())
        .collect();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    assert!(
        kept.iter()
            .all(|span| reason(span).as_deref() == Some("fraction"))
    );
}

#[rstest]
#[case(f64::NAN, 0)]
#[case(-1.0, 0)]
#[case(7.0, 1)]
#[case(f64::INFINITY, 1)]
fn a_fraction_out_of_range_is_the_nearest(#[case] fraction: f64, #[case] kept: usize) {
    let rig = rig(Keep::fraction(fraction));
    rig.tracer.enter_span("root", |_| {});
    assert_eq!(rig.flush().len(), kept);
}

/// The first rule in the order of the documentation, whatever the order of the calls.
#[test]
fn the_first_reason_is_told() {
    let keep = || {
        Keep::fraction(1.0)
            .or_by(|_| true)
            .or_with("debug")
            .or_errors()
    };
    let rig = rig(keep().or_slower_than(Duration::from_secs(60)));
    rig.tracer
        .enter_span("fails", |span| fail(span.set_attribute("debug", 1)));
    rig.tracer
        .enter_span("debugged", |span| _ = span.set_attribute("debug", 1));
    rig.root_of(Duration::from_secs(61), "slow");
    rig.tracer.enter_span("plain", |_| {});
    let found: Vec<_> = reasons(&rig.flush())
        .into_iter()
        .filter_map(|(_, reason)| reason)
        .collect();
    let mut sorted = found.clone();
    sorted.sort();
    assert_eq!(sorted, ["by", "error", "slower", "with debug"]);
}

/// A root has its own rules by its name or scope; of several that fit, the last one holds.
#[test]
fn a_root_has_rules_of_its_own() {
    let keep = Keep::errors()
        .for_root("health", Keep::none())
        .for_scope("it", Keep::all())
        .for_root("ready", Keep::none().for_scope("it", Keep::errors()));
    let rig = rig(keep);
    let other = rig.pipeline.tracer("other");
    rig.tracer.enter_span("health", fail);
    rig.tracer.enter_span("ready", |_| {});
    rig.tracer
        .enter_span("ready", |_| enter_span("failed", fail));
    rig.tracer
        .enter_span("work", |_| enter_span("health", |_| {}));
    other.enter_span("health", fail);
    other.enter_span("ready", fail);
    other.enter_span("work", |_| {});
    other.enter_span("work", fail);
    let kept = reasons(&rig.flush());
    let expected = [
        ("health", Some("fraction")),
        ("ready", Some("error")),
        ("failed", None),
        ("work", Some("fraction")),
        ("health", None),
        ("work", Some("error")),
    ];
    let expected = expected.map(|(name, reason)| (name.to_owned(), reason.map(str::to_owned)));
    assert_eq!(kept, expected);
}

/// Under a rule that keeps errors nothing changes the decision: what is there goes at once, the rest as it ends.
#[test]
fn an_error_is_exported_before_its_root_has_ended() {
    let rig = rig(Keep::errors().or_with("debug"));
    for (name, key) in [("failed", "none"), ("debugged", "debug")] {
        let root = start_span!("root", tracer = rig.tracer, root);
        root.enter(|| enter_span("before", |_| {}));
        assert_eq!(rig.names(), [""; 0]);
        root.enter(|| {
            enter_span(name, |span| {
                span.set_attribute(key, true);
                if name == "failed" {
                    fail(span);
                }
            });
        });
        assert_eq!(rig.names(), ["before", name]);
        root.enter(|| enter_span("after", |_| {}));
        assert_eq!(rig.names(), ["after"]);
        drop(root);
        let expected = if name == "failed" {
            "error"
        } else {
            "with debug"
        };
        assert_eq!(
            reasons(&rig.flush()),
            [("root".into(), Some(expected.into()))]
        );
    }
}

/// Where some roots have rules without it, an error decides nothing before the root is known.
#[test]
fn an_error_waits_where_a_root_may_have_other_rules() {
    let rig = rig(Keep::errors().for_root("health", Keep::none()));
    let root = start_span!("health", tracer = rig.tracer, root);
    root.enter(|| enter_span("failed", fail));
    assert_eq!(rig.names(), [""; 0]);
    drop(root);
    assert_eq!(rig.names(), [""; 0]);
    assert_eq!(rig.pipeline.counts().not_kept, 2);
}
