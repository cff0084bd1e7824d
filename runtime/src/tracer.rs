//! The handle for code that has a context: who makes spans, and who records them.

use std::borrow::Cow;
use std::fmt;

use opentelemetry::trace::{Span, Tracer as OtelTracer, TracerProvider};

use crate::backend::Provided;
use crate::installed::Override;
use crate::site::Library;

/// Makes spans under the name of a library, and with a provider of its own if it is given one.
///
/// The attribute, [`in_span!`](crate::in_span) and [`start_span!`](crate::start_span!) know the
/// crate that they stand in and need no tracer. It is for code that is handed a context and finds
/// its tracer there, and for the functions, which cannot know their caller's crate.
///
/// [`tracer!`](crate::tracer) gives one for the crate that it stands in, in a `static` as well:
///
/// ```
/// use enter_span::{Tracer, enter_span};
///
/// static TRACER: Tracer = enter_span::tracer!();
///
/// struct Context {
///     tracer: Tracer,
/// }
///
/// #[enter_span(tracer = context.tracer)]
/// fn handle(context: &Context) -> u32 {
///     context.tracer.enter_span("count", |_| 3)
/// }
///
/// let context = Context { tracer: TRACER.clone() };
/// assert_eq!(handle(&context), 3);
/// ```
///
/// Parents are found as always, and the trees are the same. While nothing is traced, a call costs
/// one relaxed load.
#[derive(Clone)]
pub struct Tracer {
    library: Library,
    below: Option<Override>,
}

impl Tracer {
    /// A tracer with a provider of its own, for the library of this name.
    ///
    /// Its spans, and all spans below them, are recorded through `provider`, also while the process
    /// has none, and whatever the process has. It does not touch OpenTelemetry's global provider.
    /// Flush and shut down the provider yourself. Make it once and clone it: making one asks the
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
        T: OtelTracer<Span = S> + Send + Sync + 'static,
        S: Span + Send + Sync + 'static,
    {
        Tracer {
            library: Library {
                name: library.into(),
                version: None,
            },
            below: Some(Override::new(Provided::new(provider))),
        }
    }

    /// The same tracer for a version of its library.
    #[must_use]
    pub fn with_version(mut self, version: impl Into<Cow<'static, str>>) -> Self {
        self.library.version = Some(version.into());
        self
    }

    pub(crate) const fn of(library: Library) -> Self {
        Tracer {
            library,
            below: None,
        }
    }

    pub(crate) fn library(&self) -> &Library {
        &self.library
    }

    pub(crate) fn below(&self) -> Option<&Override> {
        self.below.as_ref()
    }
}

impl fmt::Debug for Tracer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Tracer")
            .field("library", &self.library.name)
            .field("version", &self.library.version)
            .field("has_provider", &self.below.is_some())
            .finish()
    }
}

/// A [`Tracer`] for the crate that this stands in, by its name and version.
///
/// It is constant, so it can stand in a `static`. It records where the process, or what is carried
/// by the context, records.
///
/// ```
/// use enter_span::Tracer;
///
/// static TRACER: Tracer = enter_span::tracer!();
///
/// assert_eq!(TRACER.enter_span("sum", |_| 1 + 2), 3);
/// ```
#[macro_export]
macro_rules! tracer {
    () => {
        $crate::private::tracer(
            ::core::option_env!("CARGO_PKG_NAME"),
            ::core::option_env!("CARGO_PKG_VERSION"),
            ::core::module_path!(),
        )
    };
}
