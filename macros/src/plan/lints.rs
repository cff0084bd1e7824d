//! Lints that do not see through a span: `#[expect(..)]` of one of them becomes `#[allow(..)]`.
//!
//! `clippy::unused_async` sees the `.await` of the span, and does not fire. An expectation that was
//! correct for the plain function would then be reported as unfulfilled. `ui-tests/lints` finds these
//! lints.

use proc_macro2::Span;
use syn::punctuated::Punctuated;
use syn::{Attribute, Meta, Token, parse_quote, parse_quote_spanned};

const UNSEEN: [&str; 10] = [
    "implicit_return",
    "inline_always",
    "manual_async_fn",
    "missing_const_for_fn",
    "missing_errors_doc",
    "needless_lifetimes",
    "needless_return",
    "ptr_arg",
    "unnecessary_wraps",
    "unused_async",
];

/// Input: `#[expect(clippy::unused_async, dead_code, reason = "later")]`
///
/// Output: `#[expect(dead_code, reason = "later")] #[allow(clippy::unused_async, reason = "later")]`
pub(crate) fn allow_expected(attrs: &mut Vec<Attribute>) {
    let mut allowed = Vec::new();
    attrs.retain_mut(|attr| {
        let Some((unseen, rest)) = split(attr) else {
            return true;
        };
        // Ours, so that lints on attributes skip it.
        allowed.push(parse_quote_spanned!(Span::mixed_site()=> #[allow(#unseen)]));
        *attr = parse_quote!(#[expect(#rest)]);
        rest.iter().any(is_lint)
    });
    attrs.append(&mut allowed);
}

type Metas = Punctuated<Meta, Token![,]>;

/// What is unseen of an `#[expect(..)]`, if anything is, and the rest; each with the reason.
fn split(attr: &Attribute) -> Option<(Metas, Metas)> {
    if !attr.path().is_ident("expect") {
        return None;
    }
    let all = attr.parse_args_with(Metas::parse_terminated).ok()?;
    let unseen: Metas = all
        .iter()
        .filter(|meta| is_unseen(meta) || !is_lint(meta))
        .cloned()
        .collect();
    let rest = all
        .iter()
        .filter(|meta| !is_unseen(meta))
        .cloned()
        .collect();
    unseen.iter().any(is_lint).then_some((unseen, rest))
}

/// And not a reason.
fn is_lint(meta: &Meta) -> bool {
    matches!(meta, Meta::Path(_))
}

fn is_unseen(meta: &Meta) -> bool {
    let Meta::Path(path) = meta else {
        return false;
    };
    let mut names = path.segments.iter().map(|segment| &segment.ident);
    let is_of_clippy = names.next().is_some_and(|tool| tool == "clippy");
    let lint = names.next();
    is_of_clippy && lint.is_some_and(|lint| UNSEEN.iter().any(|unseen| lint == unseen))
}
