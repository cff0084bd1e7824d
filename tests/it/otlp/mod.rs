//! OTLP's answers: each a receiver that behaves so, on a real socket, and what the counts and the errors say.

mod client_certificate;
mod decoder;
mod grpc;
mod http;
mod outage;
mod proxy;
mod retry;
mod size;
#[cfg(unix)]
mod socket;
#[cfg(unix)]
mod spool;

use std::time::Duration;

use enter_span_pipeline::{Counts, Limits, Pipeline, PipelineBuilder};

use crate::pipeline::otlp::{build, builder};
use crate::support::scripted::Scripted;

pub(crate) const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
pub(crate) const TIMEOUT: &str = "OTEL_EXPORTER_OTLP_TIMEOUT";

/// A builder that exports there, with further variables.
pub(crate) fn to(url: &str, further: &[(&str, &str)]) -> PipelineBuilder {
    let mut variables = vec![(ENDPOINT, url)];
    variables.extend(further);
    // Of drops, which these tests make.
    builder(&variables).with_warnings(|_| {})
}

pub(crate) fn exporting_to(receiver: &Scripted, further: &[(&str, &str)]) -> Pipeline {
    build(to(receiver.url(), further))
}

/// What fails may be sent again for so many milliseconds.
pub(crate) fn patient_for(milliseconds: u64) -> Limits {
    Limits::default().with_retry_time(Duration::from_millis(milliseconds))
}

#[track_caller]
pub(crate) fn error(pipeline: &Pipeline) -> String {
    pipeline.last_export_error().expect("an error")
}

/// What became of the spans, and how often requests were sent again or given up.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) exported: u64,
    pub(crate) failed: u64,
    pub(crate) timed_out: u64,
    pub(crate) rejected: u64,
    pub(crate) retried: u64,
    pub(crate) given_up: u64,
}

#[track_caller]
pub(crate) fn assert_outcome(pipeline: &Pipeline, expected: Outcome) {
    let counts = pipeline.counts();
    assert_eq!(outcome(&counts), expected, "{counts:?}");
    assert_eq!(counts.recorded, counts.exported + counts.dropped.total());
    let [exporter] = pipeline.exporter_counts()[..] else {
        panic!("one exporter");
    };
    let of_exporter = Outcome {
        exported: exporter.exported,
        failed: exporter.failed,
        timed_out: exporter.timed_out,
        rejected: exporter.rejected,
        retried: exporter.retried,
        given_up: exporter.given_up,
    };
    assert_eq!(of_exporter, expected);
}

fn outcome(counts: &Counts) -> Outcome {
    Outcome {
        exported: counts.exported,
        failed: counts.dropped.export_failed,
        timed_out: counts.dropped.export_timed_out,
        rejected: counts.dropped.rejected,
        retried: counts.retried,
        given_up: counts.given_up,
    }
}
