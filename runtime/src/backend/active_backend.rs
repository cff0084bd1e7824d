//! Whether anything records: off, on, or on below a context.
//!
//! A lock or a count that every span of every thread touches would be the one thing that threads wait for.
//! So each thread has a copy of the backend behind a generation number. The backend of another provider is
//! not cached: its destructor may flush, and must run when it is replaced.

use std::cell::RefCell;
use std::ffi::OsStr;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};

use opentelemetry::Context;

use crate::backend::Backend;
use crate::context::unwind;
use crate::outcome::failure::ErrorDetail;
use crate::outcome::policy::ErrorPolicy;

/// The process has a backend of its own, ..
const INSTALLED: usize = 1;
/// .. each thread caches it, ..
const CACHED: usize = 2;
/// .. and it records nothing below a local span that is not sampled.
const FOLLOWS: usize = 4;
/// The rest counts the overrides that live.
const OVERRIDE: usize = 8;

/// Zero means off. Relaxed is enough: a thread that misses a switch makes one span fewer or asks
/// once in vain, and what it then reads stands behind a lock.
static ON: AtomicUsize = AtomicUsize::new(0);

/// The process's backend.
static PROCESS: RwLock<Option<Arc<ActiveBackend>>> = RwLock::new(None);

/// Changes under the lock of `PROCESS`, with it.
static GENERATION: AtomicUsize = AtomicUsize::new(0);

/// A backend and what its spans may say of errors.
#[derive(Clone)]
pub(crate) struct ActiveBackend {
    /// There until it drops.
    backend: Option<Arc<dyn Backend>>,
    /// `None` for the process's own choice, which may change.
    detail: Option<ErrorDetail>,
    exception_events: bool,
}

impl ActiveBackend {
    pub(crate) fn backend(&self) -> Option<&dyn Backend> {
        self.backend.as_deref()
    }

    /// With the choices of the process, which are read now.
    fn of_process(backend: Arc<dyn Backend>) -> Self {
        let opt_in = std::env::var_os("OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN");
        ActiveBackend {
            backend: Some(backend),
            detail: None,
            exception_events: wants_exception_events(opt_in.as_deref()),
        }
    }

    pub(crate) fn policy(&self) -> ErrorPolicy {
        ErrorPolicy {
            detail: self.detail.unwrap_or_else(allowed_detail),
            exception_events: self.exception_events,
        }
    }
}

/// A provider may flush in its destructor. It runs wherever the last context that knows it drops, and
/// one that panics does not reach that place.
impl Drop for ActiveBackend {
    fn drop(&mut self) {
        let backend = self.backend.take();
        let _ = unwind::shielded(|| drop(backend));
    }
}

/// The whole price of a span while the process is off.
#[inline(always)]
pub fn is_on() -> bool {
    !cfg!(enter_span_off) && ON.load(Ordering::Relaxed) != 0
}

/// The short way to the backend that a thread keeps: borrowed, not copied.
#[derive(Clone, Copy)]
pub(crate) struct ThreadBackend {
    /// Nothing is recorded below a local span that is not sampled.
    pub(crate) follows_parent: bool,
}

impl ThreadBackend {
    /// `None` where a context may have a backend of its own, or threads keep none.
    #[inline]
    pub(crate) fn find() -> Option<Self> {
        let on = ON.load(Ordering::Relaxed);
        (on & CACHED != 0 && on < OVERRIDE).then_some(ThreadBackend {
            follows_parent: on & FOLLOWS != 0,
        })
    }

    /// Runs `work` with the backend. `None` also where the thread has to ask for the backend anew.
    #[inline]
    pub(crate) fn with<R>(self, work: impl FnOnce(&ActiveBackend) -> Option<R>) -> Option<R> {
        CACHE
            .try_with(|cache| work(cache.try_borrow().ok()?.current()?))
            .ok()
            .flatten()
    }
}

/// What records below this context: its override, else the process's backend.
pub(crate) fn for_context(context: &Context) -> Option<Arc<ActiveBackend>> {
    let on = ON.load(Ordering::Relaxed);
    if on >= OVERRIDE {
        if let Some(below) = context.get::<ContextBackend>() {
            return Some(Arc::clone(&below.active_backend));
        }
    }
    match on & (INSTALLED | CACHED) {
        0 => None,
        INSTALLED => of_process().1,
        _ => cached(),
    }
}

fn of_process() -> (usize, Option<Arc<ActiveBackend>>) {
    let process = PROCESS.read().unwrap_or_else(PoisonError::into_inner);
    (GENERATION.load(Ordering::Relaxed), process.clone())
}

/// A copy of its own for each thread, so that threads do not wait for each other's counting of it.
struct CachedBackend {
    generation: usize,
    active_backend: Option<Arc<ActiveBackend>>,
}

thread_local! {
    static CACHE: RefCell<CachedBackend> = const {
        RefCell::new(CachedBackend {
            generation: 0,
            active_backend: None,
        })
    };
}

impl CachedBackend {
    /// `None` also if it has to be asked for anew.
    #[inline]
    fn current(&self) -> Option<&Arc<ActiveBackend>> {
        let is_current = self.generation == GENERATION.load(Ordering::Relaxed);
        self.active_backend.as_ref().filter(|_| is_current)
    }
}

fn cached() -> Option<Arc<ActiveBackend>> {
    let cached = CACHE.try_with(|cache| cache.try_borrow().ok()?.current().cloned());
    cached.ok().flatten().or_else(refresh)
}

#[cold]
fn refresh() -> Option<Arc<ActiveBackend>> {
    let (generation, active_backend) = of_process();
    let active_backend =
        active_backend.map(|active_backend| Arc::new(ActiveBackend::clone(&active_backend)));
    let cached = CachedBackend {
        generation,
        active_backend: active_backend.clone(),
    };
    // What it replaces may drop a backend, outside of the borrow. A dying thread keeps nothing.
    let _ = CACHE.try_with(|cache| {
        cache
            .try_borrow_mut()
            .map(|mut cache| std::mem::replace(&mut *cache, cached))
    });
    active_backend
}

/// Replaces the backend of the process, for the spans that start from now on. Gives its generation.
pub(crate) fn install(backend: impl Backend) -> usize {
    let (generation, before) = replace(
        Some(ActiveBackend::of_process(Arc::new(backend))),
        INSTALLED,
    );
    // A provider's destructor may flush, so it runs outside of the lock.
    drop(before);
    generation
}

/// Whether the backend of this generation is the process's.
pub(crate) fn is_current(generation: usize) -> bool {
    generation == GENERATION.load(Ordering::Relaxed)
}

/// Whether something else than the process's backend records below this context.
pub(crate) fn is_overridden(context: &Context) -> bool {
    context.get::<ContextBackend>().is_some()
}

/// A backend that is the process's for as long as this is kept, unless another one replaces it.
#[derive(Debug)]
pub struct Installation {
    generation: usize,
}

/// Replaces the backend of the process by one that each thread keeps for itself.
pub fn install_native(backend: Arc<dyn Backend>) -> Installation {
    let follows = if backend.follows_parent() { FOLLOWS } else { 0 };
    let active_backend = ActiveBackend::of_process(backend);
    let (generation, before) = replace(Some(active_backend), INSTALLED | CACHED | follows);
    drop(before);
    Installation { generation }
}

impl Installation {
    /// The number of the installation in this process.
    pub fn generation(&self) -> usize {
        self.generation
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        let process = process();
        if self.generation == GENERATION.load(Ordering::Relaxed) {
            let before = replace_in(process, None, 0);
            drop(before);
        }
    }
}

fn process() -> RwLockWriteGuard<'static, Option<Arc<ActiveBackend>>> {
    PROCESS.write().unwrap_or_else(PoisonError::into_inner)
}

fn replace(by: Option<ActiveBackend>, on: usize) -> (usize, Option<Arc<ActiveBackend>>) {
    replace_in(process(), by, on)
}

/// Gives its generation, and what was there before.
fn replace_in(
    mut process: RwLockWriteGuard<'static, Option<Arc<ActiveBackend>>>,
    by: Option<ActiveBackend>,
    on: usize,
) -> (usize, Option<Arc<ActiveBackend>>) {
    let before = std::mem::replace(&mut *process, by.map(Arc::new));
    let generation = GENERATION.fetch_add(1, Ordering::Relaxed) + 1;
    let of_process = OVERRIDE - 1;
    let switch = |now: usize| Some(now & !of_process | on);
    let _ = ON.fetch_update(Ordering::Relaxed, Ordering::Relaxed, switch);
    (generation, before)
}

/// The semantic conventions let a process move its exceptions from span events to log records.
/// `logs/dup` means both; this library writes no log records, so only `logs` changes anything.
fn wants_exception_events(value: Option<&OsStr>) -> bool {
    value.and_then(OsStr::to_str).map(str::trim) != Some("logs")
}

static DETAIL: AtomicU8 = AtomicU8::new(ErrorDetail::Message as u8);

fn allowed_detail() -> ErrorDetail {
    match DETAIL.load(Ordering::Relaxed) {
        0 => ErrorDetail::Status,
        1 => ErrorDetail::Type,
        2 => ErrorDetail::Message,
        _ => ErrorDetail::Full,
    }
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
    DETAIL.store(most as u8, Ordering::Relaxed);
}

/// A backend for everything below a context, also while the process is off.
#[derive(Clone)]
pub(crate) struct ContextBackend {
    active_backend: Arc<ActiveBackend>,
    #[cfg(feature = "testing")]
    observer: Option<Arc<dyn Observer>>,
    _counted: Arc<OverrideCount>,
}

/// Records what the spans themselves do not show.
#[cfg(feature = "testing")]
pub(crate) trait Observer: Send + Sync {
    /// A span started while the body of a leaf ran, which it is therefore no child of.
    fn hidden(&self, leaf: &'static str, name: &str);
}

impl ContextBackend {
    /// With the process's choices.
    pub(crate) fn new(backend: Arc<dyn Backend>) -> Self {
        ContextBackend {
            active_backend: Arc::new(ActiveBackend::of_process(backend)),
            #[cfg(feature = "testing")]
            observer: None,
            _counted: Arc::new(OverrideCount::new()),
        }
    }

    /// With choices of its own.
    #[cfg(feature = "testing")]
    pub(crate) fn observed(
        backend: impl Backend,
        policy: ErrorPolicy,
        observer: Arc<dyn Observer>,
    ) -> Self {
        ContextBackend {
            active_backend: Arc::new(ActiveBackend {
                backend: Some(Arc::new(backend)),
                detail: Some(policy.detail),
                exception_events: policy.exception_events,
            }),
            observer: Some(observer),
            _counted: Arc::new(OverrideCount::new()),
        }
    }

    /// `context`, with this one in place of any other.
    pub(crate) fn over(&self, context: &Context) -> Context {
        let carried = context.get::<ContextBackend>();
        if carried.is_some_and(|carried| Arc::ptr_eq(&carried.active_backend, &self.active_backend))
        {
            context.clone()
        } else {
            context.with_value(self.clone())
        }
    }

    /// Records what the spans themselves do not show.
    #[cfg(feature = "testing")]
    pub(crate) fn observer(&self) -> Option<&dyn Observer> {
        self.observer.as_deref()
    }
}

/// Keeps the process on while it lives.
struct OverrideCount(());

impl OverrideCount {
    fn new() -> Self {
        ON.fetch_add(OVERRIDE, Ordering::Relaxed);
        OverrideCount(())
    }
}

impl Drop for OverrideCount {
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
    if context.get::<ContextBackend>().is_none() {
        if let Some(below) = current.get::<ContextBackend>() {
            context = context.with_value(below.clone());
        }
    }
    if current.is_telemetry_suppressed() {
        context.with_telemetry_suppressed()
    } else {
        context
    }
}

/// Whether a span that started here and now would be handed to a provider.
///
/// False until the application has installed the pipeline or called
/// [`set_tracer_provider`](crate::set_tracer_provider) or [`use_global_tracer_provider`](crate::use_global_tracer_provider), and where telemetry is suppressed, as inside of an exporter.
/// It says nothing of sampling; [`is_traced`](crate::is_traced) does. With `use_global_tracer_provider` it is true
/// also while OpenTelemetry has no provider yet.
pub fn is_enabled() -> bool {
    if !is_on() {
        return false;
    }
    let current = crate::context::stack::current();
    current.is_some_and(|current| {
        !current.is_telemetry_suppressed() && for_context(&current).is_some()
    })
}
