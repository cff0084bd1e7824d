//! Starts a span with what is installed, and takes it into its family.

#[cfg(feature = "open-spans")]
use std::borrow::Cow;

use opentelemetry::Context;
#[cfg(feature = "open-spans")]
use opentelemetry::trace::TraceContextExt as _;

use crate::backend::active_backend::{ActiveBackend, ThreadBackend};
use crate::backend::ended_span::Parentage;
use crate::backend::record::Record;
use crate::backend::site::{Library, Site};
use crate::backend::{Start, StartResult};
#[cfg(feature = "open-spans")]
use crate::context::identity::SpanContext;
use crate::context::identity::has_span;
use crate::context::stack;
#[cfg(feature = "open-spans")]
use crate::diagnose::open_spans;
use crate::diagnose::undeclared_root::UndeclaredRoot;
use crate::span::local_root;
use crate::span::parent::PendingLinks;
use crate::span::recorder_hooks;
use crate::span::recording::StartState;
use crate::span::scope::{self, Scope};

/// Starts a span below `parent`. `None` if there is none that says anything.
pub(crate) fn start(
    active_backend: &ActiveBackend,
    start: Start<'_>,
    parent: &Context,
) -> Option<Box<Scope>> {
    let site = start.site;
    #[cfg(feature = "open-spans")]
    let name = start.name();
    let backend = active_backend.backend()?;
    let scope = scope(active_backend, site, parent, |record| {
        Some(backend.start(start, parent, record))
    })?;
    #[cfg(feature = "open-spans")]
    let scope = scope.map(|scope| list(scope, name, parent));
    scope
}

/// Starts a span that has nothing but its site, below what is current, where no code of the user's
/// runs for it. `None` if more has to be asked; the inner one, if there is no span.
#[inline]
pub(crate) fn start_plain(site: &'static Site) -> Option<Option<Box<Scope>>> {
    let shortcut = ThreadBackend::find()?;
    let start = |parent: &Context| {
        let is_off = parent.is_telemetry_suppressed()
            || (shortcut.follows_parent && scope::is_known_unsampled(parent));
        if is_off {
            return Some(None);
        }
        // A root that is linked has more than its site.
        if PendingLinks::are_in(parent) {
            return None;
        }
        shortcut.look(|active_backend| start_below(active_backend, site, parent))
    };
    stack::map_current(start).unwrap_or(Some(None))
}

fn start_below(
    active_backend: &ActiveBackend,
    site: &'static Site,
    parent: &Context,
) -> Option<Option<Box<Scope>>> {
    let backend = active_backend.backend()?;
    let scope = scope(active_backend, site, parent, |record| {
        backend.start_plain(site, parent, record)
    })?;
    #[cfg(feature = "open-spans")]
    let scope = scope.map(|scope| list(scope, Cow::Borrowed(site.name()), parent));
    if scope.is_some() && !has_span(parent) {
        UndeclaredRoot::of(site, "").count();
    }
    Some(scope)
}

/// Who has to be told what a span says of itself before it starts.
#[derive(Clone, Copy)]
pub(crate) enum Interest {
    /// Nobody: it is not recorded.
    Nobody,
    /// The sampler, or another provider's.
    Sampler,
    /// Who records it, since its place has decided that it is sampled; else nobody.
    Decided(Parentage),
}

/// What is known of a span of this library below `parent` before anything is evaluated for it.
pub(crate) fn interest(
    active_backend: &ActiveBackend,
    library: &Library,
    parent: &Context,
) -> Interest {
    let Some(backend) = active_backend.backend() else {
        return Interest::of_nobody();
    };
    let is_declined =
        backend.mutes(library) || (backend.follows_parent() && scope::is_known_unsampled(parent));
    if is_declined {
        return Interest::Nobody;
    }
    backend
        .decide(parent)
        .map_or(Interest::Sampler, Interest::Decided)
}

impl Interest {
    /// Where nothing records; but a test wants to know the names of what it has lost.
    pub(crate) fn of_nobody() -> Self {
        if recorder_hooks::is_recorder_alive() {
            Interest::Sampler
        } else {
            Interest::Nobody
        }
    }

    pub(crate) fn is_any(&self) -> bool {
        match self {
            Interest::Nobody => false,
            Interest::Sampler => true,
            Interest::Decided(place) => { place.flags }.is_sampled(),
        }
    }

    pub(crate) fn parentage(self) -> Option<Parentage> {
        match self {
            Interest::Decided(place) => Some(place),
            Interest::Nobody | Interest::Sampler => None,
        }
    }
}

/// A scope with the span that `start` starts, if it is one that says anything. Nothing, if `start` gives
/// nothing.
#[inline]
fn scope(
    active_backend: &ActiveBackend,
    site: &'static Site,
    parent: &Context,
    start: impl FnOnce(&mut Record) -> Option<StartResult>,
) -> Option<Option<Box<Scope>>> {
    let mut policy = active_backend.policy();
    policy.detail = policy.detail.min(site.most_detail());
    let mut scope = Scope::spare(site);
    match scope.begin(policy, parent, start) {
        Some(StartState::Recorded) => {
            local_root::adopt(&mut scope, parent);
            Some(Some(scope))
        }
        Some(StartState::Unrecorded) => Some(scope.declined(parent)),
        Some(StartState::Nothing) => {
            Scope::recycle(scope);
            Some(None)
        }
        None => {
            Scope::recycle(scope);
            None
        }
    }
}

/// Puts a span that is recorded into the list of what is open.
#[cfg(feature = "open-spans")]
fn list(mut scope: Box<Scope>, name: Cow<'static, str>, parent: &Context) -> Box<Scope> {
    let site = scope.site;
    if let Some(recording) = scope.share() {
        let identity = SpanContext(recording.identity().clone());
        let begun = open_spans::OpenSpanInfo {
            name,
            site,
            place: local_root::place(parent, &identity),
            parent: SpanContext(parent.span().span_context().clone()),
            identity,
        };
        recording.keep(open_spans::enlist(begun));
    }
    scope
}
