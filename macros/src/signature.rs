//! How the inner future of an `async fn` holds the arguments of the outer one.
//!
//! The body runs in an `async` block inside of the `async fn`. The block borrows what its body
//! borrows, so no argument is stored twice. But a shared borrow of an argument is `Send` only if
//! the argument is `Sync`, which a plain `async fn` does not ask for. So a line that is never run,
//! at the head of the block, says how each argument that the body names is held:
//!
//! - borrowed uniquely, which asks for `Send` alone, and for the argument to be bound as `mut`;
//! - moved, where a borrow through the argument may outlive the call, or where a pattern does not
//!   tell how it binds. The argument is then stored a second time.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::{
    Attribute, FnArg, Ident, Pat, Path, Receiver, ReceiverKind, Signature, Token, Type, TypePath,
};

use crate::function::bound_names;

/// Binds arguments as `mut` where that is needed, and gives what the line holds.
pub(crate) fn hold_arguments(sig: &mut Signature, body: &TokenStream) -> Vec<TokenStream> {
    let mut named = Vec::new();
    names(body.clone(), &mut named);
    let borrowing: Vec<bool> = sig.inputs.iter().map(may_borrow).collect();
    let returns_borrow = may_borrow(&sig.output);
    let mut holds = Vec::new();
    for (index, input) in sig.inputs.iter_mut().enumerate() {
        let mut others = borrowing.iter().enumerate();
        let elsewhere = others.any(|(other, borrows)| other != index && *borrows);
        let mut holding = Holding {
            named: &named,
            // A borrow can leave only to where the signature has one.
            may_leave: (returns_borrow || elsewhere) && borrowing[index],
            holds: &mut holds,
        };
        match input {
            FnArg::Receiver(receiver) => holding.receiver(receiver),
            FnArg::Typed(typed) if !is_conditional(&typed.attrs) => {
                holding.pattern(&mut typed.pat, &typed.ty);
            }
            FnArg::Typed(_) => {}
        }
    }
    holds
}

/// An argument that may not be there cannot be named.
fn is_conditional(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attr| attr.path().is_ident("cfg"))
}

/// The words of a body, and the names that its texts format: `{name}`.
fn names(tokens: TokenStream, found: &mut Vec<String>) {
    for tree in tokens {
        match tree {
            TokenTree::Group(group) => names(group.stream(), found),
            TokenTree::Ident(ident) => found.push(ident.to_string()),
            TokenTree::Literal(literal) => formatted(&literal.to_string(), found),
            TokenTree::Punct(_) => {}
        }
    }
}

fn formatted(text: &str, found: &mut Vec<String>) {
    for part in text.split('{').skip(1) {
        let end = part.find(|c: char| !c.is_alphanumeric() && c != '_');
        found.push(part[..end.unwrap_or(part.len())].to_owned());
    }
}

/// Whether a type spells a borrow, or may hide one behind `Self`.
fn may_borrow(tokens: &impl ToTokens) -> bool {
    spells_borrow(tokens.to_token_stream())
}

fn spells_borrow(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|tree| match tree {
        TokenTree::Group(group) => spells_borrow(group.stream()),
        TokenTree::Punct(punct) => punct.as_char() == '\'' || punct.as_char() == '&',
        TokenTree::Ident(ident) => ident == "Self" || ident == "self",
        TokenTree::Literal(_) => false,
    })
}

struct Holding<'a> {
    named: &'a [String],
    may_leave: bool,
    holds: &'a mut Vec<TokenStream>,
}

impl Holding<'_> {
    fn is_named(&self, ident: &Ident) -> bool {
        self.named.iter().any(|name| ident == name)
    }

    fn receiver(&mut self, receiver: &mut Receiver) {
        let this = Ident::from(receiver.self_token);
        if !self.is_named(&this) {
            return;
        }
        match &receiver.kind {
            ReceiverKind::Reference(_, _, Some(_)) => self.reborrow(&this),
            ReceiverKind::Reference(..) => {}
            ReceiverKind::Typed(_, ty) => {
                let ty = ty.clone();
                self.name(&this, &mut receiver.mutability, &ty);
            }
            _ => self.owned(&this, &mut receiver.mutability),
        }
    }

    fn pattern(&mut self, pat: &mut Pat, ty: &Type) {
        match (pat, ty) {
            (Pat::Ident(pat), ty) if pat.by_ref.is_none() && pat.subpat.is_none() => {
                self.name(&pat.ident, &mut pat.mutability, ty);
            }
            (Pat::Tuple(pat), Type::Tuple(ty)) if pat.elems.len() == ty.elems.len() => {
                for (pat, ty) in pat.elems.iter_mut().zip(&ty.elems) {
                    self.pattern(pat, ty);
                }
            }
            // The pattern names the type, so nothing is matched through a reference here.
            (Pat::TupleStruct(pat), Type::Path(path)) if same_name(&pat.path, path) => {
                pat.elems.iter_mut().for_each(|pat| self.part(pat));
            }
            (Pat::Struct(pat), Type::Path(path)) if same_name(&pat.path, path) => {
                let parts = pat.fields.iter_mut();
                parts.for_each(|field| self.part(&mut field.pat));
            }
            (pat, _) => self.unknown(pat),
        }
    }

    /// A part of a pattern that binds by value, and whose type is not known.
    fn part(&mut self, pat: &mut Pat) {
        match pat {
            Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none() => {
                self.owned(&pat.ident, &mut pat.mutability);
            }
            pat => self.unknown(pat),
        }
    }

    /// What binds by value or by reference, one cannot tell.
    fn unknown(&mut self, pat: &Pat) {
        let mut names = Vec::new();
        bound_names(pat, &mut names);
        names.retain(|name| self.is_named(name));
        self.holds.extend(names.iter().map(Ident::to_token_stream));
    }

    fn name(&mut self, ident: &Ident, mutability: &mut Option<Token![mut]>, ty: &Type) {
        match ty {
            Type::Reference(reference) if reference.mutability.is_some() => self.reborrow(ident),
            // A shared reference is copied, as the plain function copies it.
            Type::Reference(_) => {}
            _ => self.owned(ident, mutability),
        }
    }

    fn reborrow(&mut self, ident: &Ident) {
        if self.is_named(ident) {
            self.holds
                .push(quote_spanned!(Span::mixed_site()=> &mut *#ident));
        }
    }

    fn owned(&mut self, ident: &Ident, mutability: &mut Option<Token![mut]>) {
        if !self.is_named(ident) {
            return;
        }
        if self.may_leave {
            self.holds.push(ident.to_token_stream());
            return;
        }
        let span = Span::mixed_site();
        mutability.get_or_insert(Token![mut](span));
        self.holds.push(quote_spanned!(span=> &mut #ident));
    }
}

fn same_name(pattern: &Path, ty: &TypePath) -> bool {
    let name = |path: &Path| path.segments.last().map(|segment| segment.ident.clone());
    name(pattern) == name(&ty.path)
}
