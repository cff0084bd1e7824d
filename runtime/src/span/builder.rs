//! What is said of a span before it starts, and its start.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use opentelemetry::{Context as OtelContext, KeyValue};

use crate::attribute::attributes::AttributeSink;
use crate::attribute::value::{Slot, ToAttribute, Value};
use crate::backend::active_backend::{self, ActiveBackend, ContextBackend};
use crate::backend::site::{Library, Site};
use crate::backend::tracer::Tracer;
use crate::backend::{self, StartOptions};
use crate::context::identity::{SpanContext, has_span};
use crate::context::stack;
use crate::context::unwind;
use crate::diagnose::undeclared_root::UndeclaredRoot;
use crate::span::active::ActiveSpan;
use crate::span::parent::{self, Arrived, Parent, PendingLinks, ToLinks, ToParent};
use crate::span::parent_context;
use crate::span::recorder_hooks;
use crate::span::scope::Scope;
use crate::span::start::{self, Interest};

/// What is said of a span before it starts. Generated code fills it in.
pub struct Start {
    site: &'static Site,
    current: OtelContext,
    /// What was given as its parent.
    parent: Option<Parent>,
    /// What it starts in, if not in what is current.
    elsewhere: Option<OtelContext>,
    /// Who records it and all below it, if its tracer has a provider of its own.
    below: Option<ContextBackend>,
    options: StartOptions,
}

/// Text for a span's name.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the name of a span",
    label = "not text",
    note = "`name` takes a `&str`, a `String` or a `Cow<str>`"
)]
pub trait ToName {
    #[doc(hidden)]
    fn to_name(&self) -> Cow<'static, str>;
}

impl<T: AsRef<str> + ?Sized> ToName for T {
    fn to_name(&self) -> Cow<'static, str> {
        Cow::Owned(self.as_ref().to_owned())
    }
}

/// What `tracer = ..` takes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a tracer",
    label = "not a tracer",
    note = "`tracer` takes an `enter_span::Tracer`, or a reference, a `Box`, an `Rc` or an `Arc` of one"
)]
pub trait ToTracer {
    #[doc(hidden)]
    fn to_tracer(&self) -> &Tracer;
}

impl ToTracer for Tracer {
    fn to_tracer(&self) -> &Tracer {
        self
    }
}

/// What `invocation = ..` takes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an invocation",
    label = "not an invocation",
    note = "`invocation` takes an `enter_span::invocation::Invocation`; for a message write `Invocation::of(&message)`"
)]
pub trait ToInvocation {
    /// Where its span starts, if `current` is current and a new root would start in `root`.
    #[doc(hidden)]
    fn to_start_point(&self, current: &OtelContext, root: OtelContext) -> StartPoint;
}

/// Where the span of an invocation starts, and what it has from there.
#[doc(hidden)]
pub struct StartPoint {
    /// What it starts below, with its baggage.
    pub(crate) context: OtelContext,
    pub(crate) links: Vec<SpanContext>,
    pub(crate) attributes: Vec<KeyValue>,
}

macro_rules! through_pointers {
    ($($pointer:ty),+) => {$(
        impl<T: ToTracer + ?Sized> ToTracer for $pointer {
            fn to_tracer(&self) -> &Tracer {
                (**self).to_tracer()
            }
        }

        impl<T: ToInvocation + ?Sized> ToInvocation for $pointer {
            fn to_start_point(&self, current: &OtelContext, root: OtelContext) -> StartPoint {
                (**self).to_start_point(current, root)
            }
        }
    )+};
}

through_pointers!(&T, Box<T>, Rc<T>, Arc<T>);

/// Enters a span at `site`, below the current one.
#[cold]
pub fn enter(site: &'static Site) -> ActiveSpan {
    match start::start_plain(site) {
        Some(scope) => scope.map_or(ActiveSpan::OFF, ActiveSpan::new),
        None => enter_with(site, &mut [], &mut []),
    }
}

/// Says one thing of a span before it starts.
pub(crate) type Describe<'a> = &'a mut dyn FnMut(&mut Start);

/// Enters a span that more is said about: first where it hangs, and the rest if it may be recorded there.
#[cold]
pub fn enter_with(
    site: &'static Site,
    places: &mut [Describe<'_>],
    others: &mut [Describe<'_>],
) -> ActiveSpan {
    let Some(current) = stack::current() else {
        return ActiveSpan::OFF;
    };
    if current.is_telemetry_suppressed() {
        return ActiveSpan::OFF;
    }
    let mut start = Start::at(site, current);
    start.describe(places);
    start.settle();
    let active_backend = active_backend::for_context(start.parent_context());
    let interest = start.interest(active_backend.as_deref());
    if interest.is_any() {
        start.describe(others);
    }
    // A sampler or a provider that panics costs the span.
    unwind::shielded(|| start.enter(active_backend.as_deref(), interest))
        .flatten()
        .unwrap_or(ActiveSpan::OFF)
}

impl Start {
    fn at(site: &'static Site, current: OtelContext) -> Self {
        Start {
            site,
            current,
            parent: None,
            elsewhere: None,
            below: None,
            options: StartOptions::default(),
        }
    }

    pub fn name<T: ToName + ?Sized>(&mut self, name: &T) {
        self.options.name = Some(name.to_name());
    }

    pub(crate) fn set_name(&mut self, name: Cow<'static, str>) {
        self.options.name = Some(name);
    }

    pub fn tracer<T: ToTracer + ?Sized>(&mut self, tracer: &T) {
        let tracer = tracer.to_tracer();
        if tracer.library() != self.site.library() {
            self.options.library = Some(tracer.library().clone());
        }
        if let Some(below) = tracer.below() {
            self.current = below.over(&self.current);
            self.below = Some(below.clone());
        }
    }

    pub fn root(&mut self) {
        self.parent = Some(Parent::Absent);
    }

    pub fn parent<T: ToParent + ?Sized>(&mut self, parent: &T) {
        self.parent = Some(parent.to_parent());
    }

    /// Where an invocation hangs, its links and its attributes.
    pub fn invocation<T: ToInvocation + ?Sized>(&mut self, invocation: &T) {
        self.start_at(|current| {
            let root = Arrived::default().into_context(current);
            invocation.to_start_point(current, root)
        });
    }

    pub(crate) fn start_at(&mut self, start_point: impl FnOnce(&OtelContext) -> StartPoint) {
        let StartPoint {
            context,
            links,
            attributes,
        } = start_point(&self.current);
        self.parent = Some(Parent::Whole(context));
        self.options
            .links
            .extend(links.into_iter().map(|link| link.0));
        self.options.attributes.extend(attributes);
    }

    pub fn links<T: ToLinks + ?Sized>(&mut self, links: &T) {
        parent::add_links(&mut self.options.links, links);
    }

    pub fn text(&mut self, key: &'static str, value: &'static str) {
        self.upsert(Cow::Borrowed(key), Value::from_static(value));
    }

    pub fn attribute<T: ToAttribute>(&mut self, key: &'static str, value: &T) {
        self.attribute_with(key, &mut |slot| slot.set(value));
    }

    pub fn attribute_with(&mut self, key: &'static str, value: &mut dyn FnMut(&mut Slot)) {
        if let Some(value) = Slot::fill(value) {
            self.upsert(Cow::Borrowed(key), value);
        }
    }

    /// For a key that is a constant, and for a struct of facts.
    pub fn attributes_with(&mut self, fill: &mut dyn FnMut(&mut AttributeSink<'_>)) {
        let mut write = |key, value| self.upsert(key, value);
        let _ = unwind::shielded(|| fill(&mut AttributeSink::new(&mut write)));
    }

    /// What panics costs what it says, and neither the rest nor the span.
    fn describe(&mut self, described: &mut [Describe<'_>]) {
        for describe in described {
            let _ = unwind::shielded(|| describe(self));
        }
    }

    /// What it starts in, once all is said of that.
    fn settle(&mut self) {
        let parent = self.parent.take();
        let parent = parent.map(|parent| parent_context::below(&self.current, parent));
        self.elsewhere = match &self.below {
            // A root or a parent is recorded by its tracer too.
            Some(below) => Some(below.over(parent.as_ref().unwrap_or(&self.current))),
            None => parent,
        };
    }

    /// Who has to be told more of it, as far as that is known.
    fn interest(&self, active_backend: Option<&ActiveBackend>) -> Interest {
        match active_backend {
            Some(active_backend) => {
                start::interest(active_backend, self.library(), self.parent_context())
            }
            None => Interest::of_nobody(),
        }
    }

    fn library(&self) -> &Library {
        let library = self.options.library.as_ref();
        library.unwrap_or_else(|| self.site.library())
    }

    fn parent_context(&self) -> &OtelContext {
        self.elsewhere.as_ref().unwrap_or(&self.current)
    }

    fn upsert(&mut self, key: Cow<'static, str>, Value(value): Value) {
        let attributes = &mut self.options.attributes;
        match attributes.iter_mut().find(|a| a.key.as_str() == key) {
            Some(known) => known.value = value,
            None if key.is_empty() => {}
            None => attributes.push(KeyValue::new(key, value)),
        }
    }

    /// What is to be counted, if this becomes a span: a root that nobody declared.
    fn undeclared(&self) -> Option<UndeclaredRoot> {
        let is_said = self.elsewhere.is_some() || PendingLinks::are_in(&self.current);
        if is_said || has_span(&self.current) {
            return None;
        }
        let name = self.options.name.as_deref();
        Some(UndeclaredRoot::of(self.site, name.unwrap_or_default()))
    }

    fn enter(
        mut self,
        active_backend: Option<&ActiveBackend>,
        interest: Interest,
    ) -> Option<ActiveSpan> {
        let undeclared = self.undeclared();
        let parent = self.elsewhere.as_ref().unwrap_or(&self.current);
        // A parent from elsewhere is made current even if its child says nothing more: what the
        // body makes must not hang on what happens to lie on the thread.
        let scope = start(
            active_backend,
            self.site,
            &mut self.options,
            interest,
            parent,
        );
        if let (Some(undeclared), true) = (undeclared, scope.is_some()) {
            undeclared.count();
        }
        let scope = scope.or_else(|| {
            let context = self.elsewhere?;
            Some(Scope::unrecorded(self.site, context))
        })?;
        Some(ActiveSpan::new(scope))
    }
}

/// Starts a span below `parent`, if anything records there.
fn start(
    active_backend: Option<&ActiveBackend>,
    site: &'static Site,
    options: &mut StartOptions,
    interest: Interest,
    parent: &OtelContext,
) -> Option<Box<Scope>> {
    PendingLinks::link_root(parent, &mut options.links);
    let name = options.name.as_deref().unwrap_or(site.name());
    let Some(active_backend) = active_backend else {
        recorder_hooks::unrecorded(name);
        return None;
    };
    recorder_hooks::started(parent, name);
    let start = backend::Start {
        site,
        options: Some(options),
        parentage: interest.parentage(),
    };
    start::start(active_backend, start, parent)
}

/// `when = ..`: a condition that panics does not hold.
pub fn holds(condition: impl FnOnce() -> bool) -> bool {
    unwind::shielded(condition).unwrap_or(false)
}
