//! Requests and responses. The expected names, attributes and statuses are those of OpenTelemetry's
//! semantic conventions for HTTP and for RPC.

mod client;
mod emitted;
mod grpc;
mod nested;
mod off;
mod reqwest;
mod server;
mod wire;

use std::future::Future;
use std::task::{Context as TaskContext, Poll};

use ::http::Request;
use axum::Router;
use enter_span::prelude::*;
use enter_span::testing::{RecordedSpan, Recorder, Trace};
use enter_span::{Carried, Context, Value};
use tokio::net::TcpListener;
use tower::{Service, layer};

/// A runtime of one thread, on which real sockets have real time.
pub(crate) fn run<F: Future>(work: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime of one thread").block_on(work)
}

/// Runs `work` under a recorder of its own, which it is given for its servers.
pub(crate) fn record<F: Future>(work: impl FnOnce(Recorder) -> F) -> Trace {
    let recorder = Recorder::new();
    run(recorder.run_async(work(recorder.clone())))
}

/// Has the requests of a service recorded. A server spawns, and so loses the recorder.
#[derive(Clone)]
pub(crate) struct Below<S>(Context, S);

impl<S: Service<Request<A>>, A> Service<Request<A>> for Below<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = Carried<S::Future>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        self.1.poll_ready(cx)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let future = self.0.enter(|| self.1.call(request));
        future.in_span(&self.0)
    }
}

/// Serves on loopback, and gives `http://` and the address.
pub(crate) async fn serve(recorder: &Recorder, router: Router) -> String {
    let context = recorder.context();
    let below = layer::layer_fn(move |service| Below(context.clone(), service));
    let router = router.layer(below);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address");
    tokio::spawn(async { axum::serve(listener, router).await });
    format!("http://{address}")
}

/// Names and kinds, each below its parent.
pub(crate) fn outline(trace: &Trace) -> String {
    let ids: Vec<_> = trace.spans().iter().map(|span| span.span_id()).collect();
    let is_root = |span: &&RecordedSpan| span.parent_id().is_none_or(|id| !ids.contains(&id));
    let mut lines = String::new();
    for root in trace.spans().iter().filter(is_root) {
        outline_below(trace, root, 0, &mut lines);
    }
    lines
}

fn outline_below(trace: &Trace, span: &RecordedSpan, depth: usize, lines: &mut String) {
    let kind = match span.kind() {
        "internal" => String::new(),
        kind => format!(" [{kind}]"),
    };
    lines.push_str(&format!("{}{}{kind}\n", "  ".repeat(depth), span.name()));
    let children = trace.spans().iter();
    for child in children.filter(|child| child.parent_id() == Some(span.span_id())) {
        outline_below(trace, child, depth + 1, lines);
    }
}

#[track_caller]
pub(crate) fn assert_outline(trace: &Trace, expected: &str) {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let lines: Vec<&str> = expected
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let common = lines.iter().map(|line| indent(line)).min().unwrap_or(0);
    let expected: String = lines
        .iter()
        .map(|line| format!("{}\n", &line[common..]))
        .collect();
    assert_eq!(outline(trace), expected);
}

/// What an attribute of this text is; nothing, if there is no text.
pub(crate) fn text(text: &str) -> Option<Value> {
    Some(text).filter(|text| !text.is_empty()).map(Value::from)
}

/// All that was said by attributes, without `code.*`, sorted.
pub(crate) fn all_told(span: &RecordedSpan) -> Vec<(&str, Value)> {
    let keys = span.keys().into_iter();
    let keys = keys.filter(|key| !key.starts_with("code."));
    let mut all: Vec<_> = keys
        .filter_map(|key| Some((key, span.attribute(key)?)))
        .collect();
    all.sort_by_key(|(key, _)| *key);
    all
}
