//! How often a thread that makes spans waits: the voluntary context switches of eight threads that make spans
//! as fast as they can, beside a queue that is about full, other threads that read the counts and flush, and
//! readers of the open spans where that feature is on. The same loop with the pipeline off comes first and last:
//! what it shows is not the pipeline's.
//!
//! Linux only. Arguments, both optional: seconds for each candidate, and threads.

use std::hint::black_box;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use enter_span_benches::Nowhere;
use enter_span_pipeline::{Limits, Pipeline};
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider, SpanData, SpanExporter,
};

#[enter_span::enter_span(attributes(id))]
fn annotated(id: u64) -> u64 {
    black_box(id).wrapping_add(1)
}

/// Takes a millisecond for a batch.
#[derive(Debug)]
struct Slow;

impl SpanExporter for Slow {
    async fn export(&self, batch: Vec<SpanData>) -> opentelemetry_sdk::error::OTelSdkResult {
        thread::sleep(Duration::from_millis(1));
        Nowhere.export(batch).await
    }
}

#[derive(Default)]
struct Counted {
    spans: u64,
    waits: u64,
    faults: u64,
    times: Times,
}

/// How long spans took: how many in each class. A class is an eighth of a power of two wide.
struct Times([u64; 512]);

impl Default for Times {
    fn default() -> Self {
        Times([0; 512])
    }
}

impl Times {
    fn add(&mut self, time: Duration) {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX).max(8);
        let power = nanoseconds.ilog2();
        let eighth = (nanoseconds >> (power - 3)) & 7;
        self.0[power as usize * 8 + eighth as usize] += 1;
    }

    /// The upper end of the class in which this part of all spans is complete.
    fn quantile(&self, part: f64) -> Duration {
        let wanted = part * self.0.iter().sum::<u64>() as f64;
        let mut sum = 0;
        let is_complete = |count: &u64| {
            sum += count;
            sum as f64 >= wanted
        };
        let class = self.0.iter().position(is_complete).unwrap_or_default() as u64;
        Duration::from_nanos((9 + class % 8) << (class / 8).saturating_sub(3))
    }
}

/// Of this thread, so far. Zero where the system does not count.
fn waits() -> u64 {
    let status = std::fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
    let mut lines = status.lines();
    lines
        .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))
        .and_then(|count| count.trim().parse().ok())
        .unwrap_or_default()
}

/// Minor page faults of this thread, so far: each may wait for the memory map of the process.
fn faults() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let mut fields = after_name.split_whitespace();
    fields
        .nth(7)
        .and_then(|count| count.parse().ok())
        .unwrap_or_default()
}

fn make_spans(start: &Barrier, is_over: &AtomicBool) -> Counted {
    // Its buffers and lists are there before it counts.
    for id in 0..10_000 {
        black_box(annotated(id));
    }
    start.wait();
    let (waits_before, faults_before) = (waits(), faults());
    let mut result = Counted::default();
    let mut before = Instant::now();
    while !is_over.load(Ordering::Relaxed) {
        black_box(annotated(result.spans));
        let now = Instant::now();
        result.times.add(now - before);
        before = now;
        result.spans += 1;
    }
    result.waits = waits() - waits_before;
    result.faults = faults() - faults_before;
    result
}

/// With a thread that does `beside` again and again.
fn measure(name: &str, time: Duration, threads: usize, beside: impl Fn() + Sync) -> u64 {
    let (start, is_over) = (Barrier::new(threads + 1), AtomicBool::new(false));
    let mut all = Counted::default();
    thread::scope(|scope| {
        let makers: Vec<_> = (0..threads)
            .map(|_| scope.spawn(|| make_spans(&start, &is_over)))
            .collect();
        start.wait();
        let end = Instant::now() + time;
        while Instant::now() < end {
            beside();
            thread::sleep(Duration::from_millis(1));
        }
        is_over.store(true, Ordering::Relaxed);
        for result in makers.into_iter().filter_map(|maker| maker.join().ok()) {
            all.spans += result.spans;
            all.waits += result.waits;
            all.faults += result.faults;
            let both = all.times.0.iter_mut().zip(result.times.0);
            both.for_each(|(all, own)| *all += own);
        }
    });
    let [half, most, all_but_few, longest] =
        [0.5, 0.99, 0.999, 1.0].map(|part| all.times.quantile(part));
    println!(
        "{name:<26} {:>11} {:>6} {:>6} {half:>9.1?} {most:>9.1?} {all_but_few:>9.1?} {longest:>9.1?}",
        all.spans, all.waits, all.faults
    );
    all.waits
}

fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse());
    let seconds = arguments.next().and_then(Result::ok).unwrap_or(12);
    let threads = arguments.next().and_then(Result::ok).unwrap_or(8);
    let time = Duration::from_secs(seconds);
    println!("{threads} threads, {seconds} s each; the queue holds 2,048 spans\n");
    println!(
        "{:<26} {:>11} {:>6} {:>6} {:>9} {:>9} {:>9} {:>9}",
        "", "spans", "waits", "faults", "p50", "p99", "p99.9", "longest"
    );
    let off = measure("off", time, threads as usize, || {});
    let limits = Limits::default()
        .with_queue_spans(2_048)
        .with_interval(Duration::from_millis(1));
    let builder = Pipeline::builder().with_limits(limits);
    let builder = builder.with_exporter(Slow).with_warnings(|_| {});
    match builder.install() {
        Ok(pipeline) => {
            let on = measure("enter_span", time, threads as usize, || {
                black_box(pipeline.counts());
                #[cfg(feature = "open-spans")]
                black_box(enter_span::open_spans());
                let _ = pipeline.flush(Duration::ZERO);
            });
            println!(
                "  waits less those of the loop that is off: {}",
                on.saturating_sub(off)
            );
            println!("  {:?}", pipeline.counts());
        }
        Err(error) => eprintln!("no pipeline: {error}"),
    }
    let config = BatchConfigBuilder::default()
        .with_max_queue_size(2_048)
        .with_scheduled_delay(Duration::from_millis(1));
    let processor = BatchSpanProcessor::builder(Slow).with_batch_config(config.build());
    let provider = SdkTracerProvider::builder().with_span_processor(processor.build());
    let sdk = provider.build();
    enter_span::set_tracer_provider(sdk.clone());
    measure("the SDK's batch processor", time, threads as usize, || {});
    let _ = sdk.shutdown();
    measure("off, after that", time, threads as usize, || {});
}
