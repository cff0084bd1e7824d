//! Whole runs are kept or dropped, by their id.

use std::borrow::Cow;
use std::collections::HashMap;

use enter_span::in_span;
use enter_span::invocation::{Invocation, Message, Run, TraceMode};
use enter_span_pipeline::{Pipeline, Sampler};

use crate::pipeline::{AGES, finished, in_memory};

const RUNS: usize = 400;

/// In one process: runs of a start and two invocations, the last of which comes below another process's span.
fn runs_in(mode: TraceMode) {
    for id in 0..RUNS {
        let id = format!("order-{id}");
        let run = Run::new().with_mode(mode).with_id("order.id", &*id);
        let mut message = run.start("order", |_, message| message.to_string());
        for _ in 0..2 {
            let came: Message = message.parse().expect("a message");
            let invocation = Invocation::of(&came)
                .with_mode(mode)
                .with_id("order.id", &*id);
            in_span!("work", invocation = &invocation, || {
                in_span!("step", || {});
                message = invocation.next_message().to_string();
            });
        }
    }
}

/// Without the id, a ratio would keep parts of a run.
#[test]
fn a_run_is_kept_whole_or_not_at_all() {
    if !crate::support::child::is_child("invocation::sampling::a_run_is_kept_whole_or_not_at_all") {
        return;
    }
    let mut kept = Vec::new();
    for mode in [TraceMode::Linked, TraceMode::Continuous] {
        let exporter = in_memory();
        let sampler = Sampler::Runs {
            key: Cow::Borrowed("order.id"),
            ratio: 0.5,
        };
        let builder = Pipeline::builder().with_environment(|_| None);
        let pipeline = builder
            .with_sampler(sampler)
            .with_exporter(exporter.clone())
            .install()
            .expect("installed");
        runs_in(mode);
        // What is of no run is recorded.
        in_span!("other", || {});
        pipeline.flush(AGES).expect("flushed in time");
        let mut spans = HashMap::<String, usize>::new();
        for span in finished(&exporter) {
            let id = span
                .attributes
                .iter()
                .find(|one| one.key.as_str() == "order.id");
            let name = id.map_or_else(|| span.name.to_string(), |id| id.value.to_string());
            *spans.entry(name).or_default() += 1;
        }
        assert_eq!(spans.remove("other"), Some(1));
        let steps = spans.remove("step").expect("steps");
        assert_eq!(steps, 2 * spans.len());
        assert!(spans.values().all(|spans| *spans == 3), "{spans:?}");
        let mut ids: Vec<String> = spans.into_keys().collect();
        ids.sort();
        kept.push(ids);
    }
    // The same ones, whichever process decides.
    assert_eq!(kept[0], kept[1]);
    // Of 400 runs, half: six standard deviations are 60.
    assert!((140..=260).contains(&kept[0].len()), "{}", kept[0].len());
}
