//! What `enter_span::diagnose()` reports of a pipeline.
//!
//! It costs nothing where spans are recorded, and nothing below a local span that is not sampled: its
//! root was counted. After a shutdown the process is off, and off stays one load: our own spans are not
//! counted then, those of other instrumentation are.

use std::sync::Arc;

use enter_span::native::{DiagnosticSource, Report};

use crate::record::core::Core;
use crate::stats::counts::{Counts, ExporterCounts};
use crate::stats::declined::Reason;
use crate::stats::ledgers::Ledgers;
use crate::stats::spool_counts::SpoolCounts;

/// A policy as `ENTER_SPAN_KEEP` has it, and its source: the code or the variable.
pub(crate) type KeepText = (String, &'static str);

/// The parts of a pipeline that `diagnose` reports, also when its handle is gone.
pub(crate) struct PipelineDiagnosis {
    pub(crate) core: Arc<Core>,
    pub(crate) ledgers: Arc<Ledgers>,
    /// What each exporter is, without credentials.
    pub(crate) exporters: Vec<String>,
    pub(crate) is_disabled: bool,
    /// The source of the sampler: the code, a variable or the default.
    pub(crate) sampler_by: &'static str,
    pub(crate) keep: Option<KeepText>,
    /// What was wrong with the environment.
    pub(crate) warnings: Vec<String>,
}

impl DiagnosticSource for PipelineDiagnosis {
    fn add_findings(&self, report: &mut Report) {
        for warning in &self.warnings {
            report.add("warned", warning);
        }
        if self.is_disabled {
            report.add(
                "disabled",
                "`OTEL_SDK_DISABLED` is `true`: the pipeline records nothing",
            );
            return;
        }
        self.of_process(report);
        self.of_sampling(report);
        self.of_muting(report);
        self.of_keep(report);
        // Their locks may be held by threads that a forked child does not have.
        if !self.core.queue.buffers.is_forked() {
            self.of_exporters(report);
        }
        self.of_spans(report);
    }
}

/// The topic of what exporters do.
const EXPORTERS: &str = "exporters";

impl PipelineDiagnosis {
    fn of_process(&self, report: &mut Report) {
        const TOPIC: &str = "state";
        let queue = &self.core.queue;
        if queue.buffers.is_forked() {
            report.add(
                TOPIC,
                "this is a forked child, where the pipeline of its parent is off",
            );
        } else if self.ledgers.all.deaths() > 0 {
            report.add(
                TOPIC,
                "the pipeline's worker has panicked, which is a fault of `enter-span-pipeline`: no spans are exported any more; drop the pipeline and install another one",
            );
        } else if queue.buffers.is_closed() {
            let late = self.core.declined.of(Reason::Closed);
            report.add(
                TOPIC,
                format_args!("shut down; spans that were to start since, by OpenTelemetry or by its own tracers: {late}"),
            );
        }
    }

    fn of_sampling(&self, report: &mut Report) {
        const TOPIC: &str = "sampling";
        let Core {
            sampler, declined, ..
        } = &*self.core;
        report.add(TOPIC, format_args!("{sampler:?}, by {}", self.sampler_by));
        let causes = [
            ("roots that the sampler declined", Reason::Root),
            (
                "spans that it declined below a sampled parent, or a sampler of the application's anywhere",
                Reason::Sampler,
            ),
            (
                "spans below a remote parent that is not sampled",
                Reason::Remote,
            ),
        ];
        for (what, reason) in causes {
            let count = declined.of(reason);
            if count > 0 {
                report.add(
                    TOPIC,
                    format_args!("not recorded, nor what follows them: {what}: {count}"),
                );
            }
        }
    }

    fn of_muting(&self, report: &mut Report) {
        const TOPIC: &str = "muted";
        let muting = &self.core.muting;
        if !muting.mutes_any() {
            return;
        }
        let list = |names: Vec<&str>| names.join(", ");
        let muted = list(muting.muted().collect());
        let enabled = list(muting.enabled().collect());
        report.add(TOPIC, format_args!("{muted}"));
        if !enabled.is_empty() {
            report.add(TOPIC, format_args!("but not {enabled}"));
        }
        let count = self.core.declined.of(Reason::Muted);
        report.add(
            TOPIC,
            format_args!("spans that were not made therefore: {count}"),
        );
    }

    fn of_keep(&self, report: &mut Report) {
        const TOPIC: &str = "keep";
        let Some((policy, source)) = &self.keep else {
            return;
        };
        report.add(TOPIC, format_args!("`{policy}`, by {source}"));
        let Counts {
            not_kept,
            undecided,
            keep,
            ..
        } = self.ledgers.counts();
        let all = keep.kept + keep.not_kept;
        report.add(
            TOPIC,
            format_args!(
                "{} of {} traces were not kept: `{policy}`; their spans: {}; undecided spans: {}",
                grouped(keep.not_kept),
                grouped(all),
                grouped(not_kept),
                grouped(undecided)
            ),
        );
        let others = [
            (
                keep.decided_early,
                "decided early, as they were too old or too large",
            ),
            (
                keep.undecided_at_shutdown,
                "exported undecided, at the shutdown",
            ),
            (keep.panics, "kept because a rule has panicked"),
        ];
        for (count, what) in others {
            if count > 0 {
                report.add(TOPIC, format_args!("traces {what}: {count}"));
            }
        }
    }

    fn of_exporters(&self, report: &mut Report) {
        if self.exporters.is_empty() {
            report.add(
                EXPORTERS,
                "none, so spans go nowhere: give one in the code, or see `OTEL_TRACES_EXPORTER`",
            );
        }
        for (exporter, ledger) in self.exporters.iter().zip(&self.ledgers.each) {
            report.add(EXPORTERS, exporter);
            of_exporter(report, &ledger.counts());
            let deaths = ledger.deaths();
            if deaths > 0 {
                report.add(
                    EXPORTERS,
                    format_args!("  panics of its thread, which are faults of `enter-span-pipeline`: {deaths}"),
                );
            }
            match ledger.last() {
                None => report.add(EXPORTERS, "  no export has ended yet"),
                Some(Ok(None)) => report.add(EXPORTERS, "  the last export went well"),
                Some(Ok(Some(note))) => report.add(
                    EXPORTERS,
                    format_args!("  the last export went well; the receiver says: {note}"),
                ),
                Some(Err(error)) => {
                    report.add(EXPORTERS, format_args!("  the last export failed: {error}"));
                }
            }
        }
    }

    fn of_spans(&self, report: &mut Report) {
        const TOPIC: &str = "spans";
        let counts = self.ledgers.counts();
        let Counts {
            recorded,
            queued,
            record_only,
            spooled,
            ..
        } = counts;
        report.add(
            TOPIC,
            format_args!("ended, and sampled: {recorded}; on their way: {queued}"),
        );
        if spooled > 0 {
            report.add(TOPIC, format_args!("written to the spool: {spooled}"));
        }
        if record_only > 0 {
            report.add(
                TOPIC,
                format_args!("recorded for the sampler, and not exported: {record_only}"),
            );
        }
        for (count, cause) in counts.dropped.each() {
            if count > 0 {
                report.add("dropped", format_args!("{count}: {cause}"));
            }
        }
    }
}

/// With a comma between thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

fn of_exporter(report: &mut Report, counts: &ExporterCounts) {
    let ExporterCounts {
        exported,
        queued,
        rejected,
        retried,
        given_up,
        ..
    } = counts;
    report.add(
        EXPORTERS,
        format_args!("  spans that it has taken: {exported}; that wait for it: {queued}"),
    );
    if *rejected > 0 {
        report.add(
            EXPORTERS,
            format_args!("  spans that its receiver rejected: {rejected}"),
        );
    }
    of_spool(report, &counts.spool);
    if retried + given_up > 0 {
        report.add(
            EXPORTERS,
            format_args!(
                "  requests that were sent again: {retried}; that were given up: {given_up}"
            ),
        );
    }
}

fn of_spool(report: &mut Report, counts: &SpoolCounts) {
    if *counts == SpoolCounts::default() {
        return;
    }
    let SpoolCounts {
        sent,
        refused,
        expired,
        evicted,
        broken_files,
        waiting,
    } = counts;
    report.add(
        EXPORTERS,
        format_args!(
            "  spans in its spool: {waiting}; that were sent from there: {sent}; that were lost there, because the receiver refused them: {refused}, because they were too old: {expired}, to make room: {evicted}; files that were broken: {broken_files}"
        ),
    );
}
