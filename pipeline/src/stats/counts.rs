//! How many spans were exported or dropped, and why.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::stats::keep_counts::KeepCounts;
use crate::stats::spool_counts::{SpoolCounts, SpoolLedger};

/// What became of the spans that a pipeline has recorded.
///
/// `recorded == exported + dropped.total() + spooled + not_kept + undecided + queued` always, and after a flush
/// `queued` is 0 until the next span ends. Without a [`Keep`](crate::Keep), `not_kept` and `undecided` are 0. Each span is counted once, however many exporters there are: as exported if every
/// one of them took it, and there is one, else as dropped by the cause that was met first, else as spooled.
/// Each exporter has its own [`ExporterCounts`].
///
/// ```
/// use std::time::Duration;
///
/// use enter_span_pipeline::{Console, Pipeline};
///
/// let pipeline = Pipeline::builder().with_exporter(Console::new()).build()?;
/// pipeline.tracer("shop").enter_span("order", |_| {});
/// pipeline.flush(Duration::from_secs(5))?;
/// let counts = pipeline.counts();
/// assert_eq!(counts.recorded, counts.exported + counts.dropped.total() + counts.spooled);
/// # Ok::<(), enter_span_pipeline::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Spans that have ended and were sampled.
    pub recorded: u64,
    /// Spans that every exporter has taken.
    pub exported: u64,
    /// Spans that were not exported, or not by every exporter, by cause.
    pub dropped: Dropped,
    /// Spans that were written to the spool, by this pipeline. What becomes of them there is in `spool`.
    pub spooled: u64,
    /// Spans of traces that were not kept.
    pub not_kept: u64,
    /// Spans that wait for the decision about their trace.
    pub undecided: u64,
    /// Spans that wait for export, or are on their way.
    pub queued: u64,
    /// What was decided about traces.
    pub keep: KeepCounts,
    /// Spans that have ended and were recorded by a sampler's wish, but not sampled: they are not
    /// exported, and not in `recorded`.
    pub record_only: u64,
    /// Requests that were sent again, by all exporters: see [`ExporterCounts::retried`].
    pub retried: u64,
    /// Requests that were given up, by all exporters: see [`ExporterCounts::given_up`].
    pub given_up: u64,
    /// What became of the files in the spool, those of earlier runs and of other processes too: not a part of
    /// `recorded`.
    pub spool: SpoolCounts,
}

/// Spans that were not exported, or not by every exporter, by cause.
///
/// ```
/// use std::time::Duration;
///
/// use enter_span_pipeline::{Console, Pipeline};
///
/// let pipeline = Pipeline::builder().with_exporter(Console::new()).build()?;
/// let tracer = pipeline.tracer("shop");
/// pipeline.shutdown(Duration::from_secs(5))?;
/// tracer.enter_span("too late", |_| {});
/// let dropped = pipeline.counts().dropped;
/// if dropped.total() > 0 {
///     eprintln!("{} spans were lost: {dropped:?}", dropped.total());
/// }
/// # Ok::<(), enter_span_pipeline::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dropped {
    /// The queue held as many spans, or bytes, as its limits allow.
    pub queue_full: u64,
    /// An exporter was so slow that its share of the queue was used up. Only where there are several.
    pub exporter_behind: u64,
    /// An exporter has blocked two threads for longer than it may, and has none left.
    pub exporter_blocked: u64,
    /// There is no exporter: `OTEL_TRACES_EXPORTER` is `none`, or none could be made.
    pub no_exporter: u64,
    /// An exporter answered with an error, or panicked.
    pub export_failed: u64,
    /// An exporter did not answer in time.
    pub export_timed_out: u64,
    /// A receiver of OTLP took their request, and rejected them: a *partial success*. If several
    /// exporters met one for the same batch, the larger number counts here.
    pub rejected: u64,
    /// They were the oldest that waited for an exporter whose receiver was away, and its share of the queue
    /// was needed for newer ones.
    pub evicted: u64,
    /// They waited for export, or were on their way, when the time of a shutdown was over. A receiver may have
    /// taken them all the same.
    pub shutdown_timed_out: u64,
    /// A thread of the pipeline that had them has panicked, which is a fault of this library.
    pub thread_died: u64,
    /// The spool was full, and loses the newest. Only with a spool.
    pub spool_full: u64,
    /// They were to be written to the spool when that became impossible. Only with a spool.
    pub spool_failed: u64,
    /// They ended after the shutdown, or after the pipeline's worker has panicked.
    pub after_shutdown: u64,
    /// They waited, or ended, in a forked child of the process, where a pipeline is off.
    pub forked: u64,
}

impl Dropped {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.each().iter().map(|(spans, _)| spans).sum()
    }

    /// By cause, with its description.
    pub(crate) fn each(&self) -> [(u64, &'static str); 14] {
        [
            (self.queue_full, "the queue was full"),
            (self.exporter_behind, "an exporter was behind"),
            (self.exporter_blocked, "an exporter blocks its threads"),
            (self.no_exporter, "there is no exporter"),
            (self.export_failed, "an exporter failed"),
            (self.export_timed_out, "an exporter did not answer in time"),
            (self.rejected, "a receiver rejected them"),
            (
                self.evicted,
                "a receiver was away, and the queue was full of newer ones",
            ),
            (self.shutdown_timed_out, "the time of the shutdown was over"),
            (self.thread_died, "a thread of the pipeline has panicked"),
            (self.spool_full, "the spool was full"),
            (self.spool_failed, "the spool could not be written"),
            (self.after_shutdown, "they ended after the shutdown"),
            (self.forked, "they were in a forked child"),
        ]
    }
}

/// What became of the spans at one exporter.
///
/// Each exporter is offered all spans that fitted the queue, so that the sum of these is the same for
/// all of them at a quiet moment.
///
/// ```
/// use std::time::Duration;
///
/// use enter_span_pipeline::{Console, Pipeline};
///
/// let pipeline = Pipeline::builder().with_exporter(Console::new()).build()?;
/// pipeline.tracer("shop").enter_span("order", |_| {});
/// pipeline.flush(Duration::from_secs(5))?;
/// for (name, counts) in pipeline.exporters().iter().zip(pipeline.exporter_counts()) {
///     println!("{name}: {} exported, {} behind", counts.exported, counts.behind);
/// }
/// # Ok::<(), enter_span_pipeline::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExporterCounts {
    /// Spans that it has taken.
    pub exported: u64,
    /// Spans of batches that it refused, or panicked at.
    pub failed: u64,
    /// Spans of batches that it did not answer for in time. It may have taken them all the same.
    pub timed_out: u64,
    /// Spans that its receiver rejected, of requests that it took. Only with OTLP.
    pub rejected: u64,
    /// Spans that were not offered, because its share of the queue was used up.
    pub behind: u64,
    /// Spans that were not offered, because it blocks two threads.
    pub blocked: u64,
    /// Spans that waited longest while its receiver was away, and that newer ones needed the room of. Only with
    /// OTLP.
    pub evicted: u64,
    /// Spans that waited for it, or that it was at, when the time of a shutdown was over.
    pub shutdown_timed_out: u64,
    /// Spans that its thread or the pipeline's worker had, when that panicked.
    pub thread_died: u64,
    /// Spans that were to go to its spool, which was full. Only with OTLP.
    pub spool_full: u64,
    /// Spans that were to go to its spool when that could not be written. Only with OTLP.
    pub spool_failed: u64,
    /// Spans that went to its spool. Only with OTLP.
    pub spooled: u64,
    /// Spans that wait for it, or that it is at.
    pub queued: u64,
    /// Requests that were sent again, or wait for that, after an answer or a fault that passes. Only with OTLP.
    pub retried: u64,
    /// Requests whose last failure may pass, but for which there was no other try: their time was over, or the
    /// pipeline shut down. Their spans are in `failed`, or in `timed_out`. Only with OTLP.
    pub given_up: u64,
    /// What became of the files of its spool: not a part of what it was offered. Only with OTLP.
    pub spool: SpoolCounts,
}

/// Why a batch was not exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DropCause {
    Failed,
    TimedOut,
    Rejected,
    Behind,
    Blocked,
    Evicted,
    ShutdownTimedOut,
    ThreadDied,
    SpoolFull,
    SpoolFailed,
    /// It was written to the spool: that is no loss.
    Spooled,
    /// Never at an exporter.
    NoExporter,
    /// Its trace was not kept: that is no loss.
    NotKept,
}

/// What became of what was taken out of the buffers: of a pipeline, or of one exporter.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    offered: AtomicU64,
    exported: AtomicU64,
    /// By cause.
    dropped: [AtomicU64; 13],
    retried: AtomicU64,
    given_up: AtomicU64,
    /// Panics of its thread.
    deaths: AtomicU64,
    pub(crate) spool: SpoolLedger,
    last: Mutex<Option<LastExport>>,
}

/// What a receiver answered to an export: of a success, if anything, or of a failure.
pub(crate) type LastExport = Result<Option<String>, String>;

// Relaxed throughout: what a flush promises about these is ordered by the lock that it waits with.
impl Ledger {
    pub(crate) fn offer(&self, spans: usize) {
        self.offered.fetch_add(spans as u64, Ordering::Relaxed);
    }

    pub(crate) fn count(&self, spans: usize, dropped: Option<DropCause>) {
        let counter = dropped.map_or(&self.exported, |cause| self.of(cause));
        counter.fetch_add(spans as u64, Ordering::Relaxed);
    }

    fn of(&self, cause: DropCause) -> &AtomicU64 {
        &self.dropped[cause as usize]
    }

    /// A request is sent again, for this reason.
    pub(crate) fn retry(&self, reason: &str) {
        self.retried.fetch_add(1, Ordering::Relaxed);
        self.set_last(Err(format!("{reason} (trying again)")));
    }

    /// These requests are not sent again, though it might help.
    pub(crate) fn give_up(&self, requests: usize) {
        self.given_up.fetch_add(requests as u64, Ordering::Relaxed);
    }

    /// Its thread has panicked, with this error.
    pub(crate) fn die(&self, error: &str) {
        self.set_last(Err(error.to_owned()));
        self.deaths.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn deaths(&self) -> u64 {
        self.deaths.load(Ordering::Relaxed)
    }

    /// How the last export went.
    pub(crate) fn last(&self) -> Option<LastExport> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.clone()
    }

    pub(crate) fn set_last(&self, last: LastExport) {
        let mut slot = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *slot = Some(last);
    }

    pub(crate) fn counts(&self) -> ExporterCounts {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counts = ExporterCounts {
            exported: get(&self.exported),
            failed: get(self.of(DropCause::Failed)),
            timed_out: get(self.of(DropCause::TimedOut)),
            rejected: get(self.of(DropCause::Rejected)),
            behind: get(self.of(DropCause::Behind)),
            blocked: get(self.of(DropCause::Blocked)),
            evicted: get(self.of(DropCause::Evicted)),
            shutdown_timed_out: get(self.of(DropCause::ShutdownTimedOut)),
            thread_died: get(self.of(DropCause::ThreadDied)),
            spool_full: get(self.of(DropCause::SpoolFull)),
            spool_failed: get(self.of(DropCause::SpoolFailed)),
            spooled: get(self.of(DropCause::Spooled)),
            queued: 0,
            retried: get(&self.retried),
            given_up: get(&self.given_up),
            spool: self.spool.counts(),
        };
        let done = counts.exported + counts.dropped() + counts.spooled;
        ExporterCounts {
            queued: get(&self.offered).saturating_sub(done),
            ..counts
        }
    }

    /// Spans of traces that were not kept.
    pub(crate) fn not_kept(&self) -> u64 {
        self.of(DropCause::NotKept).load(Ordering::Relaxed)
    }

    /// What was taken out of the buffers, and dropped.
    pub(crate) fn dropped(&self) -> Dropped {
        let counts = self.counts();
        Dropped {
            exporter_behind: counts.behind,
            exporter_blocked: counts.blocked,
            no_exporter: self.of(DropCause::NoExporter).load(Ordering::Relaxed),
            export_failed: counts.failed,
            export_timed_out: counts.timed_out,
            rejected: counts.rejected,
            evicted: counts.evicted,
            shutdown_timed_out: counts.shutdown_timed_out,
            thread_died: counts.thread_died,
            spool_full: counts.spool_full,
            spool_failed: counts.spool_failed,
            ..Dropped::default()
        }
    }
}

impl ExporterCounts {
    fn dropped(&self) -> u64 {
        let answered = self.failed + self.timed_out + self.rejected;
        let refused = self.behind + self.blocked + self.evicted;
        let spool = self.spool_full + self.spool_failed;
        answered + refused + self.shutdown_timed_out + self.thread_died + spool
    }
}
