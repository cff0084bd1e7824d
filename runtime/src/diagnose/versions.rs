//! Other versions of this crate in the process, and how they record.

use std::sync::Arc;

use enter_span_core::{Member, SharedBackend, Way};

use crate::backend::active_backend::{VERSION, adopt};
use crate::diagnose::report::Report;

/// The backend of the process, if another version has installed it.
pub(crate) fn installed_by_other() -> Option<Arc<SharedBackend>> {
    let (_, backend) = enter_span_core::current();
    backend.filter(|backend| backend.by() != VERSION)
}

/// Tells what another version has installed, and whether this one can use it.
pub(crate) fn add_installation(report: &mut Report, topic: &'static str, backend: &SharedBackend) {
    let by = backend.by();
    match backend.origin() {
        Some(origin) => report.add(
            topic,
            format_args!("`{}` of {by} at {}", origin.call, origin.place),
        ),
        None => report.add(topic, format_args!("by {by}")),
    }
    let is_usable = adopt(backend).is_some();
    report.add(topic, if is_usable { USED } else { UNUSABLE });
}

const USED: &str = "this version records through the OpenTelemetry provider of that one, whose `diagnose()` tells more";
const UNUSABLE: &str = "this version cannot use it, so its spans are off: the two are built with different versions of `opentelemetry`, which `cargo tree --invert opentelemetry` lists";

/// Tells which versions there are, if there are several.
pub(crate) fn add_members(report: &mut Report) {
    let members = enter_span_core::members();
    if members.len() > 1 {
        for member in members {
            report.add("versions", line(member));
        }
    }
}

fn line(member: Member) -> String {
    let way = match member.way {
        Way::Own => "has installed a backend",
        Way::OpenTelemetry => "records through the OpenTelemetry provider of what is installed",
        Way::Nothing => "records nothing: it is built with another version of `opentelemetry`",
        _ => "takes part",
    };
    let own = if member.version == VERSION {
        " (this one)"
    } else {
        ""
    };
    format!("{}{own} {way}", member.version)
}
