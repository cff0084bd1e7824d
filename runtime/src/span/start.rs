//! The start of a span, from what is current to the context that its body runs in.
//!
//! `start_plain` starts a span that has only its site, `enter_with` any other. What is written about a span
//! before it starts is collected in `builder.rs`; its end is in `active.rs`.

use opentelemetry::Context;

use crate::backend::active_backend::ActiveBackend;
use crate::backend::ended_span::Parentage;
use crate::backend::process_backend::{self, ThreadBackend};
use crate::backend::site::{Library, Site};
use crate::backend::{Start, StartResult};
use crate::context::identity::has_span;
use crate::context::{stack, unwind};
use crate::diagnose::undeclared_root;
use crate::outcome::policy::ErrorPolicy;
use crate::span::active::ActiveSpan;
use crate::span::builder::{Describe, SpanBuilder};
use crate::span::local_root;
use crate::span::recorder_hooks;
use crate::span::recording_place::State;
use crate::span::scope::Scope;
use crate::span::to_parent::PendingLinks;
use crate::span::unsampled;

/// Enters a span at `site`, below the current one.
#[cold]
pub fn enter(site: &'static Site) -> ActiveSpan {
    match start_plain(site) {
        Some(active) => active,
        None => enter_with(site, &mut [], &mut []),
    }
}

/// Starts a span that has only its site. `None` if it takes more than that.
///
/// No user code runs here, so all of it runs under OpenTelemetry's borrow of the current context, without
/// a copy of it.
#[inline]
fn start_plain(site: &'static Site) -> Option<ActiveSpan> {
    let thread_backend = ThreadBackend::find()?;
    let start = |parent: &Context| {
        // What is current: a span may start below it, and takes nothing but its site.
        let is_off = parent.is_telemetry_suppressed()
            || (thread_backend.follows_parent && unsampled::is_known_unsampled(parent));
        if is_off {
            return Some(ActiveSpan::OFF);
        }
        let is_root = !has_span(parent);
        if is_root && PendingLinks::are_in(parent) {
            return None;
        }
        thread_backend.with(|active_backend| {
            // Who records.
            let backend = active_backend.backend()?;
            // The decision and the record.
            let mut scope = Scope::spare(site);
            let mut place = scope.place();
            // The context.
            let name = listing::name(None);
            let scope = match backend.start_plain(site, parent, place.record()) {
                Some(StartResult::Recorded) => {
                    let policy = active_backend.policy();
                    let state = place.start_record(policy);
                    activate(&mut scope, state, policy, parent, name);
                    scope
                }
                Some(other) => match activate_other(scope, other, active_backend, parent, name) {
                    Some(scope) => scope,
                    None => return Some(ActiveSpan::OFF),
                },
                None => {
                    Scope::recycle(scope);
                    return None;
                }
            };
            if is_root {
                undeclared_root::count_at(site);
            }
            Some(ActiveSpan::new(scope))
        })
    };
    // Off on a thread that is being torn down.
    stack::map_current(start).unwrap_or_else(|| Some(ActiveSpan::OFF))
}

/// Enters a span that more is written about: first its placement (tracer, parent), then its
/// description (name, links, attributes) if it may be recorded there.
#[cold]
pub fn enter_with(
    site: &'static Site,
    placement: &mut [Describe<'_>],
    description: &mut [Describe<'_>],
) -> ActiveSpan {
    // What is current.
    let Some(current) = stack::current() else {
        return ActiveSpan::OFF;
    };
    if current.is_telemetry_suppressed() {
        return ActiveSpan::OFF;
    }
    // The parent.
    let mut builder = SpanBuilder::new(site, current);
    builder.describe(placement);
    builder.resolve_parent();
    // Who records, and the decision if it needs no attributes.
    let active_backend = process_backend::for_context(builder.parent_context());
    let active_backend = active_backend.as_deref();
    let decision = decide(active_backend, builder.library(), builder.parent_context());
    if decision.needs_attributes {
        builder.describe(description);
    }
    // The record and the context. A sampler or a provider that panics costs the span.
    unwind::shielded(|| start_built(builder, active_backend, decision))
        .flatten()
        .unwrap_or(ActiveSpan::OFF)
}

/// What is known of a span before its attributes are evaluated.
struct EarlyDecision {
    /// The sampler or the record may see them.
    needs_attributes: bool,
    /// If its place decides whether it is sampled.
    parentage: Option<Parentage>,
}

fn decide(
    active_backend: Option<&ActiveBackend>,
    library: &Library,
    parent: &Context,
) -> EarlyDecision {
    let undecided = |needs_attributes| EarlyDecision {
        needs_attributes,
        parentage: None,
    };
    let Some(backend) = active_backend.and_then(ActiveBackend::backend) else {
        // Nothing records; but a test wants the name of what it has lost.
        return undecided(recorder_hooks::is_recorder_alive());
    };
    if backend.mutes(library) || (backend.follows_parent() && unsampled::is_known_unsampled(parent))
    {
        return undecided(false);
    }
    backend.decide(parent).map_or_else(
        || undecided(true),
        |parentage| EarlyDecision {
            needs_attributes: { parentage.flags }.is_sampled(),
            parentage: Some(parentage),
        },
    )
}

fn start_built(
    mut builder: SpanBuilder,
    active_backend: Option<&ActiveBackend>,
    decision: EarlyDecision,
) -> Option<ActiveSpan> {
    let undeclared_root = builder.undeclared_root();
    let scope = start_recorded(&mut builder, active_backend, decision);
    if let (Some(undeclared_root), true) = (undeclared_root, scope.is_some()) {
        undeclared_root.count();
    }
    // An explicit parent becomes current even if its child is not recorded: the children of the body must
    // not attach to whatever is current on the thread.
    let scope = scope.or_else(|| {
        let context = builder.explicit_context?;
        Some(Scope::unrecorded(builder.site, context))
    })?;
    Some(ActiveSpan::new(scope))
}

/// `None` if nothing records there, or its children need not know of it.
fn start_recorded(
    builder: &mut SpanBuilder,
    active_backend: Option<&ActiveBackend>,
    decision: EarlyDecision,
) -> Option<Box<Scope>> {
    let (site, options) = (builder.site, &mut builder.options);
    let parent = builder
        .explicit_context
        .as_ref()
        .unwrap_or(&builder.current);
    PendingLinks::link_root(parent, &mut options.links);
    let name = options.name.as_deref().unwrap_or(site.name());
    recorder_hooks::started(parent, name, active_backend.is_some());
    let active_backend = active_backend?;
    let backend = active_backend.backend()?;
    let name = listing::name(options.name.as_ref());
    let mut scope = Scope::spare(site);
    scope.mirror.describe(site, options);
    let start = Start {
        site,
        options: Some(options),
        parentage: decision.parentage,
    };
    let result = backend.start(start, parent, scope.place().record());
    let mut scope = activate_other(scope, result, active_backend, parent, name)?;
    scope.keep_context(parent);
    Some(scope)
}

/// Makes the context of a span that the backend has started.
#[inline(always)]
fn activate(
    scope: &mut Scope,
    state: State,
    policy: ErrorPolicy,
    parent: &Context,
    name: listing::Name,
) {
    listing::list(scope, name, parent);
    scope.activate(state, policy.detail, parent);
    local_root::register(scope, parent);
}

/// The same for whatever came of a start. `None` if there is no span, or its children need not know of it.
#[inline(never)]
fn activate_other(
    mut scope: Box<Scope>,
    result: StartResult,
    active_backend: &ActiveBackend,
    parent: &Context,
    name: listing::Name,
) -> Option<Box<Scope>> {
    let policy = active_backend.policy();
    let state = match result {
        StartResult::Nothing => {
            Scope::recycle(scope);
            return None;
        }
        StartResult::Unrecorded => return scope.decline(parent),
        StartResult::Recorded => scope.place().start_record(policy),
        StartResult::Foreign(span) => scope.place().start_foreign(span, policy),
    };
    activate(&mut scope, state, policy, parent, name);
    Some(scope)
}

/// The list of open spans.
#[cfg(feature = "open-spans")]
mod listing {
    use std::borrow::Cow;

    use opentelemetry::Context;
    use opentelemetry::trace::TraceContextExt as _;

    use crate::diagnose::open_list::BegunSpan;
    use crate::span::local_root;
    use crate::span::scope::Scope;

    pub(super) type Name = Option<Cow<'static, str>>;

    #[inline]
    pub(super) fn name(given: Option<&Cow<'static, str>>) -> Name {
        given.cloned()
    }

    /// Lists a span that is recorded.
    #[inline]
    pub(super) fn list(scope: &mut Scope, name: Name, parent: &Context) {
        let site = scope.site;
        scope.place().list(|identity| BegunSpan {
            name,
            site,
            place: local_root::place(parent),
            parent: parent.span().span_context().span_id(),
            identity,
        });
    }
}

#[cfg(not(feature = "open-spans"))]
mod listing {
    use std::borrow::Cow;

    use opentelemetry::Context;

    use crate::span::scope::Scope;

    pub(super) struct Name;

    #[inline(always)]
    pub(super) fn name(_: Option<&Cow<'static, str>>) -> Name {
        Name
    }

    #[inline(always)]
    pub(super) fn list(_: &mut Scope, _: Name, _: &Context) {}
}
