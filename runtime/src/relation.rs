//! What a span can be told to hang on: a parent, or links.

use opentelemetry::Context as OtelContext;
use opentelemetry::trace::{SpanContext as OtelSpanContext, TraceContextExt as _};

use crate::context::{Context, SpanContext};
use crate::installed;

/// What can be given as `parent = ..` and to `.in_span(..)`: a [`Span`](crate::Span), an
/// [`OwnedSpan`](crate::OwnedSpan), a [`SpanContext`], a [`Context`], one of OpenTelemetry's, a
/// [`Remote`](crate::propagation::Remote), a [`Carrier`](crate::invocation::Carrier), or an `Option` of one.
///
/// Where a parent is given, the thread is not looked at: `None`, or one that is not valid, makes a
/// new root.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the parent of a span",
    label = "not a parent",
    note = "a parent is a `Span`, an `OwnedSpan`, a `SpanContext`, a `Context`, a `Remote`, a `Carrier`, or an `Option` of one"
)]
pub trait ToParent {
    /// The context to start below, made from `root`, which is an empty one.
    #[doc(hidden)]
    fn to_parent(&self, root: Context) -> Context;

    /// The context to be current in, for work that is put into a span.
    #[doc(hidden)]
    fn to_current(&self, root: Context) -> Context {
        self.to_parent(root)
    }
}

/// What can be given to `links(..)` and to `.linked_to(..)`: a [`Span`](crate::Span), an
/// [`OwnedSpan`](crate::OwnedSpan), a [`SpanContext`], a [`Context`], one of OpenTelemetry's, a
/// [`Remote`](crate::propagation::Remote), a [`Carrier`](crate::invocation::Carrier), or an `Option` or a list of
/// these. Those that are not valid are left out, and so are repetitions.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be linked to",
    label = "not a span",
    note = "a link is to a `Span`, an `OwnedSpan`, a `SpanContext`, a `Context`, a `Remote`, a `Carrier`, or an `Option` or a list of one"
)]
pub trait ToLinks {
    #[doc(hidden)]
    fn to_links(&self, link: &mut dyn FnMut(SpanContext));
}

impl ToParent for OtelSpanContext {
    fn to_parent(&self, root: Context) -> Context {
        match self.is_valid() {
            true => Context(root.0.with_remote_span_context(self.clone())),
            false => root,
        }
    }
}

impl ToParent for OtelContext {
    fn to_parent(&self, root: Context) -> Context {
        Context(installed::inherit(self.clone(), &root.0))
    }
}

impl ToParent for SpanContext {
    fn to_parent(&self, root: Context) -> Context {
        self.0.to_parent(root)
    }
}

impl ToParent for Context {
    fn to_parent(&self, root: Context) -> Context {
        self.0.to_parent(root)
    }
}

impl<T: ToParent> ToParent for Option<T> {
    fn to_parent(&self, root: Context) -> Context {
        match self {
            Some(parent) => parent.to_parent(root),
            None => root,
        }
    }

    fn to_current(&self, root: Context) -> Context {
        match self {
            Some(parent) => parent.to_current(root),
            None => root,
        }
    }
}

impl<T: ToParent + ?Sized> ToParent for &T {
    fn to_parent(&self, root: Context) -> Context {
        (**self).to_parent(root)
    }

    fn to_current(&self, root: Context) -> Context {
        (**self).to_current(root)
    }
}

impl ToLinks for OtelSpanContext {
    fn to_links(&self, link: &mut dyn FnMut(SpanContext)) {
        link(SpanContext(self.clone()));
    }
}

/// The span of the context; where it has none, what its roots are linked to.
impl ToLinks for OtelContext {
    fn to_links(&self, link: &mut dyn FnMut(SpanContext)) {
        match self.get() {
            Some(Causes(causes)) if !self.has_active_span() => causes.to_links(link),
            _ => self.span().span_context().to_links(link),
        }
    }
}

impl ToLinks for SpanContext {
    fn to_links(&self, link: &mut dyn FnMut(SpanContext)) {
        self.0.to_links(link);
    }
}

impl ToLinks for Context {
    fn to_links(&self, link: &mut dyn FnMut(SpanContext)) {
        self.0.to_links(link);
    }
}

impl<T: ToLinks> ToLinks for Option<T> {
    fn to_links(&self, link: &mut dyn FnMut(SpanContext)) {
        self.iter().for_each(|linked| linked.to_links(link));
    }
}

impl<T: ToLinks> ToLinks for [T] {
    fn to_links(&self, link: &mut dyn FnMut(SpanContext)) {
        self.iter().for_each(|linked| linked.to_links(link));
    }
}

impl<T: ToLinks, const N: usize> ToLinks for [T; N] {
    fn to_links(&self, link: &mut dyn FnMut(SpanContext)) {
        self.as_slice().to_links(link);
    }
}

impl<T: ToLinks> ToLinks for Vec<T> {
    fn to_links(&self, link: &mut dyn FnMut(SpanContext)) {
        self.as_slice().to_links(link);
    }
}

impl<T: ToLinks + ?Sized> ToLinks for &T {
    fn to_links(&self, link: &mut dyn FnMut(SpanContext)) {
        (**self).to_links(link);
    }
}

/// Links among which a repetition is looked for. Providers keep fewer (OpenTelemetry's default is
/// 128) and count the rest.
const MOST_COMPARED: usize = 1024;

/// Adds links that are valid and new.
pub(crate) fn add_links<L: ToLinks + ?Sized>(links: &mut Vec<OtelSpanContext>, added: &L) {
    let id = |link: &OtelSpanContext| (link.trace_id(), link.span_id());
    added.to_links(&mut |SpanContext(link)| {
        let mut known = links.iter().take(MOST_COMPARED);
        if link.is_valid() && !known.any(|known| id(known) == id(&link)) {
            links.push(link);
        }
    });
}

/// What the roots of a context are linked to. Carried by the context of linked work.
pub(crate) struct Causes(Vec<OtelSpanContext>);

impl Causes {
    /// `root`, an empty context, whose roots are to be linked.
    pub(crate) fn follow<L: ToLinks + ?Sized>(root: OtelContext, causes: &L) -> OtelContext {
        let mut links = Vec::new();
        add_links(&mut links, causes);
        match links.is_empty() {
            true => root,
            false => root.with_value(Causes(links)),
        }
    }

    /// `root`, with the causes of `context`, if that has no span yet.
    pub(crate) fn hand_on(root: OtelContext, context: &OtelContext) -> OtelContext {
        match context.get() {
            Some(Causes(causes)) if !context.has_active_span() => Causes::follow(root, causes),
            _ => root,
        }
    }

    /// Whether a span that starts below `parent` is linked.
    pub(crate) fn are_in(parent: &OtelContext) -> bool {
        !parent.has_active_span() && parent.get::<Causes>().is_some()
    }

    /// Links a span that starts below `parent`, if it is a root there.
    pub(crate) fn link_root(parent: &OtelContext, links: &mut Vec<OtelSpanContext>) {
        if parent.has_active_span() {
            return;
        }
        match parent.get() {
            Some(Causes(causes)) if links.is_empty() => links.extend(causes.iter().cloned()),
            Some(Causes(causes)) => add_links(links, causes),
            None => {}
        }
    }
}
