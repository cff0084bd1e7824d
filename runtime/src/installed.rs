//! Whether anything records: off, on, or on below a context. The only global of the runtime.

use std::ffi::OsStr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use opentelemetry::Context;

use crate::backend::{Backend, Live, Start};
use crate::outcome::ErrorDetail;
use crate::recording::Policy;
use crate::thread;

/// The process has a backend of its own: one bit. The rest counts the overrides that live.
const INSTALLED: usize = 1;
const OVERRIDE: usize = 2;

/// Zero means off. Relaxed is enough: a thread that misses a switch makes one span fewer or asks
/// once in vain, and what it then reads stands behind a lock.
static ON: AtomicUsize = AtomicUsize::new(0);

static PROCESS: RwLock<Option<Arc<Installed>>> = RwLock::new(None);

/// A backend and what its spans may say of errors.
pub(crate) struct Installed {
    /// There until it drops.
    backend: Option<Box<dyn Backend>>,
    /// `None` for the process's own choice, which may change.
    detail: Option<ErrorDetail>,
    exception_events: bool,
}

impl Installed {
    pub(crate) fn start(&self, start: Start, parent: &Context) -> Option<Live> {
        let mut policy = self.policy();
        policy.detail = policy.detail.min(start.site.most_detail());
        self.backend.as_ref()?.start(start, parent, policy)
    }

    /// With the choices of the process, which are read now.
    fn of_process(backend: impl Backend + 'static) -> Arc<Self> {
        let opt_in = std::env::var_os("OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN");
        Arc::new(Installed {
            backend: Some(Box::new(backend)),
            detail: None,
            exception_events: wants_exception_events(opt_in.as_deref()),
        })
    }

    pub(crate) fn policy(&self) -> Policy {
        Policy {
            detail: self.detail.unwrap_or_else(allowed_detail),
            exception_events: self.exception_events,
        }
    }
}

/// A provider may flush in its destructor. It runs wherever the last context that knows it drops, and
/// one that panics does not reach that place.
impl Drop for Installed {
    fn drop(&mut self) {
        let backend = self.backend.take();
        let _ = thread::shielded(|| drop(backend));
    }
}

/// The whole price of a span while the process is off.
#[inline(always)]
pub fn is_on() -> bool {
    !cfg!(enter_span_off) && ON.load(Ordering::Relaxed) != 0
}

/// What records below this context: its override, else the process's backend.
pub(crate) fn for_context(context: &Context) -> Option<Arc<Installed>> {
    let on = ON.load(Ordering::Relaxed);
    if on >= OVERRIDE {
        if let Some(below) = context.get::<Override>() {
            return Some(Arc::clone(&below.installed));
        }
    }
    if on & INSTALLED == 0 {
        return None;
    }
    let process = PROCESS.read().unwrap_or_else(PoisonError::into_inner);
    process.clone()
}

/// Replaces the backend of the process, for the spans that start from now on.
pub(crate) fn install(backend: impl Backend + 'static) {
    let installed = Installed::of_process(backend);
    let mut process = PROCESS.write().unwrap_or_else(PoisonError::into_inner);
    let before = process.replace(installed);
    drop(process);
    ON.fetch_or(INSTALLED, Ordering::Relaxed);
    // A provider's destructor may flush, so it runs outside of the lock.
    drop(before);
}

/// The semantic conventions let a process move its exceptions from span events to log records.
/// `logs/dup` means both; this library writes no log records, so only `logs` changes anything.
fn wants_exception_events(value: Option<&OsStr>) -> bool {
    value.and_then(OsStr::to_str).map(str::trim) != Some("logs")
}

static DETAIL: RwLock<ErrorDetail> = RwLock::new(ErrorDetail::Message);

fn allowed_detail() -> ErrorDetail {
    *DETAIL.read().unwrap_or_else(PoisonError::into_inner)
}

/// Sets the most that errors may say about themselves outside of this process.
///
/// It holds for the spans that start afterwards, so call it early. The default is
/// [`ErrorDetail::Message`]: the error's own `Display` text, without its sources.
/// A function lowers it for itself with `err = type` or `err = status`, and cannot raise it.
///
/// ```
/// enter_span::set_error_detail(enter_span::ErrorDetail::Type);
/// ```
pub fn set_error_detail(most: ErrorDetail) {
    *DETAIL.write().unwrap_or_else(PoisonError::into_inner) = most;
}

/// A backend for everything below a context, also while the process is off.
#[derive(Clone)]
pub(crate) struct Override {
    installed: Arc<Installed>,
    #[cfg(feature = "testing")]
    observer: Option<Arc<dyn Observer>>,
    _counted: Arc<Counted>,
}

/// Is told of what the spans themselves do not show.
#[cfg(feature = "testing")]
pub(crate) trait Observer: Send + Sync {
    /// A span started while the body of a leaf ran, which it is therefore no child of.
    fn hidden(&self, leaf: &'static str, name: &str);
}

impl Override {
    /// With the process's choices.
    pub(crate) fn new(backend: impl Backend + 'static) -> Self {
        Override {
            installed: Installed::of_process(backend),
            #[cfg(feature = "testing")]
            observer: None,
            _counted: Arc::new(Counted::new()),
        }
    }

    /// With choices of its own.
    #[cfg(feature = "testing")]
    pub(crate) fn observed(
        backend: impl Backend + 'static,
        policy: Policy,
        observer: Arc<dyn Observer>,
    ) -> Self {
        Override {
            installed: Arc::new(Installed {
                backend: Some(Box::new(backend)),
                detail: Some(policy.detail),
                exception_events: policy.exception_events,
            }),
            observer: Some(observer),
            _counted: Arc::new(Counted::new()),
        }
    }

    /// `context`, with this one in place of any other.
    pub(crate) fn over(&self, context: &Context) -> Context {
        let carried = context.get::<Override>();
        match carried.is_some_and(|carried| Arc::ptr_eq(&carried.installed, &self.installed)) {
            true => context.clone(),
            false => context.with_value(self.clone()),
        }
    }

    /// Who is told of what the spans themselves do not show.
    #[cfg(feature = "testing")]
    pub(crate) fn observer(&self) -> Option<&dyn Observer> {
        self.observer.as_deref()
    }
}

/// Keeps the process on while it lives.
struct Counted(());

impl Counted {
    fn new() -> Self {
        ON.fetch_add(OVERRIDE, Ordering::Relaxed);
        Counted(())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        ON.fetch_sub(OVERRIDE, Ordering::Relaxed);
    }
}

/// The context that a new root starts from: no span, no baggage, but the override of `current`
/// and its silence, if it is silenced.
pub(crate) fn root_of(current: &Context) -> Context {
    inherit(Context::new(), current)
}

/// `context`, with the override and the silence of `current` where it has none of its own.
pub(crate) fn inherit(mut context: Context, current: &Context) -> Context {
    if context.get::<Override>().is_none() {
        if let Some(below) = current.get::<Override>() {
            context = context.with_value(below.clone());
        }
    }
    match current.is_telemetry_suppressed() {
        true => context.with_telemetry_suppressed(),
        false => context,
    }
}

/// Whether a span that started here and now would be handed to a provider.
///
/// False until the application has called [`set_tracer_provider`](crate::set_tracer_provider) or
/// [`use_global`](crate::use_global), and where telemetry is suppressed, as inside of an exporter.
/// It says nothing of sampling; [`is_traced`](crate::is_traced) does. With `use_global` it is true
/// also while OpenTelemetry has no provider yet.
pub fn is_enabled() -> bool {
    if !is_on() {
        return false;
    }
    let current = crate::thread::current();
    current.is_some_and(|current| {
        !current.is_telemetry_suppressed() && for_context(&current).is_some()
    })
}
