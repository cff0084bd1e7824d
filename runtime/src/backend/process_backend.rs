//! Whether anything records: off, on, or on below a context.
//!
//! A lock or a count that every span of every thread touches would be the one thing that threads wait for.
//! So each thread has a copy of the backend behind a generation number. The backend of another provider is
//! not cached: its destructor may flush, and must run when it is replaced.

use std::cell::RefCell;
use std::panic::Location;
use std::sync::Arc;

use enter_span_core::flags::{CACHED, FOLLOWS, INSTALLED, OVERRIDE};
use enter_span_core::{GlobalProvider, SharedBackend, Way};
use opentelemetry::Context;

use crate::backend::Backend;
use crate::backend::active_backend::{ActiveBackend, VERSION, adopt, shared};
use crate::backend::context_backend::ContextBackend;
use crate::backend::foreign::{GlobalTracers, Provided, SharedProvider};

/// The whole price of a span while the process is off.
#[inline(always)]
pub fn is_on() -> bool {
    !cfg!(enter_span_off) && enter_span_core::state() != 0
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
        let on = enter_span_core::state();
        (on & CACHED != 0 && on < OVERRIDE).then_some(ThreadBackend {
            follows_parent: on & FOLLOWS != 0,
        })
    }

    /// Runs `work` with the backend. `None` also where the thread has to ask for the backend anew.
    #[inline]
    pub(crate) fn with<R>(self, work: impl FnOnce(&ActiveBackend) -> Option<R>) -> Option<R> {
        let with = |cache: &RefCell<CachedBackend>| {
            let cache = cache.try_borrow().ok()?;
            work(cache.current()?.as_ref()?)
        };
        CACHE.try_with(with).ok().flatten()
    }
}

/// What records below this context: its override, else the process's backend.
pub(crate) fn for_context(context: &Context) -> Option<Arc<ActiveBackend>> {
    let on = enter_span_core::state();
    if on >= OVERRIDE {
        if let Some(below) = ContextBackend::of(context) {
            return below.active_backend();
        }
    }
    match on & (INSTALLED | CACHED) {
        0 => None,
        INSTALLED => of_process().1,
        _ => cached(),
    }
}

fn of_process() -> (usize, Option<Arc<ActiveBackend>>) {
    let (generation, shared) = enter_span_core::current();
    (generation, shared.and_then(|shared| adopt(&shared)))
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
    /// `None` if it has to be asked for anew.
    #[inline]
    fn current(&self) -> Option<&Option<Arc<ActiveBackend>>> {
        let is_current = self.generation == enter_span_core::generation();
        is_current.then_some(&self.active_backend)
    }
}

fn cached() -> Option<Arc<ActiveBackend>> {
    let cached = CACHE.try_with(|cache| cache.try_borrow().ok()?.current().cloned());
    cached.ok().flatten().unwrap_or_else(refresh)
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

/// Replaces the backend of the process by a provider, for the spans that start from now on. Gives its generation.
#[track_caller]
pub(crate) fn install_provider(call: &'static str, provider: SharedProvider) -> usize {
    let own = ActiveBackend::of_process(Arc::new(Provided::new(Arc::clone(&provider))));
    install(
        shared(own, Some(provider)).with_origin(call, Location::caller()),
        INSTALLED,
    )
}

/// The same by whatever provider OpenTelemetry has globally.
#[track_caller]
pub(crate) fn install_global(call: &'static str) -> usize {
    let own = ActiveBackend::of_process(Arc::new(GlobalTracers));
    let shared = shared(own, None).with_part(GlobalProvider);
    install(shared.with_origin(call, Location::caller()), INSTALLED)
}

fn install(backend: SharedBackend, flags: usize) -> usize {
    enter_span_core::join(VERSION, Way::Own);
    enter_span_core::install(backend, flags)
}

/// Whether the backend of this generation is the process's.
pub(crate) fn is_current(generation: usize) -> bool {
    generation == enter_span_core::generation()
}

/// A backend that is the process's for as long as this is kept, unless another one replaces it.
#[derive(Debug)]
pub struct Installation {
    generation: usize,
}

/// Replaces the backend of the process by one that each thread keeps for itself. `provider` records the same for
/// other versions of this crate. `call` at `place` is who asked for it.
pub fn install_native(
    backend: Arc<dyn Backend>,
    provider: SharedProvider,
    call: &'static str,
    place: &'static Location<'static>,
) -> Installation {
    let follows = if backend.follows_parent() { FOLLOWS } else { 0 };
    let shared = shared(ActiveBackend::of_process(backend), Some(provider));
    Installation {
        generation: install(
            shared.with_origin(call, place),
            INSTALLED | CACHED | follows,
        ),
    }
}

impl Installation {
    /// The number of the installation in this process.
    pub fn generation(&self) -> usize {
        self.generation
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        enter_span_core::uninstall(self.generation);
    }
}

/// Whether a provider would get a span that starts here.
///
/// False until the application has installed the pipeline or called
/// [`set_tracer_provider`](crate::set_tracer_provider) or [`use_global_tracer_provider`](crate::use_global_tracer_provider), and where telemetry is suppressed, as inside of an exporter.
/// It ignores sampling; [`is_traced`](crate::is_traced) does not. With `use_global_tracer_provider` it is true
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
