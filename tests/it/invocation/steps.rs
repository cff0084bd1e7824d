//! What an engine for durable work does inside of its invocations, written with this library.

use std::fmt;
use std::ops::ControlFlow;
use std::time::Duration;

use enter_span::prelude::*;
use enter_span::testing::Recorder;
use enter_span::{Outcome, Span, Value, enter_span, in_span};
use futures::{Stream, StreamExt as _, stream};
use tokio::sync::{OnceCell, oneshot};
use tokio::time::{self, Instant};

use crate::support::check::{block_on, check_async};

/// The first request initialises, in a span of its own; the second one finds it done.
#[tokio::test]
async fn only_the_first_request_initialises() {
    struct Route {
        handler: OnceCell<u64>,
        requests: std::sync::atomic::AtomicU64,
    }
    #[enter_span("workflow.route.init")]
    async fn init() -> u64 {
        tokio::task::yield_now().await;
        7
    }
    #[enter_span("workflow.route.flow", kind = server, attributes(
        handler_cached = route.handler.initialized(),
        invocation_count = 1 + route.requests.fetch_add(1, std::sync::atomic::Ordering::Relaxed),
        faas.instance = "cinst_1",
    ))]
    async fn flow(route: &Route) -> u64 {
        *route.handler.get_or_init(init).await
    }
    let route = Route {
        handler: OnceCell::new(),
        requests: Default::default(),
    };
    let trace = Recorder::new()
        .run_async(async {
            assert_eq!((flow(&route).await, flow(&route).await), (7, 7));
        })
        .await;
    trace.assert_tree(
        "
        workflow.route.flow [server] handler_cached=false invocation_count=1 faas.instance=cinst_1
          workflow.route.init
        workflow.route.flow [server] handler_cached=true invocation_count=2 faas.instance=cinst_1
        ",
    );
}

/// Work that was asked for ahead is below the span that asked, and not below what is polled beside it.
#[test]
fn work_ahead_is_below_who_asked_for_it() {
    #[enter_span("bundle.compile")]
    async fn compile(done: oneshot::Sender<()>) {
        done.send(()).expect("somebody waits");
    }
    #[enter_span("replay.load")]
    async fn load(compiled: oneshot::Receiver<()>) {
        compiled.await.expect("compiled while this waits");
    }
    #[enter_span("workflow.execute", kind = consumer)]
    async fn execute() {
        let (done, compiled) = oneshot::channel();
        let ahead = tokio::spawn(compile(done).in_current_span());
        load(compiled).await;
        ahead.await.expect("it ran");
    }
    check_async(
        execute(),
        "
        workflow.execute [consumer]
          replay.load
          bundle.compile
        ",
    );
}

/// Connects, which takes three milliseconds, and reads a stream, in a client's span, which tells how much came,
/// and when the first of it did.
#[enter_span("stream.read", kind = client, |span|)]
async fn read(mut chunks: impl Stream<Item = Vec<u8>> + Unpin) {
    let start = Instant::now();
    time::advance(Duration::from_millis(3)).await;
    span.set_attribute("stream.connect_ms", start.elapsed().as_millis());
    let (mut count, mut bytes) = (0, 0);
    let mut first = None;
    while let Some(chunk) = chunks.next().await {
        count += 1;
        bytes += chunk.len();
        // An empty chunk is not data.
        if !chunk.is_empty() && first.is_none() {
            first = Some(start.elapsed());
        }
    }
    span.set_attribute("stream.chunks", count);
    span.set_attribute("stream.bytes", bytes);
    let first = first.map(|first| first.as_millis());
    span.set_attribute("stream.first_data_ms", first);
}

/// Chunks and bytes are counted to the end of the stream; an empty chunk is one, and no data.
#[test]
fn a_stream_is_counted_in_its_span() {
    let after = |milliseconds: u64, chunk: &[u8]| (milliseconds, chunk.to_vec());
    let cases = [
        (vec![after(10, b"abc")], (1, 3, 13)),
        (
            vec![after(10, b"frame 1"), after(5, b"second")],
            (2, 13, 13),
        ),
        (vec![after(10, b""), after(5, b"data")], (2, 4, 18)),
    ];
    for (chunks, (count, bytes, first)) in cases {
        let chunks = stream::iter(chunks).then(|(milliseconds, chunk)| async move {
            time::advance(Duration::from_millis(milliseconds)).await;
            chunk
        });
        let recorder = Recorder::new();
        let trace = block_on(recorder.run_async(read(Box::pin(chunks))));
        let read = trace.find("stream.read");
        assert_eq!(read.kind(), "client");
        assert_eq!(read.attribute("stream.connect_ms"), Some(3.into()));
        let told = ["stream.chunks", "stream.bytes", "stream.first_data_ms"];
        let told = told.map(|key| read.attribute(key));
        assert_eq!(
            told,
            [count, bytes, first].map(|number| Some(Value::from(number)))
        );
    }
}

/// How a step fails, and whether it is tried again.
#[derive(Debug, Clone, Copy)]
enum StepError {
    Fatal,
    Retryable,
    Transient,
}

impl fmt::Display for StepError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self:?} failure")
    }
}

impl std::error::Error for StepError {}

/// A step that fails has the status, the type and one event, and what the engine makes of it.
#[test]
fn a_failed_step_says_how() {
    #[enter_span("step.execute", kind = consumer)]
    fn step(fails: StepError) -> Result<(), StepError> {
        let span = Span::current();
        span.set_attribute("step.error.category", format!("{fails:?}"));
        span.set_attribute("step.error.retryable", !matches!(fails, StepError::Fatal));
        Err(fails)
    }
    let errors = [
        (StepError::Fatal, false),
        (StepError::Retryable, true),
        (StepError::Transient, true),
    ];
    for (error, retryable) in errors {
        let trace = Recorder::new().run(|| assert!(step(error).is_err()));
        let step = trace.find("step.execute");
        assert_eq!(*step.status(), enter_span::Status::error(error.to_string()));
        let [event] = step.events() else {
            panic!("one event, and not {:?}", step.events());
        };
        assert_eq!(event.name(), "exception");
        assert!(step.attribute("error.type").is_some());
        assert_eq!(
            step.attribute("step.error.retryable"),
            Some(retryable.into())
        );
    }
}

/// What ends a workflow: it is done, or it waits for something.
enum Flow {
    Suspended(&'static str),
}

impl Outcome for Flow {
    fn failure(&self) -> Option<enter_span::Failure<'_>> {
        None
    }
}

/// A workflow that is suspended has not failed, whether that is a type of the engine's, a `ControlFlow`, or
/// an `Err` that is declared to be none.
#[test]
fn a_suspension_is_no_failure() {
    #[enter_span("workflow.execute", ret(workflow.suspension.reason = |flow| match flow { Flow::Suspended(why) => *why }))]
    fn by_type() -> Flow {
        Flow::Suspended("hook")
    }
    #[enter_span("workflow.execute")]
    fn by_control_flow() -> ControlFlow<&'static str> {
        ControlFlow::Break("hook")
    }
    #[enter_span("workflow.execute", err = |why| *why != "suspended")]
    fn by_error() -> Result<(), &'static str> {
        Err("suspended")
    }
    let trace = Recorder::new().run(|| {
        in_span!("all", || {
            by_type();
            assert!(by_control_flow().is_break());
            assert!(by_error().is_err());
        });
    });
    trace.assert_tree(
        "
        all
          workflow.execute workflow.suspension.reason=hook
          workflow.execute
          workflow.execute
        ",
    );
}
