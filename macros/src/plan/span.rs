//! The plan of a span, which does not depend on how its body is run.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens as _, quote};
use syn::ext::IdentExt as _;
use syn::{Expr, Ident, LitStr, Path};

use crate::plan::finish::{Finish, RecordedValue};
use crate::syntax::args::{Args, SpanName};
use crate::syntax::attribute::AttributeItem;
use crate::syntax::key::Key;

/// What does not depend on how the body is run.
pub(crate) struct SpanPlan {
    pub(crate) krate: TokenStream,
    pub(crate) site: Site,
    pub(crate) when: Option<Expr>,
    pub(crate) start: Vec<StartOption>,
    pub(crate) attributes: Vec<AttributeItem>,
    pub(crate) finish: Finish,
}

pub(crate) struct Site {
    pub(crate) name: LitStr,
    /// The rest of the path after the module's, for `code.function.name`.
    pub(crate) function: Option<String>,
    pub(crate) kind: Option<&'static str>,
    pub(crate) leaf: bool,
    pub(crate) ends_children: bool,
    /// Where the line number is taken from.
    pub(crate) place: Span,
}

/// One option that is set before the span starts.
pub(crate) enum StartOption {
    Tracer(Expr),
    Root,
    Name(Expr),
    Parent(Expr),
    Invocation(Expr),
    Link(Expr),
    Attribute(AttributeItem),
}

impl StartOption {
    /// Whether it decides the span's parent, or the backend that records it.
    pub(crate) fn decides_parent(&self) -> bool {
        matches!(
            self,
            StartOption::Tracer(_)
                | StartOption::Root
                | StartOption::Parent(_)
                | StartOption::Invocation(_)
        )
    }
}

impl SpanPlan {
    /// The keys of its attributes that are written as text, also those of the returned value.
    pub(crate) fn text_keys(&self) -> Vec<&str> {
        let start = self.start.iter().filter_map(|option| match option {
            StartOption::Attribute(item) => item.key(),
            _ => None,
        });
        let before = start.chain(self.attributes.iter().filter_map(AttributeItem::key));
        let (whole, projections) = match &self.finish.recorded {
            RecordedValue::Nothing => (None, &[][..]),
            RecordedValue::Whole => (Some("return"), &[][..]),
            RecordedValue::Projected(projections) => (None, projections.as_slice()),
        };
        let keys = before.chain(projections.iter().map(|projection| &projection.key));
        keys.filter_map(Key::text).chain(whole).collect()
    }

    /// Named `f`, or `Type::f` for a method whose `impl` is annotated.
    pub(crate) fn of_function(
        args: Args,
        function: &Ident,
        owner: Option<&str>,
        finish: Finish,
    ) -> Self {
        let own = function.unraw().to_string();
        let path = match owner {
            Some(owner) => format!("{owner}::{own}"),
            None => own,
        };
        let default = LitStr::new(&path, function.span());
        SpanPlan::new(args, default, Some(path), finish)
    }

    /// Named by its arguments. A name that is computed replaces `default`.
    pub(crate) fn of_macro(default: &str, args: Args, finish: Finish) -> Self {
        let place = args.name.as_ref().map(SpanName::span);
        let default = LitStr::new(default, place.unwrap_or_else(Span::call_site));
        SpanPlan::new(args, default, None, finish)
    }

    fn new(args: Args, default: LitStr, function: Option<String>, finish: Finish) -> Self {
        let place = default.span();
        let mut start = Vec::new();
        start.extend(args.tracer.map(|tracer| StartOption::Tracer(tracer.value)));
        start.extend(args.root.map(|_| StartOption::Root));
        start.extend(args.parent.map(|parent| StartOption::Parent(parent.value)));
        let of_invocation = args.invocation.as_ref().map(|_| "Consumer");
        let invocation = args.invocation.map(|invocation| invocation.value);
        start.extend(invocation.map(StartOption::Invocation));
        let name = match args.name {
            Some(SpanName::Literal(name)) => name,
            Some(SpanName::Expr(_, name)) => {
                start.push(StartOption::Name(name));
                default
            }
            None => default,
        };
        let links = args.links.into_iter().flat_map(|links| links.value);
        start.extend(links.map(StartOption::Link));
        start.extend(args.start.into_iter().map(StartOption::Attribute));
        SpanPlan {
            krate: krate(args.krate.map(|krate| krate.value)),
            site: Site {
                name,
                function,
                kind: match args.kind {
                    Some(kind) => kind.value,
                    None => of_invocation,
                },
                leaf: args.leaf.is_some(),
                ends_children: args.ends_children.is_some(),
                place,
            },
            when: args.when.map(|when| when.value),
            start,
            attributes: args.attributes,
            finish,
        }
    }
}

fn krate(path: Option<Path>) -> TokenStream {
    path.map_or_else(|| quote!(::enter_span), Path::into_token_stream)
}
