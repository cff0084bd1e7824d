//! A function as it was written: its signature parsed, its body as tokens.
//!
//! The body is not ours to understand. It may hold syntax that no parser of ours knows yet, or be
//! half-typed in an editor.

use proc_macro2::{Delimiter, Group, Punct, Spacing, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Error, FnArg, Ident, Pat, PatIdent, Result, Signature, Token, Visibility};

pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) default: Option<Ident>,
    pub(crate) sig: Signature,
    /// Inner attributes of the body, made outer: they are valid only at the head of a function.
    pub(crate) inner: TokenStream,
    pub(crate) body: Group,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        let default = default_keyword(input)?;
        foreign(input)?;
        let sig: Signature = input.parse()?;
        if input.peek(Token![;]) {
            let message = format!(
                "`{}` has no body to put into a span; put the attribute on the implementation, or use `in_span!` at the call",
                sig.ident
            );
            return Err(input.error(message));
        }
        let tree: TokenTree = input.parse()?;
        match tree {
            // A body that came through `macro_rules!` as `$body:block` has invisible delimiters.
            TokenTree::Group(body) if body.delimiter() != Delimiter::Parenthesis => {
                let body = match body.delimiter() {
                    Delimiter::None => braced(&body),
                    _ => body,
                };
                let (inner, body) = lift_inner_attributes(body);
                Ok(Function {
                    attrs,
                    vis,
                    default,
                    sig,
                    inner,
                    body,
                })
            }
            tree => Err(Error::new(tree.span(), "expected the body of the function")),
        }
    }
}

fn default_keyword(input: ParseStream<'_>) -> Result<Option<Ident>> {
    let fork = input.fork();
    match fork.parse::<Ident>() {
        Ok(word) if word == "default" => input.parse().map(Some),
        _ => Ok(None),
    }
}

/// `safe fn` is allowed in `extern` blocks only.
fn foreign(input: ParseStream<'_>) -> Result<()> {
    match input.fork().parse::<Ident>() {
        Ok(word) if word == "safe" => Err(input.error(
            "a foreign function has no body to put into a span; use `in_span!` at the call",
        )),
        _ => Ok(()),
    }
}

/// Input: a group without delimiters around `{ work() }` or `work()`
///
/// Output: `{ work() }`
fn braced(body: &Group) -> Group {
    let mut trees = body.stream().into_iter();
    if let (Some(TokenTree::Group(inner)), None) = (trees.next(), trees.next()) {
        if inner.delimiter() == Delimiter::Brace {
            return inner;
        }
    }
    let mut group = Group::new(Delimiter::Brace, body.stream());
    group.set_span(body.span());
    group
}

/// Input: `{ #![allow(unused)] work() }`
///
/// Output: `#[allow(unused)]` and `{ work() }`
fn lift_inner_attributes(body: Group) -> (TokenStream, Group) {
    let trees: Vec<TokenTree> = body.stream().into_iter().collect();
    let mut lifted = TokenStream::new();
    let mut rest = trees.as_slice();
    while let [
        TokenTree::Punct(hash),
        TokenTree::Punct(bang),
        TokenTree::Group(group),
        tail @ ..,
    ] = rest
    {
        if hash.as_char() != '#' || bang.as_char() != '!' || group.delimiter() != Delimiter::Bracket
        {
            break;
        }
        TokenTree::from(Punct::new('#', Spacing::Alone)).to_tokens(&mut lifted);
        group.to_tokens(&mut lifted);
        rest = tail;
    }
    if lifted.is_empty() {
        return (lifted, body);
    }
    let mut group = Group::new(Delimiter::Brace, rest.iter().cloned().collect());
    group.set_span(body.span());
    (lifted, group)
}

impl ToTokens for Function {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.head().to_tokens(tokens);
        self.body.to_tokens(tokens);
    }
}

impl Function {
    /// Everything before the body.
    pub(crate) fn head(&self) -> TokenStream {
        let mut head = TokenStream::new();
        self.attrs.iter().for_each(|attr| attr.to_tokens(&mut head));
        self.inner.to_tokens(&mut head);
        self.vis.to_tokens(&mut head);
        self.default.to_tokens(&mut head);
        self.sig.to_tokens(&mut head);
        head
    }

    /// The names that the parameters bind, `self` included.
    pub(crate) fn parameters(&self) -> Vec<Ident> {
        let mut names = Vec::new();
        for input in &self.sig.inputs {
            match input {
                FnArg::Receiver(receiver) => names.push(Ident::from(receiver.self_token)),
                FnArg::Typed(typed) => bound_names(&typed.pat, &mut names),
            }
        }
        names
    }

    pub(crate) fn has_attribute(&self, name: &str) -> Option<&Attribute> {
        self.attrs.iter().find(|attr| attr.path().is_ident(name))
    }
}

/// `#[enter_span(..)]`, by whatever path.
pub(crate) fn is_ours(attr: &Attribute) -> bool {
    let last = attr.path().segments.last();
    last.is_some_and(|segment| segment.ident == "enter_span")
}

/// The names that a pattern binds.
pub(crate) fn bound_names(pat: &Pat, names: &mut Vec<Ident>) {
    each_ident(&mut pat.clone(), &mut |pat| {
        if !names.contains(&pat.ident) {
            names.push(pat.ident.clone());
        }
    });
}

/// The parts of a pattern that bind a name, with each case of those that have several.
pub(crate) fn each_ident(pat: &mut Pat, found: &mut impl FnMut(&mut PatIdent)) {
    let parts: Vec<&mut Pat> = match pat {
        Pat::Ident(pat) => {
            found(pat);
            pat.subpat.iter_mut().map(|(_, pat)| &mut **pat).collect()
        }
        Pat::Paren(pat) => vec![&mut pat.pat],
        Pat::Reference(pat) => vec![&mut pat.pat],
        Pat::Type(pat) => vec![&mut pat.pat],
        Pat::Or(pat) => pat.cases.iter_mut().collect(),
        Pat::Slice(pat) => pat.elems.iter_mut().collect(),
        Pat::Tuple(pat) => pat.elems.iter_mut().collect(),
        Pat::TupleStruct(pat) => pat.elems.iter_mut().collect(),
        Pat::Struct(pat) => pat.fields.iter_mut().map(|field| &mut *field.pat).collect(),
        _ => Vec::new(),
    };
    parts.into_iter().for_each(|pat| each_ident(pat, found));
}
