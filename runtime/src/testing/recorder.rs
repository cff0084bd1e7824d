//! The recorder. Its state is in `state.rs`, and what it recorded is read in `trace.rs`.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;

use super::lost_context;
use super::provider::RecorderProvider;
use super::state::RecorderState;
use super::trace::Trace;
use crate::backend::context_backend::{ContextBackend, Observer};
use crate::backend::foreign::{Provided, SharedProvider};
use crate::context::identity::Context;
use crate::context::stack;
use crate::outcome::failure::ErrorDetail;
use crate::outcome::policy::ErrorPolicy;

/// Records the spans of what it runs, and of nothing else.
///
/// It is carried by the context, so it follows futures and everything that carries the context. It
/// works whether or not the process has a provider, and hides that one from what it runs. It does not
/// hide the provider of a [`Tracer`](crate::Tracer) that has its own: give such a tracer
/// [`tracer_provider`](Recorder::tracer_provider) in tests.
#[derive(Clone)]
pub struct Recorder {
    state: Arc<RecorderState>,
    policy: ErrorPolicy,
    backend: ContextBackend,
}

impl Recorder {
    /// A recorder that samples every trace, with the default detail of errors.
    pub fn new() -> Self {
        let policy = ErrorPolicy {
            detail: ErrorDetail::default(),
            exception_events: true,
        };
        lost_context::register();
        Recorder::with(RecorderState::new(|_| true), policy)
    }

    /// Samples the traces whose root's name `sample` accepts. Call it before anything runs.
    #[must_use]
    pub fn with_sampler(self, sample: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        let policy = self.policy;
        // This recorder counts until it drops, and the new one may have to wait for an exclusive test.
        drop(self);
        Recorder::with(RecorderState::new(sample), policy)
    }

    /// Records errors in this detail, as [`set_error_detail`](crate::set_error_detail) would.
    #[must_use]
    pub fn with_error_detail(self, detail: ErrorDetail) -> Self {
        let policy = ErrorPolicy {
            detail,
            ..self.policy
        };
        Recorder::with(self.state, policy)
    }

    /// Records errors without `exception` events, as `OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN=logs`
    /// would have it.
    #[must_use]
    pub fn without_exception_events(self) -> Self {
        let policy = ErrorPolicy {
            exception_events: false,
            ..self.policy
        };
        Recorder::with(self.state, policy)
    }

    fn with(state: Arc<RecorderState>, policy: ErrorPolicy) -> Self {
        let provider: SharedProvider = Arc::new(RecorderProvider::new(Arc::clone(&state)));
        let backend = Arc::new(Provided::new(Arc::clone(&provider)));
        Recorder {
            backend: ContextBackend::observed(
                backend,
                provider,
                policy,
                Arc::clone(&state) as Arc<dyn Observer>,
            ),
            state,
            policy,
        }
    }

    /// Runs `work` and gives what has been recorded so far.
    pub fn run<R>(&self, work: impl FnOnce() -> R) -> Trace {
        drop(self.enter(work));
        self.trace()
    }

    /// Runs a future and gives what has been recorded so far.
    pub async fn run_async<F: Future>(&self, work: F) -> Trace {
        drop(self.enter_async(work).await);
        self.trace()
    }

    /// Runs `work` and gives its value.
    pub fn enter<R>(&self, work: impl FnOnce() -> R) -> R {
        let _attached = stack::attach(self.context().0);
        work()
    }

    /// Runs a future and gives its value.
    pub async fn enter_async<F: Future>(&self, work: F) -> F::Output {
        let mut work = pin!(work);
        poll_fn(|cx| self.enter(|| work.as_mut().poll(cx))).await
    }

    /// A context without a span, below which everything is recorded here. It can be attached
    /// through OpenTelemetry, or be given as `parent`, where work starts without any context.
    pub fn context(&self) -> Context {
        Context(self.backend.over(&opentelemetry::Context::new()))
    }

    /// A provider for code that speaks OpenTelemetry by hand, which records here as well.
    pub fn tracer_provider(&self) -> RecorderProvider {
        RecorderProvider::new(Arc::clone(&self.state))
    }

    /// What has been recorded so far, spans that are still open included.
    pub fn trace(&self) -> Trace {
        let record = self.state.record().clone();
        Trace::of(record)
    }
}

impl Default for Recorder {
    fn default() -> Self {
        Recorder::new()
    }
}
