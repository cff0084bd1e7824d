//! Why does nothing arrive? What this process knows about the way of its spans.
//!
//! It costs nothing where spans are recorded, and nothing below a local span that is not sampled, which is the
//! commonest case: its root was counted. A span that is declined otherwise adds one to a counter that few
//! threads share. An undeclared root adds one more, in a table of fixed size without a lock. After a shutdown
//! the process is off, and off stays one load: our spans that start then are not counted, but those of other
//! instrumentation are.

use std::fmt;

use opentelemetry::trace::TraceContextExt as _;

use crate::backend::{context_backend, process_backend};
use crate::context::stack;
use crate::context::unwind;
use crate::diagnose::global_provider::{self, GlobalProvider};
use crate::diagnose::install_log::{self, InstallCall};
use crate::diagnose::later_work;
use crate::diagnose::report::Report;
use crate::diagnose::undeclared_root;
use crate::diagnose::versions;

/// The answer of [`diagnose`]. Its `Display` is made for a terminal: one finding a line.
///
/// Foreign text in it is escaped. It holds no credentials, and no values of spans but names.
#[derive(Clone)]
pub struct Diagnosis {
    report: Report,
}

/// Answers "why does nothing arrive", as far as this process can know it.
///
/// It reports:
///
/// - what is installed, by which call and where, and which provider is OpenTelemetry's global one;
/// - what applies in the current context;
/// - at which sites spans became roots without `root` or `parent` in the code;
/// - in debug builds, which calls of [`enter_span`](crate::enter_span()) returned a future
///   or a closure, whose work is not in the span.
///
/// Of the pipeline, unless another call has replaced it, it reports what an environment variable turned off,
/// what was sampled out or muted, where spans go, how the last export went, and what was dropped, by cause.
/// It does not know the sampler and the exporters of another provider.
///
/// A call for debugging: it takes locks and may start a thread, and it waits for OpenTelemetry's
/// provider for a second at most. It can be called from everywhere, and starts no span. The wording
/// changes without notice.
///
/// ```
/// let diagnosis = enter_span::diagnose();
/// assert!(diagnosis.to_string().contains("nothing is installed"));
/// ```
pub fn diagnose() -> Diagnosis {
    let mut report = Report::default();
    if cfg!(enter_span_off) {
        report.add(
            INSTALLED,
            "spans are compiled out, by `--cfg enter_span_off`",
        )
    } else {
        add_findings(&mut report)
    }
    Diagnosis { report }
}

const INSTALLED: &str = "installed";
const GLOBAL: &str = "global";
const HERE: &str = "here";

fn add_findings(report: &mut Report) {
    let calls = install_log::calls();
    match versions::installed_by_other() {
        Some(backend) => {
            versions::add_installation(report, INSTALLED, &backend);
            add_install_calls(report, &calls, true);
        }
        None => {
            add_install_calls(report, &calls, false);
            add_own_installation(report, &calls);
        }
    }
    versions::add_members(report);
    add_current_context(report);
    undeclared_root::add_findings(report);
    later_work::add_findings(report);
}

fn add_own_installation(report: &mut Report, calls: &[InstallCall]) {
    add_global_provider(report, calls);
    let newest = calls.first();
    if let Some(source) = newest.and_then(|call| call.source.as_ref()) {
        // It may ask what is the application's own, as a sampler.
        let _ = unwind::shielded(|| source.add_findings(report));
    }
}

fn add_install_calls(report: &mut Report, calls: &[InstallCall], is_replaced: bool) {
    if calls.is_empty() && !is_replaced {
        report.add(INSTALLED, "nothing is installed, so every span is off");
        report.add(
            INSTALLED,
            "an application calls `enter_span_pipeline::Pipeline::builder().install()`, `enter_span::set_tracer_provider(..)` or `enter_span::use_global_tracer_provider()`, once, early in `main`",
        );
    }
    let mut is_replaced = is_replaced;
    for call in calls {
        let InstallCall { name, place, .. } = call;
        let state_of = state_of(call, is_replaced);
        report.add(INSTALLED, format_args!("`{name}` at {place}: {state_of}"));
        is_replaced |= call.generation.is_some();
    }
}

fn state_of(call: &InstallCall, is_replaced: bool) -> &'static str {
    match call.generation {
        None => "it has installed nothing",
        Some(generation) if process_backend::is_current(generation) => "spans are recorded by this",
        Some(_) if is_replaced => "until it was replaced",
        Some(_) => {
            "it was shut down, or its handle was dropped, as `let _ = ..` does immediately; spans that start since are off, and are not counted"
        }
    }
}

fn add_global_provider(report: &mut Report, calls: &[InstallCall]) {
    let current = calls.iter().find(|call| {
        let generation = call.generation;
        generation.is_some_and(process_backend::is_current)
    });
    let answer = global_provider::ask();
    let found = match (current, answer) {
        (_, GlobalProvider::Unknown) => {
            "whether OpenTelemetry has a global provider is unknown: it did not answer in time"
        }
        (Some(InstallCall { mark: None, .. }), answer) => global_as_backend(answer),
        (Some(call), answer) => compare_marks(call.mark, answer),
        (None, GlobalProvider::Nobody) => {
            "OpenTelemetry has no global provider, or one that makes no spans"
        }
        (None, GlobalProvider::Marked(_)) => {
            "OpenTelemetry's global provider is still what was installed here before, and enter_span does not use it"
        }
        (None, GlobalProvider::Other) => {
            "OpenTelemetry has a global provider, which enter_span does not use until `enter_span::use_global_tracer_provider()` is called"
        }
    };
    report.add(GLOBAL, found);
}

/// With `use_global_tracer_provider`.
fn global_as_backend(answer: GlobalProvider) -> &'static str {
    match answer {
        GlobalProvider::Nobody => {
            "OpenTelemetry has no global provider yet, or one that makes no spans, so nothing is recorded: call `opentelemetry::global::set_tracer_provider(..)`"
        }
        _ => "OpenTelemetry has a global provider; what it samples and exports is its own to tell",
    }
}

fn compare_marks(mark: Option<usize>, answer: GlobalProvider) -> &'static str {
    match answer {
        GlobalProvider::Marked(other) if Some(other) == mark => {
            "OpenTelemetry's global provider is the same one"
        }
        _ => {
            "OpenTelemetry's global provider was replaced since: spans of other instrumentation go there, and those of enter_span do not"
        }
    }
}

fn add_current_context(report: &mut Report) {
    let Some(current) = stack::current() else {
        report.add(HERE, "this thread is dying, and makes no spans");
        return;
    };
    if current.is_telemetry_suppressed() {
        report.add(
            HERE,
            "telemetry is suppressed, as inside of an exporter: no span starts",
        );
    }
    if context_backend::is_overridden(&current) {
        report.add(HERE, "a tracer with a provider of its own, or a recorder, records instead of what is installed");
    }
    let span = current.span();
    let identity = span.span_context();
    let sampled = if identity.is_sampled() {
        "sampled"
    } else {
        "not sampled, and so is what starts below it, unless its sampler says otherwise"
    };
    if identity.is_valid() {
        report.add(
            HERE,
            format_args!(
                "inside of trace {}, which is {sampled}",
                identity.trace_id()
            ),
        )
    } else {
        report.add(HERE, "no span is current")
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.report.fmt(formatter)
    }
}

impl fmt::Debug for Diagnosis {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Diagnosis").finish_non_exhaustive()
    }
}
