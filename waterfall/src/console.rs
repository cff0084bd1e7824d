//! Prints finished traces.

use std::fmt;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

use super::draw::draw_part;
use super::terminal::{Stream, columns};
use super::text::Color;
use super::trace_collector::{Part, TraceCollector};

/// Prints each trace as a waterfall when it is finished; what that means is in the
/// [documentation of the crate](crate).
///
/// ```
/// use enter_span_pipeline::{Console, Pipeline};
///
/// let pipeline = Pipeline::builder().with_exporter(Console::new()).install()?;
/// # pipeline.shutdown(std::time::Duration::from_secs(5))?;
/// # Ok::<(), enter_span_pipeline::Error>(())
/// ```
///
/// On a terminal the lines are as wide as it is at that moment, and elsewhere as `COLUMNS` says, or
/// 100 columns; never under 40 nor over 240. There are colours on a terminal, unless `NO_COLOR` is set
/// and not empty, or `TERM` is `dumb`.
///
/// What cannot be written is the error of that export, and is not tried again. A writer that blocks
/// holds up the exporter, and not the application.
pub struct Console {
    collector: TraceCollector,
    output: Mutex<Output>,
    width: Option<usize>,
    color: Option<Color>,
}

enum Output {
    Stream(Stream),
    Writer(Box<dyn Write + Send>),
}

impl Console {
    /// Prints to stdout.
    pub fn new() -> Self {
        Self::on(Output::Stream(Stream::Stdout))
    }

    /// Prints to stderr.
    pub fn stderr() -> Self {
        Self::on(Output::Stream(Stream::Stderr))
    }

    /// Prints to any writer, without colours: it gets each trace in one piece, and is flushed.
    pub fn to(writer: impl Write + Send + 'static) -> Self {
        Self::on(Output::Writer(Box::new(writer)))
    }

    fn on(output: Output) -> Self {
        Console {
            collector: TraceCollector::new(),
            output: Mutex::new(output),
            width: None,
            color: None,
        }
    }

    /// Draws in this many columns.
    #[must_use]
    pub fn with_width(mut self, columns: usize) -> Self {
        self.width = Some(columns);
        self
    }

    /// Draws with colours or without.
    #[must_use]
    pub fn with_color(mut self, color: Color) -> Self {
        self.color = Some(color);
        self
    }

    fn print(&self, parts: &[Part]) -> OTelSdkResult {
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        let width = self.width.unwrap_or_else(|| output.width());
        let color = self.color.unwrap_or_else(|| output.color());
        for part in parts {
            let text = draw_part(part, width, color) + "\n";
            let written = output.write(text.as_bytes());
            written.map_err(|error| {
                OTelSdkError::InternalFailure(format!("the trace could not be printed: {error}"))
            })?;
        }
        Ok(())
    }
}

impl Output {
    fn width(&self) -> usize {
        match self {
            Output::Stream(stream) => stream.width(),
            Output::Writer(_) => columns(),
        }
    }

    fn color(&self) -> Color {
        match self {
            Output::Stream(stream) => stream.color(),
            Output::Writer(_) => Color::None,
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let write = |writer: &mut dyn Write| {
            writer.write_all(bytes)?;
            writer.flush()
        };
        match self {
            Output::Stream(Stream::Stdout) => write(&mut io::stdout().lock()),
            Output::Stream(Stream::Stderr) => write(&mut io::stderr().lock()),
            Output::Writer(writer) => write(writer),
        }
    }
}

impl SpanExporter for Console {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.print(&self.collector.add(batch)?)
    }

    /// Prints what is held, finished or not.
    fn force_flush(&self) -> OTelSdkResult {
        self.print(&self.collector.flush())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        self.print(&self.collector.shut_down()?)
    }
}

impl Default for Console {
    fn default() -> Self {
        Console::new()
    }
}

impl fmt::Debug for Console {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Console")
            .field("width", &self.width)
            .field("color", &self.color)
            .finish_non_exhaustive()
    }
}
