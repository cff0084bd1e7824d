//! foundations, whose spans end in its own queue and are dropped there by another thread.
//!
//! It exports by UDP or gRPC and to nothing else. What can be had without a socket is the context of
//! its tests, with the tracer, the sampler and the queue of a million spans that a service has.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

use foundations::telemetry::tracing::{StartTraceOptions, add_span_tags, span_fn, start_trace};
use foundations::telemetry::{TelemetryContext, TestTelemetryContext};

use crate::peer::{Arrived, Peer};
use crate::scenario::{
    Facts, Refused, Scenario, Spans, Work, body, failing_body, work, yielding_body,
};

#[derive(Default)]
pub(crate) struct Founded {
    installed: Option<Installed>,
    arrived: Option<u64>,
}

struct Installed {
    context: Mutex<Arc<TestTelemetryContext>>,
    worker: mpsc::Sender<Ended>,
}

/// A context that is not used any more, with its spans, and whom to tell when it is gone.
struct Ended(Arc<TestTelemetryContext>, mpsc::Sender<()>);

impl Installed {
    fn new() -> Self {
        let (worker, all) = mpsc::channel::<Ended>();
        thread::spawn(move || {
            for Ended(context, dropped) in all {
                drop(context);
                dropped.send(()).ok();
            }
        });
        Installed {
            context: Mutex::new(Arc::new(TelemetryContext::test())),
            worker,
        }
    }

    fn context(&self) -> Arc<TestTelemetryContext> {
        let context = self.context.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&context)
    }

    /// Gives the old one.
    fn renew(&self) -> Arc<TestTelemetryContext> {
        let mut context = self.context.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut context, Arc::new(TelemetryContext::test()))
    }
}

impl Peer for Founded {
    fn install(&mut self) {
        self.installed = Some(Installed::new());
    }

    fn work(&self, scenario: Scenario) -> Work {
        work::<Functions>(scenario)
    }

    fn on_this_thread(&self, work: &mut dyn FnMut()) {
        let context = self.installed.as_ref().map(Installed::context);
        let _scope = context.as_ref().map(|context| context.scope());
        work();
    }

    fn settle(&mut self) {
        let Some(installed) = &self.installed else {
            return;
        };
        let (dropped, is_dropped) = mpsc::channel();
        let ended = Ended(installed.renew(), dropped);
        if installed.worker.send(ended).is_ok() {
            is_dropped.recv().ok();
        }
    }

    fn take_arrived(&mut self) -> Arrived {
        match self.arrived.take() {
            Some(spans) => Arrived::Counted(spans),
            None => Arrived::NotCounted,
        }
    }

    fn settle_and_count(&mut self) {
        let context = self.installed.as_ref().map(Installed::renew);
        let traces = context.map(|context| context.traces(Default::default()));
        let traces = traces.unwrap_or_default();
        self.arrived = Some(traces.iter().map(|trace| trace.iter().count() as u64).sum());
    }
}

struct Functions;

impl Spans for Functions {
    fn root(id: u64, children: impl FnOnce()) {
        root(id, children);
    }

    fn child(id: u64) -> u64 {
        child(id)
    }

    fn leaf(id: u64) -> u64 {
        child(id)
    }

    fn attributes_5(facts: Facts<'_>) -> u64 {
        attributes_5(facts)
    }

    fn result(id: u64) -> Result<u64, Refused> {
        result(id)
    }

    fn ready(id: u64) -> impl Future<Output = u64> {
        ready(id)
    }

    fn yields(id: u64) -> impl Future<Output = u64> {
        yields(id)
    }

    fn not_sampled(children: impl FnOnce()) {
        let options = StartTraceOptions {
            override_sampling_ratio: Some(0.0),
            ..StartTraceOptions::default()
        };
        let _root = start_trace("root", options);
        children();
    }
}

#[span_fn("root")]
fn root(id: u64, children: impl FnOnce()) {
    add_span_tags!("id" => id as i64);
    children();
}

#[span_fn("child")]
fn child(id: u64) -> u64 {
    add_span_tags!("id" => id as i64);
    body(id)
}

#[span_fn("attributes_5")]
fn attributes_5(facts: Facts<'_>) -> u64 {
    add_span_tags!(
        "id" => facts.id as i64,
        "is_retry" => facts.is_retry,
        "ratio" => facts.ratio,
        "route" => facts.route,
        "tenant" => facts.tenant.to_owned()
    );
    body(facts.id)
}

#[span_fn("result")]
fn result(id: u64) -> Result<u64, Refused> {
    add_span_tags!("id" => id as i64);
    failing_body(id).inspect_err(|error| {
        add_span_tags!("error" => true, "error.message" => error.to_string());
    })
}

#[span_fn("ready")]
async fn ready(id: u64) -> u64 {
    add_span_tags!("id" => id as i64);
    body(id)
}

#[span_fn("yields")]
async fn yields(id: u64) -> u64 {
    add_span_tags!("id" => id as i64);
    yielding_body(id).await
}
