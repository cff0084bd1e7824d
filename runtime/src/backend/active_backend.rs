//! What this version of the crate records with, and what its spans may say of errors.
//!
//! `enter-span-core` holds what a process or a context has one of, in forms for all versions of this crate.
//! Here is the form of this version.

use std::ffi::OsStr;
use std::sync::Arc;

use enter_span_core::{GlobalProvider, SharedBackend, Way};

use crate::backend::Backend;
use crate::backend::foreign::{GlobalTracers, Provided, SharedProvider};
use crate::context::unwind;
use crate::outcome::failure::ErrorDetail;
use crate::outcome::policy::ErrorPolicy;

/// This version, for others.
pub(crate) const VERSION: &str = concat!("enter-span ", env!("CARGO_PKG_VERSION"));

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
    pub(crate) fn of_process(backend: Arc<dyn Backend>) -> Self {
        let opt_in = std::env::var_os("OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN");
        ActiveBackend {
            backend: Some(backend),
            detail: None,
            exception_events: wants_exception_events(opt_in.as_deref()),
        }
    }

    /// With choices of its own.
    #[cfg(feature = "testing")]
    pub(crate) fn with_policy(backend: Arc<dyn Backend>, policy: ErrorPolicy) -> Self {
        ActiveBackend {
            backend: Some(backend),
            detail: Some(policy.detail),
            exception_events: policy.exception_events,
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

/// What this version records with: the part of a shared backend that is its own.
#[derive(Clone)]
struct Adopted(Option<Arc<ActiveBackend>>);

/// A backend in the forms that this version and others know.
pub(crate) fn shared(own: ActiveBackend, provider: Option<SharedProvider>) -> SharedBackend {
    let shared = SharedBackend::new(VERSION).with_part(Adopted(Some(Arc::new(own))));
    match provider {
        Some(provider) => shared.with_part(provider),
        None => shared,
    }
}

/// What this version records with, where `shared` is installed. Another version's backend is used through its
/// OpenTelemetry provider. `None` if that is of another OpenTelemetry.
pub(crate) fn adopt(shared: &SharedBackend) -> Option<Arc<ActiveBackend>> {
    match shared.part::<Adopted>() {
        Some(adopted) => adopted.0,
        None => adopt_others(shared),
    }
}

#[cold]
fn adopt_others(shared: &SharedBackend) -> Option<Arc<ActiveBackend>> {
    let backend: Option<Arc<dyn Backend>> = match shared.part::<SharedProvider>() {
        Some(provider) => Some(Arc::new(Provided::new(provider))),
        None if shared.part::<GlobalProvider>().is_some() => Some(Arc::new(GlobalTracers)),
        None => None,
    };
    let way = if backend.is_some() {
        Way::OpenTelemetry
    } else {
        Way::Nothing
    };
    enter_span_core::join(VERSION, way);
    let active_backend = backend.map(|backend| Arc::new(ActiveBackend::of_process(backend)));
    shared.add_part(Adopted(active_backend)).0
}

/// The semantic conventions let a process move its exceptions from span events to log records.
/// `logs/dup` means both; this library writes no log records, so only `logs` changes anything.
fn wants_exception_events(value: Option<&OsStr>) -> bool {
    value.and_then(OsStr::to_str).map(str::trim) != Some("logs")
}

fn allowed_detail() -> ErrorDetail {
    match enter_span_core::error_detail() {
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
/// A function lowers it for itself with `err = type` or `err = status`, and cannot raise it. It holds for all
/// versions of this crate in the process.
///
/// ```
/// enter_span::set_error_detail(enter_span::ErrorDetail::Type);
/// ```
pub fn set_error_detail(most: ErrorDetail) {
    enter_span_core::set_error_detail(most as u8);
}
