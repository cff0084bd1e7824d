//! OpenTelemetry's own types: the one place of the public API where they appear.
//!
//! Providers are installed here, and identities and contexts convert both ways. `parent = ..` and
//! `links(..)` take OpenTelemetry's types as they are. Code that only annotates needs none of this.
//!
//! ```
//! use opentelemetry::Context as OtelContext;
//!
//! let ours = enter_span::Context::current();
//! let theirs = OtelContext::from(ours);
//! let back = enter_span::Context::from(theirs);
//! assert!(!back.span_context().is_valid());
//! ```

use std::borrow::Cow;
use std::panic::Location;
use std::sync::Arc;

use opentelemetry::InstrumentationScope;
use opentelemetry::trace::{Span, Tracer, TracerProvider};

use crate::backend::context_backend::ContextBackend;
use crate::backend::foreign::{Provided, SharedProvider};
use crate::backend::process_backend;
use crate::context::identity::{Context, SpanContext, SpanId, TraceId};
use crate::diagnose::global_provider;
use crate::diagnose::install_log::{self, InstallCall};

pub use opentelemetry;

/// Records every span through `provider`, and makes it OpenTelemetry's global provider too.
///
/// An application calls it once, early; a library never does. A second call replaces the first for
/// the spans that start later, and spans that are open end in the provider that they started in.
/// Flush and shut down the provider yourself: it is yours.
///
/// The variable `OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN` is read here: with `logs`, errors add no
/// exception events to spans.
///
/// ```
/// use opentelemetry_sdk::trace::SdkTracerProvider;
///
/// let provider = SdkTracerProvider::builder().build();
/// enter_span::set_tracer_provider(provider.clone());
/// assert!(enter_span::is_enabled());
/// provider.shutdown()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
pub fn set_tracer_provider<P, T, S>(provider: P)
where
    P: TracerProvider<Tracer = T> + Send + Sync + 'static,
    T: Tracer<Span = S> + Send + Sync + 'static,
    S: Span + Send + Sync + 'static,
{
    let provider = Shared(Arc::new(provider));
    let mark = provider.mark();
    opentelemetry::global::set_tracer_provider(provider.clone());
    let generation = process_backend::install_provider(SET, Arc::new(provider));
    remember(SET, Some(mark), generation);
}

const SET: &str = "set_tracer_provider";
const USE_GLOBAL: &str = "use_global_tracer_provider";

#[track_caller]
fn remember(name: &'static str, mark: Option<usize>, generation: usize) {
    install_log::remember(InstallCall {
        name,
        place: Location::caller(),
        mark,
        generation: Some(generation),
        source: None,
    });
}

/// Records every span through whatever provider OpenTelemetry has globally, now and later.
///
/// For applications that set one already. OpenTelemetry does not notify when its provider is replaced, so every
/// span asks for it anew, which costs some 100 ns; [`set_tracer_provider`] does not.
#[track_caller]
pub fn use_global_tracer_provider() {
    let generation = process_backend::install_global(USE_GLOBAL);
    remember(USE_GLOBAL, None, generation);
}

/// One provider in two places.
struct Shared<P>(Arc<P>);

impl<P> Shared<P> {
    fn mark(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }
}

impl<P> Clone for Shared<P> {
    fn clone(&self) -> Self {
        Shared(Arc::clone(&self.0))
    }
}

impl<P: TracerProvider> TracerProvider for Shared<P> {
    type Tracer = P::Tracer;

    fn tracer_with_scope(&self, scope: InstrumentationScope) -> P::Tracer {
        let tracer = self.0.tracer_with_scope(scope.clone());
        global_provider::answer(&scope, self.mark());
        tracer
    }
}

impl crate::backend::tracer::Tracer {
    /// A tracer with a provider of its own, for the library of this name.
    ///
    /// Its spans, and all spans below them, are recorded through `provider`, also while the process
    /// has none, and whatever the process has. Below another provider's span their parent is in
    /// that provider's traces; say `root` where that is not wanted. It does not touch
    /// OpenTelemetry's global provider. Flush and shut down the provider yourself. Make it once and clone it: making one asks the
    /// provider for tracers anew.
    ///
    /// ```
    /// use enter_span::Tracer;
    /// use opentelemetry_sdk::trace::SdkTracerProvider;
    ///
    /// let provider = SdkTracerProvider::builder().build();
    /// let tracer = Tracer::new(provider.clone(), "tenant-7").with_version("1.2.0");
    /// let traced = tracer.enter_span("work", |span| span.is_traced());
    /// assert!(traced);
    /// assert!(!enter_span::is_enabled());
    /// provider.shutdown()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new<P, T, S>(provider: P, library: impl Into<Cow<'static, str>>) -> Self
    where
        P: TracerProvider<Tracer = T> + Send + Sync + 'static,
        T: Tracer<Span = S> + Send + Sync + 'static,
        S: Span + Send + Sync + 'static,
    {
        let provider: SharedProvider = Arc::new(provider);
        let backend = Arc::new(Provided::new(Arc::clone(&provider)));
        Self::with_override(library.into(), ContextBackend::new(backend, provider))
    }
}

macro_rules! convert {
    ($($ours:ident <=> $theirs:ty),+ $(,)?) => {$(
        impl From<$theirs> for $ours {
            fn from(theirs: $theirs) -> Self {
                $ours(theirs)
            }
        }

        impl From<$ours> for $theirs {
            fn from(ours: $ours) -> Self {
                ours.0
            }
        }
    )+};
}

convert! {
    Context <=> opentelemetry::Context,
    SpanContext <=> opentelemetry::trace::SpanContext,
    TraceId <=> opentelemetry::trace::TraceId,
    SpanId <=> opentelemetry::trace::SpanId,
}
