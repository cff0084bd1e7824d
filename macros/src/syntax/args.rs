//! The arguments of a span: which of them were written, and their values.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Error, Expr, Ident, LitStr, Path, Result, Token};

use crate::errors::Errors;
use crate::syntax::attribute::{self, AttributeItem, Projection};
use crate::syntax::list::{COMMA, skip_to, skip_to_comma};
use crate::syntax::names;
use crate::syntax::suggestion;
use crate::syntax::value::{self, ErrorPolicy};

/// The value of an argument and its name, where conflicts are reported.
#[derive(Clone)]
pub(crate) struct Arg<T> {
    pub(crate) key: Ident,
    pub(crate) value: T,
}

#[derive(Default)]
pub(crate) struct Args {
    pub(crate) name: Option<SpanName>,
    pub(crate) handle: Option<Ident>,
    pub(crate) kind: Option<Arg<Option<&'static str>>>,
    pub(crate) attributes: Vec<AttributeItem>,
    pub(crate) start: Vec<AttributeItem>,
    pub(crate) ret: Option<Arg<Vec<Projection>>>,
    pub(crate) err: Option<Arg<ErrorPolicy>>,
    pub(crate) root: Option<Arg<()>>,
    pub(crate) parent: Option<Arg<Expr>>,
    pub(crate) links: Option<Arg<Vec<Expr>>>,
    pub(crate) invocation: Option<Arg<Expr>>,
    pub(crate) when: Option<Arg<Expr>>,
    pub(crate) future: Option<Arg<()>>,
    pub(crate) stream: Option<Arg<()>>,
    /// What the returned value does later is left out of the span.
    pub(crate) call_only: Option<Arg<()>>,
    pub(crate) leaf: Option<Arg<()>>,
    pub(crate) ends_children: Option<Arg<()>>,
    pub(crate) tracer: Option<Arg<Expr>>,
    pub(crate) krate: Option<Arg<Path>>,
    pub(crate) current: Option<Arg<()>>,
    pub(crate) skip: Option<Arg<()>>,
    /// `err` was given for a whole `impl`, of which not every method needs an outcome.
    pub(crate) err_is_shared: bool,
    /// The names that were written, in order.
    pub(crate) used: Vec<Ident>,
    /// Those without a mistake in their values.
    pub(crate) parsed: Vec<Ident>,
}

/// The name of a span, as it was given.
pub(crate) enum SpanName {
    Literal(LitStr),
    Expr(Ident, Expr),
}

impl SpanName {
    pub(crate) fn span(&self) -> Span {
        match self {
            SpanName::Literal(name) => name.span(),
            SpanName::Expr(key, _) => key.span(),
        }
    }
}

/// Whether a closure begins here.
pub(crate) fn is_closure(input: ParseStream<'_>) -> bool {
    input.peek(Token![|])
        || input.peek(Token![||])
        || input.peek(Token![move])
        || input.peek(Token![async])
}

impl Args {
    /// The arguments of the attribute. Those with mistakes are missing from the result.
    pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut args = Args::default();
        let parser = |input: ParseStream<'_>| {
            while !input.is_empty() {
                args.parse_next(input, errors)?;
            }
            Ok(())
        };
        if let Err(error) = parser.parse2(tokens) {
            errors.push(error);
        }
        args
    }

    /// One argument and its comma. After a mistake, parsing continues behind the comma.
    pub(crate) fn parse_next(&mut self, input: ParseStream<'_>, errors: &mut Errors) -> Result<()> {
        if let Err(error) = self.parse_one(input) {
            errors.push(error);
            skip_to_comma(input)?;
        }
        if input.is_empty() {
            return Ok(());
        }
        if let Err(error) = input.parse::<Token![,]>() {
            errors.push(Error::new(error.span(), COMMA));
            skip_to_comma(input)?;
            let _comma: Option<Token![,]> = input.parse()?;
        }
        Ok(())
    }

    /// What is evaluated before the body.
    pub(crate) fn read_before(&self) -> TokenStream {
        let mut tokens = TokenStream::new();
        for attribute in self.attributes.iter().chain(&self.start) {
            tokens.extend(attribute.value());
        }
        if let Some(SpanName::Expr(_, name)) = &self.name {
            name.to_tokens(&mut tokens);
        }
        let single = [&self.parent, &self.invocation, &self.when, &self.tracer];
        let single = single.into_iter().flatten().map(|argument| &argument.value);
        let links = self.links.iter().flat_map(|links| &links.value);
        let values = single.chain(links);
        values.for_each(|value| value.to_tokens(&mut tokens));
        tokens
    }

    /// What is evaluated after the body.
    pub(crate) fn read_after(&self) -> TokenStream {
        let mut tokens = TokenStream::new();
        for projection in self.ret.iter().flat_map(|ret| &ret.value) {
            projection.body.to_tokens(&mut tokens);
        }
        if let Some(ErrorPolicy::JudgedBy(judge)) = self.err.as_ref().map(|err| &err.value) {
            judge.to_tokens(&mut tokens);
        }
        tokens
    }

    /// Where a name or a handle was given, if one was.
    pub(crate) fn name_or_handle(&self) -> Option<Span> {
        let name = self.name.as_ref().map(SpanName::span);
        name.or_else(|| self.handle.as_ref().map(Ident::span))
    }

    /// Adds what was given for a whole `impl` and not for this method.
    pub(crate) fn inherit(&mut self, shared: &Args) {
        fn or<T: Clone>(own: &mut Option<Arg<T>>, shared: &Option<Arg<T>>) {
            if own.is_none() {
                *own = shared.clone();
            }
        }
        self.err_is_shared = self.err.is_none();
        or(&mut self.kind, &shared.kind);
        or(&mut self.err, &shared.err);
        or(&mut self.when, &shared.when);
        or(&mut self.tracer, &shared.tracer);
        or(&mut self.krate, &shared.krate);
    }

    fn parse_one(&mut self, input: ParseStream<'_>) -> Result<()> {
        if input.peek(LitStr) {
            return self.parse_positional(input);
        }
        if input.peek(Token![|]) {
            return self.parse_handle(input);
        }
        if input.peek(Token![%]) || input.peek(Token![?]) {
            return Err(input.error(
                "`%` and `?` stand before a value inside `attributes(..)`; write `attributes(?value)`",
            ));
        }
        let key = Ident::parse_any(input).map_err(|error| {
            let message = format!(
                "expected an argument; write a name as text, `|span|`, or one of {}",
                suggestion::quoted(names::all())
            );
            Error::new(error.span(), message)
        })?;
        if key != "name" && self.used.contains(&key) {
            let message = format!("duplicate argument `{key}`; give it once");
            return Err(Error::new(key.span(), message));
        }
        self.used.push(key.clone());
        self.parse_named(key.clone(), input)?;
        self.parsed.push(key);
        Ok(())
    }

    fn parse_positional(&mut self, input: ParseStream<'_>) -> Result<()> {
        let name: LitStr = input.parse()?;
        if self.name.is_some() || !self.used.is_empty() || self.handle.is_some() {
            let message = "only the first argument may be the name; write `name = ..` here, or move it to the front";
            return Err(Error::new(name.span(), message));
        }
        self.name = Some(SpanName::Literal(not_empty(name)?));
        Ok(())
    }

    fn parse_handle(&mut self, input: ParseStream<'_>) -> Result<()> {
        let bar: Token![|] = input.parse()?;
        let one = |input: ParseStream<'_>| -> Result<Ident> {
            let handle = input.parse()?;
            input.parse::<Token![|]>().map(|_| handle)
        };
        let Ok(handle) = one(input) else {
            skip_to(input, |input| input.peek(Token![|]))?;
            let _closing: Option<Token![|]> = input.parse()?;
            let message = "the handle is one name between bars; write `|span|`";
            return Err(Error::new(bar.span, message));
        };
        match self.handle.replace(handle) {
            None => Ok(()),
            Some(_) => Err(Error::new(bar.span, "duplicate handle; bind it once")),
        }
    }

    fn parse_named(&mut self, key: Ident, input: ParseStream<'_>) -> Result<()> {
        match key.to_string().as_str() {
            "name" => self.parse_name(key, input)?,
            "kind" => self.kind = arg(key, input, value::kind)?,
            "attributes" => self.attributes = attribute::list(&key, input)?,
            "start" => self.start = attribute::list(&key, input)?,
            "ret" => self.ret = arg(key, input, |_, input| attribute::projections(input))?,
            "err" => self.err = arg(key, input, value::error_policy)?,
            "root" => self.root = arg(key, input, value::flag)?,
            "parent" => self.parent = arg(key, input, value::parent)?,
            "links" => self.links = arg(key, input, value::links)?,
            "invocation" => self.invocation = arg(key, input, value::expression)?,
            "when" => self.when = arg(key, input, value::expression)?,
            "future" => self.future = arg(key, input, value::flag)?,
            "stream" => self.stream = arg(key, input, value::flag)?,
            "call_only" => self.call_only = arg(key, input, value::flag)?,
            "leaf" => self.leaf = arg(key, input, value::flag)?,
            "ends_children" => self.ends_children = arg(key, input, value::flag)?,
            "tracer" => self.tracer = arg(key, input, value::expression)?,
            "crate" => self.krate = arg(key, input, value::crate_path)?,
            "current" => self.current = arg(key, input, value::flag)?,
            "skip" => self.skip = arg(key, input, value::skip)?,
            _ => return Err(suggestion::unknown(&key)),
        }
        Ok(())
    }

    fn parse_name(&mut self, key: Ident, input: ParseStream<'_>) -> Result<()> {
        if self.name.is_some() {
            let message = "duplicate argument `name`; give it once";
            return Err(Error::new(key.span(), message));
        }
        let value: Expr = value::expression(&key, input)?;
        self.name = Some(match value {
            Expr::Lit(literal) => match literal.lit {
                syn::Lit::Str(text) => SpanName::Literal(not_empty(text)?),
                other => {
                    let message = "`name` takes text; write a string literal or an expression that gives text";
                    return Err(Error::new(other.span(), message));
                }
            },
            value => SpanName::Expr(key, value),
        });
        Ok(())
    }
}

fn not_empty(name: LitStr) -> Result<LitStr> {
    if name.value().is_empty() {
        let message = "the name of a span must not be empty; say what the span does";
        Err(Error::new(name.span(), message))
    } else {
        Ok(name)
    }
}

/// An argument whose value is parsed by `parse`.
fn arg<T>(
    key: Ident,
    input: ParseStream<'_>,
    parse: fn(&Ident, ParseStream<'_>) -> Result<T>,
) -> Result<Option<Arg<T>>> {
    let value = parse(&key, input)?;
    Ok(Some(Arg { key, value }))
}
