//! `#[enter_span] impl ..`: each method with a body, named `Type::method`.
//!
//! Bodies stay tokens here too, so the block is parsed by hand: the head by syn with empty braces,
//! then the items one by one.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream, Parser as _};
use syn::{
    Attribute, Error, Ident, ImplItem, ItemImpl, Meta, Result, Signature, Token, Type, Visibility,
};

use crate::errors::Errors;
use crate::plan::function::Plan;
use crate::print;
use crate::syntax::args::Args;
use crate::syntax::function::{Function, is_ours};
use crate::syntax::names::{self, Place};

pub(crate) struct ImplBlock {
    head: TokenStream,
    /// The type's own name, without its path and generics.
    name: String,
    braces: Group,
    items: Vec<Item>,
}

enum Item {
    Method(Box<Method>),
    Other(TokenStream),
}

struct Method {
    /// The method's own `#[enter_span(..)]`.
    own: Option<Attribute>,
    function: Function,
}

impl Parse for ImplBlock {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut trees: Vec<TokenTree> = input.parse::<TokenStream>()?.into_iter().collect();
        let Some(TokenTree::Group(braces)) = trees.pop() else {
            return Err(input.error("expected the braces of the `impl` block"));
        };
        let head: TokenStream = trees.into_iter().collect();
        let mut empty = head.clone();
        Group::new(Delimiter::Brace, TokenStream::new()).to_tokens(&mut empty);
        let parsed: ItemImpl = syn::parse2(empty)?;
        Ok(ImplBlock {
            head,
            name: name(&parsed.self_ty),
            items: items.parse2(braces.stream())?,
            braces,
        })
    }
}

fn name(ty: &Type) -> String {
    match ty {
        Type::Path(path) => match path.path.segments.last() {
            Some(segment) => segment.ident.unraw().to_string(),
            None => String::new(),
        },
        Type::Reference(reference) => name(&reference.elem),
        Type::Group(group) => name(&group.elem),
        Type::Paren(paren) => name(&paren.elem),
        other => other.to_token_stream().to_string().replace(' ', ""),
    }
}

fn items(input: ParseStream<'_>) -> Result<Vec<Item>> {
    let mut items = Vec::new();
    // Inner attributes of the block belong to its head and are printed where they stood.
    let inner = input.call(Attribute::parse_inner)?;
    if !inner.is_empty() {
        let mut tokens = TokenStream::new();
        inner.iter().for_each(|attr| attr.to_tokens(&mut tokens));
        items.push(Item::Other(tokens));
    }
    while !input.is_empty() {
        items.push(if is_function(input) {
            Item::Method(Box::new(method(input.parse()?)))
        } else {
            Item::Other(input.parse::<ImplItem>()?.into_token_stream())
        });
    }
    Ok(items)
}

fn is_function(input: ParseStream<'_>) -> bool {
    let fork = input.fork();
    let head = |input: ParseStream<'_>| -> Result<()> {
        input.call(Attribute::parse_outer)?;
        input.parse::<Visibility>()?;
        if input.peek(Ident) && !input.peek(Token![fn]) {
            input.parse::<Ident>()?;
        }
        input.parse::<Signature>().map(drop)
    };
    head(&fork).is_ok()
}

fn method(mut function: Function) -> Method {
    let place = function.attrs.iter().position(is_ours);
    let own = place.map(|place| function.attrs.remove(place));
    Method { own, function }
}

/// Input: `impl Cart { fn total(&self) -> u64 { body } }`
///
/// Output: `impl Cart { fn total(&self) -> u64 { static ..; .. run_held(.., || -> u64 { body }) .. } }`
pub(crate) fn expand(block: ImplBlock, args: &Args, mut errors: Errors) -> TokenStream {
    check_shared(args, &mut errors);
    let shared_is_right = errors.is_empty();
    let mut body = TokenStream::new();
    for item in block.items {
        match item {
            Item::Other(tokens) => body.extend(tokens),
            Item::Method(method) => {
                let owner = &block.name;
                body.extend(expand_method(
                    *method,
                    args,
                    owner,
                    shared_is_right,
                    &mut errors,
                ));
            }
        }
    }
    let mut group = Group::new(Delimiter::Brace, body);
    group.set_span(block.braces.span());
    let mut tokens = errors.into_tokens();
    tokens.extend(block.head);
    group.to_tokens(&mut tokens);
    tokens
}

fn check_shared(args: &Args, errors: &mut Errors) {
    for word in &args.used {
        if !names::is_allowed(word, Place::Impl) {
            let message = format!(
                "`{word}` cannot be given for a whole `impl`; write it on the method it is for, as `#[enter_span({word} ..)]`"
            );
            errors.push(Error::new(word.span(), message));
        }
    }
    if let Some(span) = args.name_or_handle() {
        let message = "a name or a handle cannot be given for a whole `impl`; write it on the method it is for";
        errors.push(Error::new(span, message));
    }
}

fn expand_method(
    method: Method,
    shared: &Args,
    owner: &str,
    shared_is_right: bool,
    errors: &mut Errors,
) -> TokenStream {
    let mut own_errors = Errors::default();
    let mut args = own_args(method.own.as_ref(), &mut own_errors);
    let plain = method.function.to_token_stream();
    let is_unasked_const = method.function.sig.constness.is_some() && method.own.is_none();
    if args.skip.is_some() || is_unasked_const {
        errors.keep(own_errors.into_result());
        return plain;
    }
    args.inherit(shared);
    let is_right = own_errors.is_empty() && shared_is_right;
    let plan = own_errors.keep(Plan::new(method.function, args, Some(owner)));
    errors.keep(own_errors.into_result());
    match plan.filter(|_| is_right) {
        Some(plan) => print::function::function(&plan),
        None => plain,
    }
}

fn own_args(own: Option<&Attribute>, errors: &mut Errors) -> Args {
    let tokens = match own.map(|own| &own.meta) {
        None | Some(Meta::Path(_)) => TokenStream::new(),
        Some(Meta::List(list)) => list.tokens.clone(),
        Some(Meta::NameValue(pair)) => {
            let message =
                "the arguments of a span stand in parentheses; write `#[enter_span(name = ..)]`";
            errors.push(Error::new(pair.eq_token.span, message));
            TokenStream::new()
        }
    };
    Args::parse(tokens, errors)
}
