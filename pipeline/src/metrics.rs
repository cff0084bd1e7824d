//! The pipeline's own state as OpenTelemetry's `otel.sdk.*` metrics.
//!
//! All of them are read from the counters when they are collected, and cost a span nothing.

use std::sync::{Arc, Weak};

use opentelemetry::KeyValue;
use opentelemetry::metrics::{AsyncInstrument, Meter};

use crate::queue::limit::Limits;
use crate::stats::counts::{Counts, ExporterCounts};
use crate::stats::keep_counts::KeepCounts;
use crate::stats::ledgers::Ledgers;

/// What the instruments see: nothing, when the pipeline is gone.
#[derive(Clone)]
struct View {
    /// There as long as the handle is.
    alive: Weak<()>,
    ledgers: Weak<Ledgers>,
    component: KeyValue,
    capacity: u64,
}

const UNIT: &str = "{span}";

pub(crate) fn register(meter: &Meter, ledgers: &Arc<Ledgers>, limits: Limits, alive: &Arc<()>) {
    let view = View {
        alive: Arc::downgrade(alive),
        ledgers: Arc::downgrade(ledgers),
        component: KeyValue::new("otel.component.type", "batching_span_processor"),
        capacity: limits.queue_spans as u64,
    };
    register_queue(meter, &view);
    register_processed(meter, &view);
    register_keep(meter, &view);
    register_exporters(meter, &view);
}

fn register_queue(meter: &Meter, view: &View) {
    let (size, capacity) = (view.clone(), view.clone());
    meter
        .i64_observable_up_down_counter("otel.sdk.processor.span.queue.size")
        .with_unit(UNIT)
        .with_description("Spans that wait for a decision or for export, or are on their way")
        .with_callback(move |instrument| {
            size.with_counts(|counts| {
                let spans = counts.queued + counts.undecided;
                instrument.observe(spans as i64, &size.attributes());
            });
        })
        .build();
    meter
        .i64_observable_up_down_counter("otel.sdk.processor.span.queue.capacity")
        .with_unit(UNIT)
        .with_description("Spans that may wait for export, or be on their way")
        .with_callback(move |instrument| {
            let most = i64::try_from(capacity.capacity).unwrap_or(i64::MAX);
            capacity.with_counts(|_| instrument.observe(most, &capacity.attributes()));
        })
        .build();
}

/// What a policy has decided: OpenTelemetry has no names for it.
fn register_keep(meter: &Meter, view: &View) {
    let (undecided, not_kept) = (view.clone(), view.clone());
    meter
        .i64_observable_up_down_counter("enter_span.keep.span.undecided")
        .with_unit(UNIT)
        .with_description("Spans that wait for the decision about their trace")
        .with_callback(move |instrument| {
            undecided.with_decisions(|counts| {
                instrument.observe(counts.undecided as i64, &undecided.attributes());
            });
        })
        .build();
    meter
        .u64_observable_counter("enter_span.keep.span.not_kept")
        .with_unit(UNIT)
        .with_description("Spans of traces that were not kept")
        .with_callback(move |instrument| {
            not_kept.with_decisions(|counts| {
                instrument.observe(counts.not_kept, &not_kept.attributes());
            });
        })
        .build();
}

fn register_processed(meter: &Meter, view: &View) {
    let view = view.clone();
    meter
        .u64_observable_counter("otel.sdk.processor.span.processed")
        .with_unit(UNIT)
        .with_description("Spans that were given to the exporters, or dropped before, by cause")
        .with_callback(move |instrument| {
            view.with_counts(|counts| view.observe(instrument, processed(&counts)));
        })
        .build();
}

/// The convention takes what was submitted to an exporter as processed, whatever came of that. The names
/// of the first two causes are its own.
fn processed(counts: &Counts) -> [(Option<&'static str>, u64); 12] {
    let dropped = counts.dropped;
    let failed = dropped.export_failed + dropped.export_timed_out + dropped.rejected;
    let submitted = counts.exported + failed + counts.spooled;
    [
        (None, submitted),
        (Some("queue_full"), dropped.queue_full),
        (Some("already_shutdown"), dropped.after_shutdown),
        (Some("exporter_behind"), dropped.exporter_behind),
        (Some("exporter_blocked"), dropped.exporter_blocked),
        (Some("no_exporter"), dropped.no_exporter),
        (Some("evicted"), dropped.evicted),
        (Some("shutdown_timed_out"), dropped.shutdown_timed_out),
        (Some("thread_died"), dropped.thread_died),
        (Some("spool_full"), dropped.spool_full),
        (Some("spool_failed"), dropped.spool_failed),
        (Some("forked"), dropped.forked),
    ]
}

fn register_exporters(meter: &Meter, view: &View) {
    let (inflight, exported) = (view.clone(), view.clone());
    meter
        .i64_observable_up_down_counter("otel.sdk.exporter.span.inflight")
        .with_unit(UNIT)
        .with_description("Spans that wait for an exporter, or that it is at")
        .with_callback(move |instrument| {
            inflight.for_each_exporter(|counts, attribute| {
                instrument.observe(counts.queued as i64, std::slice::from_ref(attribute));
            });
        })
        .build();
    meter
        .u64_observable_counter("otel.sdk.exporter.span.exported")
        .with_unit(UNIT)
        .with_description("Spans for which an export has ended, by its error")
        .with_callback(move |instrument| {
            exported.for_each_exporter(|counts, attribute| {
                // What a spool kept counts when it was sent.
                let seen = [
                    (None, counts.exported + counts.spool.sent),
                    (Some("export_failed"), counts.failed),
                    (Some("timeout"), counts.timed_out),
                    (Some("rejected"), counts.rejected),
                    (Some("spool_refused"), counts.spool.refused),
                ];
                observe(instrument, attribute, seen);
            });
        })
        .build();
}

impl View {
    fn with_counts(&self, work: impl FnOnce(Counts)) {
        if let Some(ledgers) = self.ledgers() {
            work(ledgers.counts());
        }
    }

    /// The same, if a policy has had something to decide.
    fn with_decisions(&self, work: impl FnOnce(Counts)) {
        self.with_counts(|counts| {
            if counts.undecided > 0 || counts.keep != KeepCounts::default() {
                work(counts);
            }
        });
    }

    fn ledgers(&self) -> Option<Arc<Ledgers>> {
        self.alive.upgrade()?;
        self.ledgers.upgrade()
    }

    /// With the attribute that tells the exporters apart: their places in the builder.
    fn for_each_exporter(&self, work: impl Fn(ExporterCounts, &KeyValue)) {
        let Some(ledgers) = self.ledgers() else {
            return;
        };
        for (index, counts) in ledgers.exporters().into_iter().enumerate() {
            let name = format!("enter_span_exporter/{index}");
            work(counts, &KeyValue::new("otel.component.name", name));
        }
    }

    fn attributes(&self) -> [KeyValue; 1] {
        [self.component.clone()]
    }

    fn observe<const N: usize>(
        &self,
        instrument: &dyn AsyncInstrument<u64>,
        seen: [(Option<&'static str>, u64); N],
    ) {
        observe(instrument, &self.component, seen);
    }
}

/// A cause that was never met is not told.
fn observe<const N: usize>(
    instrument: &dyn AsyncInstrument<u64>,
    component: &KeyValue,
    seen: [(Option<&'static str>, u64); N],
) {
    for (error, spans) in seen {
        match error {
            None => instrument.observe(spans, std::slice::from_ref(component)),
            Some(error) if spans > 0 => {
                let error = KeyValue::new("error.type", error);
                instrument.observe(spans, &[component.clone(), error]);
            }
            Some(_) => {}
        }
    }
}
