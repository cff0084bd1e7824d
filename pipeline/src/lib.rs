//! What an application installs: a tracer provider whose spans leave the calling thread by one short
//! hand-over, and a worker that takes them to any OpenTelemetry exporter.
//!
//! The [book](https://github.com/enter-span/enter-span/tree/main/docs) has a page on
//! [production](https://github.com/enter-span/enter-span/blob/main/docs/production.md).
//!
//! ```
//! use std::time::Duration;
//!
//! use enter_span::enter_span;
//! use enter_span_pipeline::{Console, Pipeline};
//!
//! #[enter_span]
//! fn work() {}
//!
//! let pipeline = Pipeline::builder().with_exporter(Console::new()).install()?;
//! work();
//! pipeline.flush(Duration::from_secs(5))?;
//! assert_eq!(pipeline.counts().exported, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where its choices come from
//!
//! From the code, in the [`PipelineBuilder`]; what that leaves open, from OpenTelemetry's standard variables;
//! then from the defaults. They are read when it is built. The pipeline warns of an invalid value on stderr, or to
//! [`PipelineBuilder::with_warnings`], and ignores it or uses the default. Warnings do not show what may be secret.
//!
//! | variables | |
//! |---|---|
//! | `OTEL_SDK_DISABLED` | `true`: nothing is recorded |
//! | `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES` | what the spans are of, percent-encoded |
//! | `OTEL_TRACES_SAMPLER`, `OTEL_TRACES_SAMPLER_ARG` | which traces are recorded |
//! | `OTEL_TRACES_EXPORTER` | a list of `otlp`, `console` and `none`; the default is `otlp` |
//! | `OTEL_EXPORTER_OTLP_*`, `OTEL_EXPORTER_OTLP_TRACES_*` | see below |
//! | `OTEL_PROPAGATORS` | a list of `tracecontext`, `baggage` and `none`; the default is the first two. Baggage leaves only by the keys of [`PipelineBuilder::with_baggage_keys`] |
//! | `OTEL_BSP_*` | when spans are exported ([`Limits`], whose defaults are not OpenTelemetry's: a longer queue, a shorter delay) |
//! | `OTEL_SPAN_*`, `OTEL_EVENT_*`, `OTEL_LINK_*`, `OTEL_ATTRIBUTE_*` | how much a span holds ([`SpanLimits`]) |
//! | `ENTER_SPAN_KEEP` | which traces are exported, decided at their end: see [`Keep`] and [`PipelineBuilder::with_keep`] |
//! | `ENTER_SPAN_SCOPES` | which instrumentation scopes make spans: see below |
//! | `OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN` | `logs`: errors add no event; read from the process alone |
//!
//! # Muting
//!
//! An instrumentation scope, which is a crate by its name in Cargo unless it says otherwise, can be muted:
//! with [`PipelineBuilder::with_muted_scope`], or with `ENTER_SPAN_SCOPES=acme-db=off,acme-http=off`. `*` stands
//! for all scopes that have no rule of their own, so `*=off,shop=on` leaves the spans of `shop` alone. Of
//! two rules for one name the last holds, and that of the code before that of the variable.
//!
//! A muted span is transparent. Nothing of it is recorded and its attributes are not evaluated; inside of
//! it the span around it is current, and its children are that one's. So the child of a muted `root`
//! becomes the root, and the child of one that a remote parent was given becomes the child of that
//! parent. Samplers do not see it. The same holds for other instrumentation that goes through OpenTelemetry:
//! a muted span has the identity of its parent, so that the spans below it are its parent's. Data added
//! to it is lost.
//!
//! # Nothing arrives
//!
//! [`enter_span::diagnose`] tells why.
//!
//! # For people
//!
//! `Console` and `HtmlFiles` show finished traces in the terminal and as pages. They need the feature
//! `waterfall`, a default one; the crate `enter-span-waterfall` has their documentation.
//!
//! # OTLP
//!
//! The feature `otlp-http`, a default one, brings OTLP over HTTP/protobuf, and `otlp-grpc` that over gRPC;
//! both with TLS and gzip, and for the compiler that the crate asks for. Without an exporter in the code,
//! spans go to `http://localhost:4318/v1/traces`, or to where the variables say, by
//! `OTEL_EXPORTER_OTLP_PROTOCOL` (`http/protobuf` or `grpc`):
//!
//! - `ENDPOINT`: for HTTP a base, to which `/v1/traces` is appended; that of the traces is taken as it is.
//!   For gRPC also `host:port`, with `INSECURE` for one without TLS. A user name and a password in it
//!   become an `authorization` header. The scheme is `http`, `https` or, on Unix, `unix`; a port, if there
//!   is one, is a number from 1 to 65535. Any other value is refused: spans go to the default endpoint,
//!   without the headers, and a warning gives the reason and shows nothing of the value.
//!   `unix:///run/otel.sock` is a Unix domain socket, for both protocols and without TLS.
//! - `HEADERS`: `name=value,name=value`, percent-encoded. Those that frame a message, describe its body
//!   or belong to its connection are left out, with a warning: `host`, `content-*`, `transfer-encoding`,
//!   `connection` and the like, and `grpc-*` for gRPC.
//! - `TIMEOUT`: milliseconds for each try of a batch. The default is ten seconds.
//! - `COMPRESSION`: `gzip` or `none`, the default.
//! - `CERTIFICATE`, `CLIENT_CERTIFICATE`, `CLIENT_KEY`: files in PEM. Without the first, the platform's
//!   trusted certificates.
//!
//! A request is sent again if its failure may pass: HTTP 429, 502, 503 and 504, the gRPC codes that OTLP
//! names, a connection that is refused or lost, and an answer that does not come in time. `Retry-After` and
//! `RetryInfo` set the pause; without them it grows from a quarter of a second to 30 seconds. Nothing else is
//! sent meanwhile. What ends meanwhile waits in the queue, and is sent in full batches when the receiver is
//! back. A request is given up when it was tried for [`Limits::retry_time`], five minutes. If three quarters
//! of the exporter's share of the queue are used before, the oldest spans are dropped
//! ([`Dropped::evicted`]). During a shutdown each request is tried once more, without a pause.
//!
//! So a collector that is away loses nothing as long as the queue has room, and spans can arrive twice if a
//! connection is lost before the answer. A flush waits for a receiver that is away, until its own time is
//! over.
//!
//! With the feature `spool`, on Unix, what does not fit the queue, was sent for too long, or has not left at a
//! shutdown goes to files. It is sent when the receiver is back, or by the next run. `Spool` has the
//! rules and the limits.
//!
//! An answer counts only if it is one of OTLP: a page of HTML with status 200 is a failure. At most 64 KiB
//! of it are read. Spans that a receiver rejects count as [`Dropped::rejected`]. What a receiver says is
//! in [`Pipeline::last_export_error`] and [`enter_span::diagnose`], with at most 256 characters, escaped,
//! and without your headers.
//!
//! Redirects are not followed.
//!
//! # Proxies
//!
//! A receiver is reached through the proxy that these variables name, in lower case or else in upper case; the
//! names and rules are those of `curl`, except for loopback:
//!
//! | variables | |
//! |---|---|
//! | `http_proxy` | for an endpoint with `http://`. In a CGI program, which has `REQUEST_METHOD`, `HTTP_PROXY` is a header of the client and is not read |
//! | `https_proxy` | for an endpoint with `https://` |
//! | `all_proxy` | for both, where the variable above is not set |
//! | `no_proxy` | a list of hosts that are reached directly: `collector.example` with all names below it, `10.1.2.3`, `10.0.0.0/8`, or `*` for all |
//!
//! The value is `http://proxy.example:3128`; a user name and a password in it go to the proxy alone, and into no
//! message. Without a port it is 80. A proxy that is reached over TLS, and SOCKS, are not supported: a warning
//! says so, and spans are exported without a proxy.
//!
//! OTLP over HTTP goes through the proxy by requests with a whole URL. With TLS, and for gRPC, a tunnel is
//! opened (`CONNECT`). `localhost`, loopback addresses and Unix domain sockets are reached directly.
//! [`Pipeline::exporters`] names the proxy, and so does each error of an export through it.
//!
//! # The end of a process
//!
//! The drop of the handle shuts the pipeline down, also when `main` returns an error or panics. SIGTERM and
//! `std::process::exit` drop nothing: call [`Pipeline::shutdown`] before, or await
//! [`Pipeline::shutdown_async`]. [The end of a
//! process](https://github.com/enter-span/enter-span/blob/main/docs/shutdown.md) has whole programs, with Tokio
//! and without, and what to watch for in a container.
//!
//! # What holds
//!
//! - A thread of the application never waits for an exporter, but where it asks to, in
//!   [`Pipeline::flush`] and [`Pipeline::shutdown`], which have deadlines. [`Pipeline::flush_async`] and
//!   [`Pipeline::shutdown_async`] have the same, and block no thread.
//! - A thread of the pipeline that panics, which would be a fault of this library, is seen: a warning and
//!   [`enter_span::diagnose`] say so, and what it had is counted ([`Dropped::thread_died`]). An exporter's thread
//!   is replaced twice.
//! - Memory is bounded, in spans and in bytes ([`Limits`]). What does not fit is dropped and counted,
//!   and the worker tells of it, at most once a minute ([`PipelineBuilder::with_warnings`]).
//! - Dropped, the handle waits for at most five seconds, unless it was shut down before. What is not exported
//!   when the time of a shutdown is over is dropped, counted, and told from the thread that shuts down.
//! - At any quiet moment `recorded = exported + dropped + spooled + not_kept + undecided`: see [`Counts`]. `spooled`
//!   is 0 without a spool; `not_kept` and `undecided` are 0 without a [`Keep`].
//! - An exporter that fails for good, panics or does not answer in time costs its own batch, and spans that
//!   are made while it exports are suppressed. Only OTLP says which failures may pass.
//! - A batch is cut when its exporter is free, from all that waits: one that is slow gets full batches.
//! - Exporters stand side by side, each with a thread of its own. One that is slow or blocks its
//!   thread does not delay the others: it may hold its share of the queue, and what is over that is
//!   dropped for it alone. A thread that it blocks beyond the deadline is abandoned, and replaced
//!   once. If the second one is blocked too, its spans are dropped until one of the two
//!   comes back.
//! - A forked child is off: it exports nothing, [`Pipeline::flush`] and [`Pipeline::shutdown`] give
//!   [`Error::Forked`] there, and what it records until it is seen to be a child, up to half of the
//!   queue, is counted as dropped. Drop the handle there, and install another pipeline.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod builder;
mod diagnosis;
mod environment;
mod error;
mod export;
mod host;
mod keep;
mod metrics;
mod pipeline;
mod propagation;
mod queue;
mod record;
mod sampling;
mod stats;

pub use builder::PipelineBuilder;
#[doc(inline)]
pub use enter_span::native::SpanLimits;
#[cfg(feature = "waterfall")]
#[cfg_attr(docsrs, doc(cfg(feature = "waterfall")))]
#[doc(inline)]
pub use enter_span_waterfall::{self as waterfall, Console, HtmlFiles};
pub use error::Error;
#[cfg(feature = "spool")]
#[cfg_attr(docsrs, doc(cfg(feature = "spool")))]
pub use export::spool::settings::{Spool, WhenFull};
#[cfg(any(feature = "otlp-http", feature = "otlp-grpc"))]
#[doc(hidden)]
pub mod fuzzing {
    //! What reads the bytes of strangers, for fuzz targets and tests. It is no public API.

    pub use crate::export::otlp::{read_response, read_status};
}
pub use keep::{Keep, LocalSpan, LocalTrace};
pub use pipeline::Pipeline;
pub use queue::limit::Limits;
pub use record::provider::{PipelineProvider, PipelineSpan, PipelineTracer};
pub use sampling::sampler::Sampler;
pub use stats::counts::{Counts, Dropped, ExporterCounts};
pub use stats::keep_counts::KeepCounts;
pub use stats::spool_counts::SpoolCounts;
