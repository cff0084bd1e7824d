//! How much a pipeline holds, and when it exports.

use std::time::Duration;

/// How much a pipeline holds, and when it exports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Spans that may wait, or be on their way. The default is 16,384.
    pub queue_spans: usize,
    /// Bytes that they may hold, about. The default is 64 MiB.
    pub queue_bytes: usize,
    /// Spans in one batch. The default is 512, OpenTelemetry's.
    pub batch_spans: usize,
    /// Bytes in one batch, about; a larger span has a batch of its own. The default is 2 MiB, which a
    /// common gRPC receiver, with its 4 MiB, takes.
    pub batch_bytes: usize,
    /// How long spans wait at most before they are exported. The default is one second.
    pub interval: Duration,
    /// How long an exporter has for a batch. The default is 30 seconds, OpenTelemetry's.
    pub export_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            queue_spans: 16_384,
            queue_bytes: 64 << 20,
            batch_spans: 512,
            batch_bytes: 2 << 20,
            interval: Duration::from_secs(1),
            export_timeout: Duration::from_secs(30),
        }
    }
}
