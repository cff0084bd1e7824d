//! What the peers record.

use std::fmt;

/// Spans of a trace: a request, and nine calls below it.
pub(crate) const TRACE: u64 = 10;

/// Calls below the request.
pub(crate) const CALLS: u64 = TRACE - 1;

/// Traces, or lone spans of the specification, between two flushes: no more than a queue takes.
pub(crate) const BURST: u64 = 1_000;

/// The attributes of the specification's span: names and values of 20 characters.
pub(crate) const ATTRIBUTES: [(&str, &str); 10] = [
    ("bench.attribute_k_00", "value_of_twenty_ch_0"),
    ("bench.attribute_k_01", "value_of_twenty_ch_1"),
    ("bench.attribute_k_02", "value_of_twenty_ch_2"),
    ("bench.attribute_k_03", "value_of_twenty_ch_3"),
    ("bench.attribute_k_04", "value_of_twenty_ch_4"),
    ("bench.attribute_k_05", "value_of_twenty_ch_5"),
    ("bench.attribute_k_06", "value_of_twenty_ch_6"),
    ("bench.attribute_k_07", "value_of_twenty_ch_7"),
    ("bench.attribute_k_08", "value_of_twenty_ch_8"),
    ("bench.attribute_k_09", "value_of_twenty_ch_9"),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// A request with nine calls.
    Trace,
    /// The span of OpenTelemetry's performance benchmark: a root, ended as soon as it is started.
    Specified,
}

impl Work {
    /// Spans in one piece of it.
    pub(crate) fn spans(self) -> u64 {
        match self {
            Work::Trace => TRACE,
            Work::Specified => 1,
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        let all = [Work::Trace, Work::Specified];
        all.into_iter().find(|work| work.to_string() == name)
    }
}

impl fmt::Display for Work {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Work::Trace => "trace",
            Work::Specified => "specified",
        })
    }
}
