//! How the inner future of an `async fn` holds the arguments of the outer one.
//!
//! The body runs in an `async` block inside of the `async fn`. The block borrows what its body
//! borrows, so no argument is stored twice. But a shared borrow of an argument is `Send` only if
//! the argument is `Sync`, which a plain `async fn` does not ask for. So each argument that the body
//! names is borrowed uniquely, which asks for `Send` alone: a line that is never run, at the head
//! of the block, says so. It needs the argument to be bound as `mut`.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::{
    FnArg, Ident, Pat, Path, Receiver, ReceiverKind, ReturnType, Signature, Token, Type, TypePath,
};

/// Binds arguments as `mut` where that is needed, and gives the unique borrows to print.
pub(crate) fn hold_arguments(sig: &mut Signature, body: &TokenStream) -> Vec<TokenStream> {
    let lifetimes = Lifetimes::of(sig);
    let mut named = Vec::new();
    names(body.clone(), &mut named);
    let mut holds = Vec::new();
    for input in &mut sig.inputs {
        match input {
            FnArg::Receiver(receiver) if named.iter().any(|name| name == "self") => {
                hold_receiver(receiver, &lifetimes, &mut holds);
            }
            FnArg::Receiver(_) => {}
            FnArg::Typed(typed) => {
                hold_pattern(&mut typed.pat, &typed.ty, &lifetimes, &named, &mut holds);
            }
        }
    }
    holds
}

/// The words of a body, those inside of text included: `format!("{name}")` names `name`.
fn names(tokens: TokenStream, found: &mut Vec<String>) {
    for tree in tokens {
        match tree {
            TokenTree::Group(group) => names(group.stream(), found),
            TokenTree::Ident(ident) => found.push(ident.to_string()),
            TokenTree::Literal(literal) => {
                let text = literal.to_string();
                let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
                found.extend(words.filter(|word| !word.is_empty()).map(str::to_owned));
            }
            TokenTree::Punct(_) => {}
        }
    }
}

fn hold_receiver(receiver: &mut Receiver, lifetimes: &Lifetimes, holds: &mut Vec<TokenStream>) {
    let token = receiver.self_token;
    let span = Span::mixed_site();
    match &receiver.kind {
        ReceiverKind::Reference(_, _, Some(_)) => holds.push(quote_spanned!(span=> &mut *#token)),
        ReceiverKind::Reference(..) => {}
        ReceiverKind::Typed(_, ty) if is_mutable_reference(ty) => {
            holds.push(quote_spanned!(span=> &mut *#token));
        }
        ReceiverKind::Typed(_, ty) if matches!(**ty, Type::Reference(_)) => {}
        ReceiverKind::Typed(_, ty) if lifetimes.may_leave_through(ty) => {}
        // What `Self` borrows is not seen here.
        ReceiverKind::Value if lifetimes.returns_borrow => {}
        _ => {
            receiver.mutability.get_or_insert(Token![mut](span));
            holds.push(quote_spanned!(span=> &mut #token));
        }
    }
}

fn hold_pattern(
    pat: &mut Pat,
    ty: &Type,
    lifetimes: &Lifetimes,
    named: &[String],
    holds: &mut Vec<TokenStream>,
) {
    match (pat, ty) {
        (Pat::Ident(pat), ty) if pat.by_ref.is_none() && named.contains(&pat.ident.to_string()) => {
            hold_name(&pat.ident, &mut pat.mutability, ty, lifetimes, holds);
        }
        (Pat::Tuple(pat), Type::Tuple(ty)) => {
            for (pat, ty) in pat.elems.iter_mut().zip(&ty.elems) {
                hold_pattern(pat, ty, lifetimes, named, holds);
            }
        }
        // The pattern names the type, so nothing is matched through a reference here.
        (Pat::TupleStruct(pat), Type::Path(path)) if same_name(&pat.path, path) => {
            let parts = pat.elems.iter_mut();
            parts.for_each(|pat| hold_part(pat, ty, lifetimes, named, holds));
        }
        (Pat::Struct(pat), Type::Path(path)) if same_name(&pat.path, path) => {
            let parts = pat.fields.iter_mut();
            parts.for_each(|field| hold_part(&mut field.pat, ty, lifetimes, named, holds));
        }
        // Of other patterns the binding modes are not known; what they bind is borrowed as the
        // body borrows it.
        _ => {}
    }
}

fn same_name(pattern: &Path, ty: &TypePath) -> bool {
    let name = |path: &Path| path.segments.last().map(|segment| segment.ident.clone());
    name(pattern) == name(&ty.path)
}

fn hold_part(
    pat: &mut Pat,
    whole: &Type,
    lifetimes: &Lifetimes,
    named: &[String],
    holds: &mut Vec<TokenStream>,
) {
    if let Pat::Ident(_) = pat {
        hold_pattern(pat, whole, lifetimes, named, holds);
    }
}

fn hold_name(
    ident: &Ident,
    mutability: &mut Option<Token![mut]>,
    ty: &Type,
    lifetimes: &Lifetimes,
    holds: &mut Vec<TokenStream>,
) {
    let span = Span::mixed_site();
    if is_mutable_reference(ty) {
        holds.push(quote_spanned!(span=> &mut *#ident));
    } else if !matches!(ty, Type::Reference(_)) && !lifetimes.may_leave_through(ty) {
        mutability.get_or_insert(Token![mut](span));
        holds.push(quote_spanned!(span=> &mut #ident));
    }
}

fn is_mutable_reference(ty: &Type) -> bool {
    matches!(ty, Type::Reference(reference) if reference.mutability.is_some())
}

/// The lifetimes of a signature. What borrows through an owned argument for longer than the call
/// must not be borrowed from that argument.
struct Lifetimes {
    /// All that are named, once for each place.
    named: Vec<String>,
    /// Those that the function itself declares.
    declared: Vec<String>,
    returns_borrow: bool,
}

impl Lifetimes {
    fn of(sig: &Signature) -> Self {
        let mut named = Vec::new();
        for input in &sig.inputs {
            named.extend(borrows(input).into_iter().flatten());
        }
        let returned = match &sig.output {
            ReturnType::Default => Vec::new(),
            ReturnType::Type(_, ty) => borrows(ty),
        };
        let returns_borrow = !returned.is_empty();
        named.extend(returned.into_iter().flatten());
        let declared = sig.generics.lifetimes();
        Lifetimes {
            named,
            declared: declared.map(|def| def.lifetime.ident.to_string()).collect(),
            returns_borrow,
        }
    }

    /// Whether something borrowed inside of `ty` can outlive the argument of that type.
    fn may_leave_through(&self, ty: &Type) -> bool {
        borrows(ty).iter().any(|lifetime| match lifetime {
            Some(name) => {
                let places = self.named.iter().filter(|other| *other == name);
                places.count() > 1 || !self.declared.contains(name)
            }
            None => self.returns_borrow,
        })
    }
}

/// The borrows that are spelled in a type: by a named lifetime, or by none.
fn borrows(tokens: impl ToTokens) -> Vec<Option<String>> {
    let mut found = Vec::new();
    collect_borrows(tokens.to_token_stream(), &mut found);
    found
}

fn collect_borrows(tokens: TokenStream, found: &mut Vec<Option<String>>) {
    let mut trees = tokens.into_iter().peekable();
    while let Some(tree) = trees.next() {
        match tree {
            TokenTree::Group(group) => collect_borrows(group.stream(), found),
            TokenTree::Punct(punct) if punct.as_char() == '\'' => match trees.next() {
                Some(TokenTree::Ident(name)) if name == "static" => {}
                Some(TokenTree::Ident(name)) if name == "_" => found.push(None),
                Some(TokenTree::Ident(name)) => found.push(Some(name.to_string())),
                _ => {}
            },
            TokenTree::Punct(punct) if punct.as_char() == '&' => match trees.peek() {
                Some(TokenTree::Punct(next)) if next.as_char() == '\'' => {}
                _ => found.push(None),
            },
            _ => {}
        }
    }
}
