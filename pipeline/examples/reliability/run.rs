//! Spans from four threads through an exporter that fails at random, and what became of them.

use std::panic::resume_unwind;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use enter_span::{Tracer, enter_span};
use enter_span_pipeline::{Counts, Limits, Pipeline};
use opentelemetry::trace::SpanId;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

const THREADS: u64 = 4;

/// What became of all spans.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) counts: Counts,
    /// Spans that the exporter has taken, as it counts itself.
    pub(crate) taken: u64,
    /// Span ids that the exporter saw twice.
    pub(crate) doubles: usize,
    /// Parents that it never saw, beyond those that were dropped before it.
    pub(crate) lost_parents: u64,
}

/// What the exporter saw, also in batches that it refused.
#[derive(Debug, Default)]
struct Seen {
    random: u64,
    taken: u64,
    ids: Vec<u64>,
    parents: Vec<u64>,
}

#[derive(Debug)]
struct Fails(Arc<Mutex<Seen>>);

impl SpanExporter for Fails {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let chance = self.see(&batch);
        match chance % 16 {
            0 | 1 => Err(OTelSdkError::InternalFailure("at random".to_owned())),
            2 => resume_unwind(Box::new("at random")),
            _ => Ok(()),
        }
    }
}

impl Fails {
    fn see(&self, batch: &[SpanData]) -> u64 {
        let number = |id: SpanId| u64::from_be_bytes(id.to_bytes());
        let mut seen = self.0.lock().expect("what was seen");
        for span in batch {
            seen.ids.push(number(span.span_context.span_id()));
            if span.parent_span_id != SpanId::INVALID {
                seen.parents.push(number(span.parent_span_id));
            }
        }
        // A generator by Marsaglia: the same seed gives the same chances.
        seen.random ^= seen.random << 13;
        seen.random ^= seen.random >> 7;
        seen.random ^= seen.random << 17;
        let chance = seen.random >> 32;
        if chance % 16 > 2 {
            seen.taken += batch.len() as u64;
        }
        chance
    }
}

/// Makes at least so many spans, in rounds with a flush after each, where `check` sees the counts.
pub(crate) fn run(spans: u64, rounds: u64, seed: u64, check: impl Fn(Counts)) -> End {
    let seen = Arc::new(Mutex::new(Seen {
        random: seed.max(1),
        ..Seen::default()
    }));
    let limits = Limits {
        queue_spans: 4_096,
        ..Limits::default()
    };
    let pipeline = Pipeline::builder()
        .with_limits(limits)
        .with_warnings(|_| {})
        .with_exporter(Fails(Arc::clone(&seen)))
        .build()
        .expect("threads");
    let tracer = Tracer::new(pipeline.provider(), "reliability");
    let pairs = spans.div_ceil(2 * THREADS * rounds);
    for _ in 0..rounds {
        thread::scope(|threads| {
            for _ in 0..THREADS {
                threads.spawn(|| {
                    for _ in 0..pairs {
                        tracer.enter_span("outer", |_| enter_span("inner", |_| {}));
                    }
                });
            }
        });
        let flushed = pipeline.flush(Duration::from_secs(60));
        flushed.expect("flushed in time");
        check(pipeline.counts());
    }
    let counts = pipeline.counts();
    assert_eq!(counts.recorded, 2 * pairs * THREADS * rounds);
    let mut seen = seen.lock().expect("what was seen");
    end(counts, &mut seen)
}

fn end(counts: Counts, seen: &mut Seen) -> End {
    seen.ids.sort_unstable();
    let doubles = seen.ids.windows(2).filter(|pair| pair[0] == pair[1]);
    let unseen = seen.parents.iter();
    let unseen = unseen.filter(|parent| seen.ids.binary_search(parent).is_err());
    End {
        counts,
        taken: seen.taken,
        doubles: doubles.count(),
        lost_parents: (unseen.count() as u64).saturating_sub(counts.dropped.queue_full),
    }
}
