//! What no span in OpenTelemetry's context can do without, each part alone and all together, beside a span
//! of ours, in one run.
//!
//! Arguments, both optional: the rounds, and the spans in each round.

use std::borrow::Cow;
use std::cell::RefCell;
use std::hint::black_box;
use std::time::{Duration, SystemTime};

use enter_span_benches::{Candidate, Nowhere, measure};
use enter_span_pipeline::{Limits, Pipeline};
use opentelemetry::trace::{
    Span, SpanContext, SpanId, Status, TraceContextExt as _, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{Context, KeyValue};

/// Records nothing and shares nothing.
struct Nothing(SpanContext);

impl Span for Nothing {
    fn add_event_with_timestamp<T: Into<Cow<'static, str>>>(
        &mut self,
        _: T,
        _: SystemTime,
        _: Vec<KeyValue>,
    ) {
    }

    fn span_context(&self) -> &SpanContext {
        &self.0
    }

    fn is_recording(&self) -> bool {
        true
    }

    fn set_attribute(&mut self, _: KeyValue) {}

    fn set_status(&mut self, _: Status) {}

    fn update_name<T: Into<Cow<'static, str>>>(&mut self, _: T) {}

    fn add_link(&mut self, _: SpanContext, _: Vec<KeyValue>) {}

    fn end_with_timestamp(&mut self, _: SystemTime) {}
}

/// What has to be known of a span when it has ended, but for its attributes.
struct Ended {
    _place: (TraceId, SpanId, SpanId, TraceFlags),
    _name: Cow<'static, str>,
    _origin: (usize, usize),
    _times: (u64, u64),
    _more: Option<Box<u64>>,
}

/// Lists that are used again, on this thread.
#[derive(Default)]
struct Lists {
    spans: Vec<Ended>,
    attributes: Vec<KeyValue>,
}

/// A list of the pipeline holds as many.
const MOST: usize = 512;

thread_local! {
    static LISTS: RefCell<Lists> = RefCell::default();
    static COUNTER: quanta::Clock = quanta::Clock::new();
    static SEED: RefCell<u64> = const { RefCell::new(1) };
}

fn now() -> u64 {
    COUNTER.with(quanta::Clock::raw)
}

/// By xorshift: one of the quickest there are.
fn random() -> SpanId {
    SEED.with_borrow_mut(|seed| {
        *seed ^= *seed << 13;
        *seed ^= *seed >> 7;
        *seed ^= *seed << 17;
        SpanId::from(*seed)
    })
}

fn identity(parent: &SpanContext, id: SpanId) -> SpanContext {
    let state = TraceState::NONE;
    SpanContext::new(parent.trace_id(), id, TraceFlags::SAMPLED, false, state)
}

fn in_context<R>(id: SpanId, body: impl FnOnce(&Context) -> R) -> R {
    let context = Context::map_current(|parent| {
        let identity = identity(parent.span().span_context(), id);
        parent.with_span(Nothing(identity))
    });
    let result = body(&context);
    let guard = context.attach();
    black_box(&guard);
    result
}

fn write(context: SpanContext, parent: SpanId, times: (u64, u64), id: i64) {
    LISTS.with_borrow_mut(|lists| {
        if lists.spans.len() == MOST {
            black_box(&mut *lists);
            lists.spans.clear();
            lists.attributes.clear();
        }
        lists.attributes.push(KeyValue::new("id", id));
        lists.spans.push(Ended {
            _place: (
                context.trace_id(),
                context.span_id(),
                parent,
                context.trace_flags(),
            ),
            _name: Cow::Borrowed("child"),
            _origin: (1, 1),
            _times: times,
            _more: None,
        });
    });
}

fn contexts(times: u64) {
    for id in 1..=times {
        in_context(SpanId::from(id), |_| ());
    }
}

fn readings(times: u64) {
    for _ in 0..times {
        black_box((now(), now()));
    }
}

fn ids(times: u64) {
    for _ in 0..times {
        black_box(random());
    }
}

fn records(times: u64) {
    for id in 0..times {
        write(SpanContext::NONE, SpanId::INVALID, (id, id), id as i64);
    }
}

fn together(times: u64) {
    for id in 0..times {
        let start = now();
        let own = in_context(random(), |context| context.span().span_context().clone());
        write(own, SpanId::INVALID, (start, now()), id as i64);
    }
}

#[enter_span::enter_span(attributes(id))]
fn child(id: u64) -> u64 {
    black_box(id).wrapping_add(1)
}

fn ours(times: u64) {
    enter_span::in_span!("root", |_| {
        for id in 0..times {
            black_box(child(id));
        }
    });
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut numbers = std::env::args().skip(1).map(|number| number.parse());
    let rounds = numbers.next().unwrap_or(Ok(201))?;
    let spans = numbers.next().unwrap_or(Ok(2_000))?;
    let limits = Limits::default().with_queue_spans(1 << 20);
    let builder = Pipeline::builder().with_exporter(Nowhere);
    let pipeline = builder.with_limits(limits).install()?;
    let candidates = [
        Candidate::new("OpenTelemetry's context, attached and detached", contexts),
        Candidate::new("two readings of the processor's counter", readings),
        Candidate::new("a random span id", ids),
        Candidate::new("an attribute and a record, written", records),
        Candidate::new("all of it", together),
        Candidate::new("a span of `enter_span`", ours),
    ];
    let samples = measure(&candidates, rounds as usize, spans);
    println!("{rounds} rounds of {spans}");
    println!();
    println!("| a span | ns | p10..p90 |");
    println!("|---|--:|--:|");
    for (candidate, samples) in candidates.iter().zip(&samples) {
        let (low, high) = samples.spread();
        let median = samples.median();
        println!("| {} | {median:.0} | {low:.0}..{high:.0} |", candidate.name);
    }
    pipeline.shutdown(Duration::from_secs(10))?;
    println!();
    println!("{} spans dropped", pipeline.counts().dropped.total());
    Ok(())
}
