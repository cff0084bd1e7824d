//! What is written about a span before it starts: name, parent, links, attributes.
//!
//! It starts in `start.rs`.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use opentelemetry::{Context as OtelContext, KeyValue};

use crate::attribute::attributes::AttributeSink;
use crate::attribute::value::{Slot, ToAttribute, Value};
use crate::backend::StartOptions;
use crate::backend::context_backend::ContextBackend;
use crate::backend::site::{Library, Site};
use crate::backend::tracer::Tracer;
use crate::context::identity::{SpanContext, has_span};
use crate::context::unwind;
use crate::diagnose::undeclared_root::UndeclaredRoot;
use crate::span::parent;
use crate::span::to_parent::{self, Parent, PendingLinks, RemoteParent, ToLinks, ToParent};

/// What is written about a span before it starts. Generated code fills it in.
pub struct SpanBuilder {
    pub(super) site: &'static Site,
    pub(super) current: OtelContext,
    /// What was given as its parent.
    parent: Option<Parent>,
    /// What it starts in, if not in what is current.
    pub(super) explicit_context: Option<OtelContext>,
    /// Who records it and all below it, if its tracer has a provider of its own.
    context_backend: Option<ContextBackend>,
    pub(super) options: StartOptions,
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

/// Sets one thing of a span before it starts.
pub(crate) type Describe<'a> = &'a mut dyn FnMut(&mut SpanBuilder);

impl SpanBuilder {
    pub(crate) fn new(site: &'static Site, current: OtelContext) -> Self {
        SpanBuilder {
            site,
            current,
            parent: None,
            explicit_context: None,
            context_backend: None,
            options: StartOptions::default(),
        }
    }

    pub fn name<T: ToName + ?Sized>(&mut self, name: &T) {
        self.options.name = Some(name.to_name());
    }

    pub(crate) fn set_name(&mut self, name: Cow<'static, str>) {
        self.options.name = Some(name);
    }

    pub(crate) fn set_value(&mut self, key: &'static str, value: Value) {
        self.upsert(Cow::Borrowed(key), value);
    }

    pub fn tracer<T: ToTracer + ?Sized>(&mut self, tracer: &T) {
        let tracer = tracer.to_tracer();
        if tracer.library() != self.site.library() {
            self.options.library = Some(tracer.library().clone());
        }
        if let Some(backend) = tracer.context_backend() {
            self.current = backend.over(&self.current);
            self.context_backend = Some(backend.clone());
        }
    }

    pub fn root(&mut self) {
        self.parent = Some(Parent::Root);
    }

    pub fn parent<T: ToParent + ?Sized>(&mut self, parent: &T) {
        self.parent = Some(parent.to_parent());
    }

    /// Where an invocation hangs, its links and its attributes.
    pub fn invocation<T: ToInvocation + ?Sized>(&mut self, invocation: &T) {
        self.start_at(|current| {
            let root = RemoteParent::default().into_context(current);
            invocation.to_start_point(current, root)
        });
    }

    pub(crate) fn start_at(&mut self, start_point: impl FnOnce(&OtelContext) -> StartPoint) {
        let StartPoint {
            context,
            links,
            attributes,
        } = start_point(&self.current);
        self.parent = Some(Parent::Context(context));
        self.options
            .links
            .extend(links.into_iter().map(|link| link.0));
        self.options.attributes.extend(attributes);
    }

    pub fn links<T: ToLinks + ?Sized>(&mut self, links: &T) {
        to_parent::add_links(&mut self.options.links, links);
    }

    pub fn text(&mut self, key: &'static str, value: &'static str) {
        self.attributes_with(&mut |sink| sink.text(key, value));
    }

    pub fn attribute<T: ToAttribute>(&mut self, key: &'static str, value: &T) {
        self.attribute_with(key, &mut |slot| slot.set(value));
    }

    pub fn attribute_with(&mut self, key: &'static str, value: &mut dyn FnMut(&mut Slot)) {
        self.attributes_with(&mut |sink| sink.fill(key, value));
    }

    /// For a key that is a constant, and for a struct of facts.
    pub fn attributes_with(&mut self, fill: &mut dyn FnMut(&mut AttributeSink<'_>)) {
        let mut write = |key, value| self.upsert(key, value);
        let _ = unwind::shielded(|| fill(&mut AttributeSink::new(&mut write)));
    }

    /// A panic discards what it would set, and neither the rest nor the span.
    pub(crate) fn describe(&mut self, described: &mut [Describe<'_>]) {
        for describe in described {
            let _ = unwind::shielded(|| describe(self));
        }
    }

    /// Decides what it starts in, once all of that is set.
    pub(crate) fn resolve_parent(&mut self) {
        let parent = self.parent.take();
        let parent = parent.map(|parent| parent::below(&self.current, parent));
        self.explicit_context = match &self.context_backend {
            // A root or a parent is recorded by its tracer too.
            Some(backend) => Some(backend.over(parent.as_ref().unwrap_or(&self.current))),
            None => parent,
        };
    }

    pub(crate) fn library(&self) -> &Library {
        let library = self.options.library.as_ref();
        library.unwrap_or_else(|| self.site.library())
    }

    pub(crate) fn parent_context(&self) -> &OtelContext {
        self.explicit_context.as_ref().unwrap_or(&self.current)
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
    pub(crate) fn undeclared_root(&self) -> Option<UndeclaredRoot> {
        let is_declared = self.explicit_context.is_some() || PendingLinks::are_in(&self.current);
        if is_declared || has_span(&self.current) {
            return None;
        }
        let name = self.options.name.as_deref();
        Some(UndeclaredRoot::of(self.site, name.unwrap_or_default()))
    }
}

/// `when = ..`: a condition that panics does not hold.
pub fn holds(condition: impl FnOnce() -> bool) -> bool {
    unwind::shielded(condition).unwrap_or(false)
}
