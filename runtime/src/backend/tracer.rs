//! The tracer: which library starts spans, and what records them.

use std::borrow::Cow;
use std::fmt;

use crate::backend::context_backend::ContextBackend;
use crate::backend::site::Library;

/// Makes spans under the name of a library, and with a provider of its own if it is given one.
///
/// The attribute, [`in_span!`](crate::in_span) and [`start_span!`](crate::start_span!) know the
/// crate that they stand in and need no tracer. It is for code that is handed a context and finds
/// its tracer there, and for the functions, which cannot know their caller's crate.
///
/// [`tracer!`](crate::tracer) gives one for the crate that contains it, in a `static` as well:
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
    context_backend: Option<ContextBackend>,
}

impl Tracer {
    /// The same tracer for a version of its library.
    #[must_use]
    pub fn with_version(mut self, version: impl Into<Cow<'static, str>>) -> Self {
        self.library.version = Some(version.into());
        self
    }

    pub(crate) const fn of(library: Library) -> Self {
        Tracer {
            library,
            context_backend: None,
        }
    }

    /// One whose spans, and all below them, are recorded elsewhere than the process's.
    pub(crate) fn with_override(library: Cow<'static, str>, backend: ContextBackend) -> Self {
        Tracer {
            library: Library {
                name: library,
                version: None,
            },
            context_backend: Some(backend),
        }
    }

    pub(crate) fn library(&self) -> &Library {
        &self.library
    }

    pub(crate) fn context_backend(&self) -> Option<&ContextBackend> {
        self.context_backend.as_ref()
    }
}

/// It says the same before and after a panic.
impl std::panic::UnwindSafe for Tracer {}
impl std::panic::RefUnwindSafe for Tracer {}

impl fmt::Debug for Tracer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Tracer")
            .field("library", &self.library.name)
            .field("version", &self.library.version)
            .field("has_provider", &self.context_backend.is_some())
            .finish()
    }
}
