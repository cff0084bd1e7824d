//! How a block of ours, above all the inner future of an `async fn`, captures the arguments.
//!
//! The body of an `async fn` runs in an `async` block inside of it. With `async move`, each argument
//! that an attribute uses too would be stored twice, so the block captures as its body uses: an
//! argument that is borrowed costs a pointer, and one that the body consumes is stored once more.
//!
//! But a block that borrows an argument by `&` is `Send` only if the argument is `Sync`, which a
//! plain `async fn` does not require: a `Box<dyn Handler + Send>` or a database connection behind
//! `&mut` could not be spawned any more. So a line at the head of the block that is never run,
//! `if false { hold((&mut x,)) }`, decides how each argument that the body names is captured:
//!
//! - borrowed uniquely, for which `Send` is enough; the argument is bound as `mut` for it;
//! - moved, where a borrow through the argument may outlive the call, which named or elided lifetimes
//!   in the signature show, or where a pattern does not show how it binds. The argument is then
//!   stored a second time.
//!
//! An argument that is `mut` is bound again in the block. There its type is its own: what the body
//! assigns to it may live shorter than what the caller passed. And the compiler sees its uses.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{
    Attribute, FnArg, Ident, Pat, PatIdent, Path, Receiver, ReceiverKind, Signature, Token, Type,
    TypePath,
};

use crate::syntax::function::{bound_names, each_ident};

/// How the block of an `async fn` captures arguments.
#[derive(Default)]
pub(crate) struct CapturedArguments {
    /// As `&mut id`.
    pub(crate) owned: Vec<Ident>,
    /// As `&mut *id`.
    pub(crate) references: Vec<Ident>,
    /// As the one or the other, which the type decides: it has a name, and may be an alias.
    pub(crate) named: Vec<Ident>,
    pub(crate) moved: Vec<Ident>,
}

/// Binds arguments as `mut` where that is needed, and decides how each is captured.
pub(crate) fn capture_arguments(
    sig: &mut Signature,
    body: &TokenStream,
    rebound: &[Rebinding],
) -> CapturedArguments {
    let mut named = names(body);
    named.retain(|name| !rebound.iter().any(|rebinding| rebinding.ident == name));
    let borrowing: Vec<bool> = sig.inputs.iter().map(may_borrow).collect();
    let returns_borrow = may_borrow(&sig.output);
    let mut captured = CapturedArguments::default();
    for (index, input) in sig.inputs.iter_mut().enumerate() {
        let mut others = borrowing.iter().enumerate();
        let elsewhere = others.any(|(other, borrows)| other != index && *borrows);
        let mut capture = Capture {
            named: &named,
            // A borrow can leave only to where the signature has one.
            may_leave: (returns_borrow || elsewhere) && borrowing[index],
            captured: &mut captured,
        };
        match input {
            FnArg::Receiver(receiver) => capture.receiver(receiver),
            FnArg::Typed(typed) if !is_conditional(&typed.attrs) => {
                capture.pattern(&mut typed.pat, &typed.ty);
            }
            FnArg::Typed(_) => {}
        }
    }
    captured
}

/// A `mut` argument that is bound again in the block.
pub(crate) struct Rebinding {
    mutability: Token![mut],
    ident: Ident,
}

impl ToTokens for Rebinding {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Rebinding { mutability, ident } = self;
        tokens.extend(quote!(#[allow(clippy::shadow_same)] let #mutability #ident = #ident;));
    }
}

/// Input: `mut best: &str, (mut a, n): (u8, u32)`
///
/// Output: `let mut best = best; let mut a = a;`, and `best: &str, (a, n): (u8, u32)` is left
///
/// One that is read after the body stays where it is.
pub(crate) fn rebind(
    sig: &mut Signature,
    body: &TokenStream,
    read_after: &TokenStream,
) -> Vec<Rebinding> {
    let (named, kept) = (names(body), names(read_after));
    let mut all: Vec<Rebinding> = Vec::new();
    let mut rebind = |pat: &mut PatIdent| {
        let is = |names: &[String]| names.iter().any(|name| pat.ident == name);
        if pat.by_ref.is_some() || !is(&named) || is(&kept) {
            return;
        }
        let Some(mutability) = pat.mutability.take() else {
            return;
        };
        if all.iter().all(|rebinding| rebinding.ident != pat.ident) {
            let ident = pat.ident.clone();
            all.push(Rebinding { mutability, ident });
        }
    };
    for input in &mut sig.inputs {
        match input {
            FnArg::Typed(typed) if !is_conditional(&typed.attrs) => {
                each_ident(&mut typed.pat, &mut rebind);
            }
            FnArg::Typed(_) | FnArg::Receiver(_) => {}
        }
    }
    all
}

/// An argument that may not be there cannot be named.
fn is_conditional(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attr| attr.path().is_ident("cfg"))
}

/// The words of a body, and the names that its texts format: `{name}`.
pub(crate) fn names(tokens: &TokenStream) -> Vec<String> {
    let mut found = Vec::new();
    names_in(tokens.clone(), &mut found);
    found
}

fn names_in(tokens: TokenStream, found: &mut Vec<String>) {
    for tree in tokens {
        match tree {
            TokenTree::Group(group) => names_in(group.stream(), found),
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

struct Capture<'a> {
    named: &'a [String],
    may_leave: bool,
    captured: &'a mut CapturedArguments,
}

impl Capture<'_> {
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
            _ => self.owned(&this, &mut receiver.mutability, None),
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
                self.owned(&pat.ident, &mut pat.mutability, None);
            }
            pat => self.unknown(pat),
        }
    }

    /// A pattern that may bind by value or by reference.
    fn unknown(&mut self, pat: &Pat) {
        let mut names = Vec::new();
        bound_names(pat, &mut names);
        names.retain(|name| self.is_named(name));
        self.captured.moved.extend(names);
    }

    fn name(&mut self, ident: &Ident, mutability: &mut Option<Token![mut]>, ty: &Type) {
        match ty {
            Type::Reference(reference) if reference.mutability.is_some() => self.reborrow(ident),
            // A shared reference is copied, as the plain function copies it.
            Type::Reference(_) => {}
            ty => self.owned(ident, mutability, Some(ty)),
        }
    }

    fn reborrow(&mut self, ident: &Ident) {
        if self.is_named(ident) {
            self.captured.references.push(ident.clone());
        }
    }

    fn owned(&mut self, ident: &Ident, mutability: &mut Option<Token![mut]>, ty: Option<&Type>) {
        if !self.is_named(ident) {
            return;
        }
        if self.may_leave {
            self.captured.moved.push(ident.clone());
            return;
        }
        mutability.get_or_insert(Token![mut](Span::mixed_site()));
        let arguments = if ty.is_some_and(is_well_known) {
            &mut self.captured.owned
        } else {
            &mut self.captured.named
        };
        arguments.push(ident.clone());
    }
}

/// Whether a type has no name that may be an alias.
fn is_well_known(ty: &Type) -> bool {
    const KNOWN: [&str; 7] = ["Arc", "Box", "Option", "Rc", "Result", "String", "Vec"];
    match ty {
        Type::Path(path) => path.path.segments.last().is_some_and(|segment| {
            let name = segment.ident.to_string();
            name.starts_with(char::is_lowercase) || KNOWN.contains(&name.as_str())
        }),
        _ => true,
    }
}

fn same_name(pattern: &Path, ty: &TypePath) -> bool {
    let name = |path: &Path| path.segments.last().map(|segment| segment.ident.clone());
    name(pattern) == name(&ty.path)
}
