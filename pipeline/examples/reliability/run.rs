//! Spans from four threads through an exporter that fails at random, and what became of them.

use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use enter_span::Tracer;
use enter_span_pipeline::{Counts, Limits, Pipeline};
use opentelemetry::trace::SpanId;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

use super::work::{Made, Moving, work};

const THREADS: u64 = 4;

/// How the spans come into the pipeline.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    /// By its own backend: it is installed.
    Installed,
    /// By the traits of OpenTelemetry.
    Provider,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) way: Way,
    /// At least so many spans.
    pub(crate) spans: u64,
    /// In rounds, with a flush after each.
    pub(crate) rounds: u64,
    pub(crate) queue_spans: usize,
    pub(crate) seed: u64,
}

/// What became of all spans.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) counts: Counts,
    pub(crate) made: u64,
    /// Spans that the exporter has taken, as it counts itself.
    pub(crate) taken: u64,
    /// Spans that it never saw, also not in a batch that it refused.
    pub(crate) unseen: u64,
    /// Span ids that were made, or seen, twice.
    pub(crate) doubles: u64,
    /// Spans that it saw with a parent that nobody has made.
    pub(crate) orphans: u64,
}

impl End {
    /// Each span was taken, refused by the exporter, or counted as dropped before it; so was each
    /// parent.
    pub(crate) fn is_right(&self) -> bool {
        let Counts {
            recorded,
            exported,
            dropped,
            ..
        } = self.counts;
        self.made == recorded
            && self.taken == exported
            && self.unseen == dropped.queue_full
            && dropped.total() == dropped.queue_full + dropped.export_failed
            && (self.doubles, self.orphans) == (0, 0)
    }
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

/// `check` sees the counts after each flush.
pub(crate) fn run(plan: Plan, check: impl Fn(Counts)) -> End {
    let seen = Arc::new(Mutex::new(Seen {
        random: plan.seed.max(1),
        ..Seen::default()
    }));
    let (pipeline, tracer) = start(plan, Fails(Arc::clone(&seen)));
    let mut made = Made::default();
    // Three spans in a turn, at least.
    let turns = plan.spans.div_ceil(3 * THREADS * plan.rounds);
    for _ in 0..plan.rounds {
        let round = round(turns, tracer.as_ref());
        round.into_iter().for_each(|one| made.add(one));
        let flushed = pipeline.flush(Duration::from_secs(60));
        flushed.expect("flushed in time");
        check(pipeline.counts());
    }
    let mut seen = seen.lock().expect("what was seen");
    end(pipeline.counts(), made, &mut seen)
}

fn start(plan: Plan, exporter: Fails) -> (Pipeline, Option<Tracer>) {
    let limits = Limits::default()
        .with_queue_spans(plan.queue_spans)
        .with_queue_bytes(usize::MAX);
    let builder = Pipeline::builder()
        .with_limits(limits)
        .with_warnings(|_| {})
        .with_exporter(exporter);
    match plan.way {
        Way::Installed => (builder.install().expect("the first one"), None),
        Way::Provider => {
            let pipeline = builder.build().expect("threads");
            let tracer = Tracer::new(pipeline.provider(), "reliability");
            (pipeline, Some(tracer))
        }
    }
}

fn round(turns: u64, tracer: Option<&Tracer>) -> Vec<Made> {
    let (mut nexts, owns): (Vec<_>, Vec<_>) =
        (0..THREADS).map(|_| mpsc::channel::<Moving>()).unzip();
    nexts.rotate_left(1);
    thread::scope(|threads| {
        let ring = nexts.into_iter().zip(owns);
        let working: Vec<_> = ring
            .map(|(next, own)| threads.spawn(move || work(turns, tracer, next, &own)))
            .collect();
        let joined = working.into_iter().map(|thread| thread.join());
        joined.map(|made| made.expect("a thread")).collect()
    })
}

fn end(counts: Counts, mut made: Made, seen: &mut Seen) -> End {
    made.ids.sort_unstable();
    seen.ids.sort_unstable();
    let doubles = |ids: &[u64]| ids.windows(2).filter(|pair| pair[0] == pair[1]).count() as u64;
    let was_made = |id: &&u64| made.ids.binary_search(id).is_ok();
    let named = seen.ids.iter().filter(was_made).count() as u64;
    // What was seen and is not known by its id is one of the leaves.
    let leaves = seen.ids.len() as u64 - named;
    let known = made.ids.len() as u64;
    End {
        counts,
        made: known + made.leaves,
        taken: seen.taken,
        unseen: known - named + (made.leaves - leaves),
        doubles: doubles(&seen.ids) + doubles(&made.ids),
        orphans: seen.parents.len() as u64 - seen.parents.iter().filter(was_made).count() as u64,
    }
}
