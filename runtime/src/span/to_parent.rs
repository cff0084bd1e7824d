//! What can be a span's parent, and what it can be linked to.
//!
//! Linked work is a context and not a span: an empty context with its links, which the first span takes that
//! starts there without a parent. So an annotated function is itself the root of the new trace. A root that
//! other code starts there has no link. What a parent means for the context is in `parent.rs`.

use opentelemetry::Context as OtelContext;
use opentelemetry::trace::{SpanContext as OtelSpanContext, TraceContextExt as _};

use crate::backend::context_backend;
use crate::context::identity::{Context, SpanContext, has_span};

/// What can be given as `parent = ..` and to `.in_span(..)`: a [`Span`](crate::Span), an
/// [`OwnedSpan`](crate::OwnedSpan), a [`SpanContext`], a [`Context`], one of OpenTelemetry's, a
/// [`Remote`](crate::propagation::Remote), a [`Carrier`](crate::invocation::Carrier), or an `Option` of one.
///
/// `None`, or a parent that is not valid, makes a new root: the span that is current is never the parent
/// instead. What else is kept of the current context is in *What a span keeps of the context*, in the guide
/// [crossing boundaries](crate::guide::crossing_boundaries).
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the parent of a span",
    label = "not a parent",
    note = "a parent is a `Span`, an `OwnedSpan`, a `SpanContext`, a `Context`, a `Remote`, a `Carrier`, or an `Option` of one"
)]
pub trait ToParent {
    /// What is current below it.
    #[doc(hidden)]
    fn to_parent(&self) -> Parent;

    /// The same for work that is put into a span.
    #[doc(hidden)]
    fn to_current(&self) -> Parent {
        self.to_parent()
    }
}

/// A parent as it was given. What it means for the context is decided in `parent.rs`.
#[doc(hidden)]
pub enum Parent {
    /// What is current, as it is.
    Current,
    /// No parent: a new root.
    Root,
    /// A span of this process, by its identity alone.
    Identity(OtelSpanContext),
    /// The span of this context, and nothing else of it.
    Span(OtelContext),
    /// This context, with everything in it.
    Context(OtelContext),
    /// What was received from another process.
    Remote(RemoteParent),
}

/// What was received from another process: a context with nothing else, and what a root in it is linked to.
#[doc(hidden)]
#[derive(Default)]
pub struct RemoteParent {
    pub(crate) context: OtelContext,
    pub(crate) links: Vec<OtelSpanContext>,
}

impl RemoteParent {
    /// The context that it gives where `current` is current, of which nothing is kept but who records, and
    /// what the roots of linked work are linked to.
    pub(crate) fn into_context(self, current: &OtelContext) -> OtelContext {
        let context = context_backend::inherit(self.context, current);
        if has_span(&context) {
            return context;
        }
        let mut links = Vec::new();
        PendingLinks::link_root(current, &mut links);
        for link in self.links {
            add_links(&mut links, &link);
        }
        PendingLinks::put_into(context, &links)
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

/// One that came from another process tells of nothing but the span.
impl ToParent for OtelSpanContext {
    fn to_parent(&self) -> Parent {
        if !self.is_valid() {
            Parent::Root
        } else if self.is_remote() {
            Parent::Remote(RemoteParent {
                context: OtelContext::new().with_remote_span_context(self.clone()),
                links: Vec::new(),
            })
        } else {
            Parent::Identity(self.clone())
        }
    }
}

impl ToParent for OtelContext {
    fn to_parent(&self) -> Parent {
        Parent::Context(self.clone())
    }
}

macro_rules! our_names {
    ($($name:ty),+) => {$(
        impl ToParent for $name {
            fn to_parent(&self) -> Parent {
                self.0.to_parent()
            }
        }

        impl ToLinks for $name {
            fn to_links(&self, link: &mut dyn FnMut(SpanContext)) {
                self.0.to_links(link);
            }
        }
    )+};
}

our_names!(SpanContext, Context);

macro_rules! lists {
    ($([$($parameters:tt)+] $list:ty),+ $(,)?) => {$(
        impl<$($parameters)+> ToLinks for $list {
            fn to_links(&self, link: &mut dyn FnMut(SpanContext)) {
                self.iter().for_each(|linked| linked.to_links(link));
            }
        }
    )+};
}

lists!(
    [T: ToLinks] Option<T>,
    [T: ToLinks] [T],
    [T: ToLinks, const N: usize] [T; N],
    [T: ToLinks] Vec<T>,
);

impl<T: ToParent> ToParent for Option<T> {
    fn to_parent(&self) -> Parent {
        self.as_ref().map_or(Parent::Root, T::to_parent)
    }

    fn to_current(&self) -> Parent {
        self.as_ref().map_or(Parent::Root, T::to_current)
    }
}

impl<T: ToParent + ?Sized> ToParent for &T {
    fn to_parent(&self) -> Parent {
        (**self).to_parent()
    }

    fn to_current(&self) -> Parent {
        (**self).to_current()
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
            Some(PendingLinks(links)) if !has_span(self) => links.to_links(link),
            _ => self.span().span_context().to_links(link),
        }
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

/// What the roots of a context are linked to. Carried by the context of linked work; one that is empty
/// hides another one.
#[derive(Clone, Default)]
pub(crate) struct PendingLinks(Vec<OtelSpanContext>);

impl PendingLinks {
    /// `root`, a context without a span, whose roots are to be linked.
    pub(crate) fn put_into<L: ToLinks + ?Sized>(root: OtelContext, linked: &L) -> OtelContext {
        let mut links = Vec::new();
        add_links(&mut links, linked);
        if links.is_empty() {
            root
        } else {
            root.with_value(PendingLinks(links))
        }
    }

    /// Whether a span that starts below `parent` is linked.
    pub(crate) fn are_in(parent: &OtelContext) -> bool {
        !has_span(parent)
            && parent
                .get()
                .is_some_and(|PendingLinks(links)| !links.is_empty())
    }

    /// Links a span that starts below `parent`, if it is a root there.
    pub(crate) fn link_root(parent: &OtelContext, links: &mut Vec<OtelSpanContext>) {
        if has_span(parent) {
            return;
        }
        match parent.get() {
            Some(PendingLinks(pending)) if links.is_empty() => {
                links.extend(pending.iter().cloned())
            }
            Some(PendingLinks(pending)) => add_links(links, pending),
            None => {}
        }
    }
}
