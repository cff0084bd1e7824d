//! What was asked for: the grammar of the arguments.
//!
//! Faults of a single argument are found here; whether arguments fit together, and fit the
//! function, is decided in `plan.rs`.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Expr, ExprClosure, Ident, LitStr, Pat, Path, Result, Token, parenthesized};

use crate::errors::Errors;
use crate::expression;

const KNOWN: [&str; 20] = [
    "name",
    "kind",
    "attributes",
    "start",
    "ret",
    "err",
    "root",
    "parent",
    "links",
    "invocation",
    "when",
    "future",
    "stream",
    "call_only",
    "leaf",
    "ends_children",
    "tracer",
    "crate",
    "current",
    "skip",
];
const KINDS: [&str; 5] = ["internal", "server", "client", "producer", "consumer"];

/// An argument and the word that it was asked for with, which conflicts point at.
#[derive(Clone)]
pub(crate) struct Arg<T> {
    pub(crate) key: Ident,
    pub(crate) value: T,
}

#[derive(Default)]
pub(crate) struct Args {
    pub(crate) name: Option<Name>,
    pub(crate) handle: Option<Ident>,
    pub(crate) kind: Option<Arg<Ident>>,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) start: Vec<Attribute>,
    pub(crate) ret: Option<Arg<Vec<Projection>>>,
    pub(crate) err: Option<Arg<Told>>,
    pub(crate) root: Option<Arg<()>>,
    pub(crate) parent: Option<Arg<Expr>>,
    pub(crate) links: Option<Arg<Vec<Expr>>>,
    pub(crate) invocation: Option<Arg<Expr>>,
    pub(crate) when: Option<Arg<Expr>>,
    pub(crate) future: Option<Arg<()>>,
    pub(crate) stream: Option<Arg<()>>,
    /// What the returned value does later is not meant to be in the span.
    pub(crate) call_only: Option<Arg<()>>,
    pub(crate) leaf: Option<Arg<()>>,
    pub(crate) ends_children: Option<Arg<()>>,
    pub(crate) tracer: Option<Arg<Expr>>,
    pub(crate) krate: Option<Arg<Path>>,
    pub(crate) current: Option<Arg<()>>,
    pub(crate) skip: Option<Arg<()>>,
    /// `err` was said for a whole `impl`, whose methods need not all have an outcome.
    pub(crate) err_is_shared: bool,
    /// The words used, in order, to find repetitions.
    used: Vec<Ident>,
}

pub(crate) enum Name {
    Literal(LitStr),
    Expr(Ident, Expr),
}

/// What `attributes(..)` lists.
pub(crate) enum Attribute {
    One(Key, AttributeValue),
    /// `..facts`: those of a struct.
    All(Expr),
}

#[derive(Clone)]
pub(crate) enum Key {
    /// `order.id` or `"order.id"`.
    Text(String, Span),
    /// `TENANT` or `keys::TENANT`.
    Constant(Path),
}

pub(crate) enum AttributeValue {
    /// A bare name: the argument of that name.
    Argument(Ident),
    Literal(LitStr),
    Typed(Expr),
    Debug(Expr),
    Display(Expr),
}

/// `key = |value| expr`, of the returned value.
#[derive(Clone)]
pub(crate) struct Projection {
    pub(crate) key: Key,
    pub(crate) pattern: Pat,
    pub(crate) body: Expr,
}

/// What is told of an error.
#[derive(Clone)]
pub(crate) enum Told {
    Detail(Detail),
    Ignore,
    Judged(Box<ExprClosure>),
}

#[derive(Clone, Copy)]
pub(crate) enum Detail {
    Message,
    Type,
    Status,
}

/// Whether a closure begins here.
pub(crate) fn is_closure(input: ParseStream<'_>) -> bool {
    input.peek(Token![|])
        || input.peek(Token![||])
        || input.peek(Token![move])
        || input.peek(Token![async])
}

impl Args {
    /// The arguments of the attribute. Those that are faulty are missing from the result.
    pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut args = Args::default();
        let parser = |input: ParseStream<'_>| args.parse_list(input, errors);
        if let Err(error) = syn::parse::Parser::parse2(parser, tokens) {
            errors.push(error);
        }
        args
    }

    fn parse_list(&mut self, input: ParseStream<'_>, errors: &mut Errors) -> Result<()> {
        while !input.is_empty() {
            self.parse_next(input, errors)?;
        }
        Ok(())
    }

    /// One argument and its comma. A fault in it costs the tokens up to the comma.
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

    /// Where in the list an argument stands.
    pub(crate) fn position(&self, key: &Ident) -> Option<usize> {
        self.used.iter().position(|used| used == key)
    }

    /// The words used, in order.
    pub(crate) fn used(&self) -> &[Ident] {
        &self.used
    }

    /// What is evaluated before the body.
    pub(crate) fn read_before(&self) -> TokenStream {
        let mut tokens = TokenStream::new();
        for attribute in self.attributes.iter().chain(&self.start) {
            tokens.extend(attribute.value());
        }
        if let Some(Name::Expr(_, name)) = &self.name {
            name.to_tokens(&mut tokens);
        }
        let single = [&self.parent, &self.invocation, &self.when, &self.tracer];
        let single = single.into_iter().flatten().map(|argument| &argument.value);
        let links = self.links.iter().flat_map(|links| &links.value);
        single
            .chain(links)
            .for_each(|value| value.to_tokens(&mut tokens));
        tokens
    }

    /// What is evaluated after the body.
    pub(crate) fn read_after(&self) -> TokenStream {
        let mut tokens = TokenStream::new();
        for projection in self.ret.iter().flat_map(|ret| &ret.value) {
            projection.body.to_tokens(&mut tokens);
        }
        if let Some(Told::Judged(judge)) = self.err.as_ref().map(|err| &err.value) {
            judge.to_tokens(&mut tokens);
        }
        tokens
    }

    /// Where a name or a handle was given, if one was.
    pub(crate) fn name_or_handle(&self) -> Option<Span> {
        let name = self.name.as_ref().map(|name| match name {
            Name::Literal(name) => name.span(),
            Name::Expr(key, _) => key.span(),
        });
        name.or_else(|| self.handle.as_ref().map(Ident::span))
    }

    /// Takes over what was said for a whole `impl` and not for this method.
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
                "`%` and `?` stand before a value inside `attributes(..)`; write `attributes(key = ?value)`",
            ));
        }
        let key = Ident::parse_any(input).map_err(|error| {
            let message = format!(
                "expected an argument; write a name as text, `|span|`, or one of {}",
                quoted(&KNOWN)
            );
            Error::new(error.span(), message)
        })?;
        if key != "name" && self.used.contains(&key) {
            return Err(Error::new(
                key.span(),
                format!("duplicate argument `{key}`; give it once"),
            ));
        }
        self.used.push(key.clone());
        self.parse_named(key, input)
    }

    fn parse_positional(&mut self, input: ParseStream<'_>) -> Result<()> {
        let name: LitStr = input.parse()?;
        if self.name.is_some() || !self.used.is_empty() || self.handle.is_some() {
            let message = "only the first argument may be the name; write `name = ..` here, or move it to the front";
            return Err(Error::new(name.span(), message));
        }
        self.name = Some(Name::Literal(not_empty(name)?));
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
            "kind" => self.kind = arg(key, input, kind)?,
            "attributes" => self.attributes = list(&key, input)?,
            "start" => self.start = list(&key, input)?,
            "ret" => self.ret = arg(key, input, |_, input| projections(input))?,
            "err" => self.err = arg(key, input, told)?,
            "root" => self.root = arg(key, input, flag)?,
            "parent" => self.parent = arg(key, input, value)?,
            "links" => self.links = arg(key, input, links)?,
            "invocation" => self.invocation = arg(key, input, value)?,
            "when" => self.when = arg(key, input, value)?,
            "future" => self.future = arg(key, input, flag)?,
            "stream" => self.stream = arg(key, input, flag)?,
            "call_only" => self.call_only = arg(key, input, flag)?,
            "leaf" => self.leaf = arg(key, input, flag)?,
            "ends_children" => self.ends_children = arg(key, input, flag)?,
            "tracer" => self.tracer = arg(key, input, value)?,
            "crate" => self.krate = arg(key, input, crate_path)?,
            "current" => self.current = arg(key, input, flag)?,
            "skip" => self.skip = arg(key, input, skip)?,
            _ => return Err(unknown(&key)),
        }
        Ok(())
    }

    fn parse_name(&mut self, key: Ident, input: ParseStream<'_>) -> Result<()> {
        if self.name.is_some() {
            let message = "duplicate argument `name`; give it once";
            return Err(Error::new(key.span(), message));
        }
        let value: Expr = value(&key, input)?;
        self.name = Some(match value {
            Expr::Lit(literal) => match literal.lit {
                syn::Lit::Str(text) => Name::Literal(not_empty(text)?),
                other => {
                    let message = "`name` takes text; write a string literal or an expression that gives text";
                    return Err(Error::new(other.span(), message));
                }
            },
            value => Name::Expr(key, value),
        });
        Ok(())
    }
}

fn skip_to_comma(input: ParseStream<'_>) -> Result<()> {
    skip_to(input, |input| input.peek(Token![,]))
}

fn skip_to(input: ParseStream<'_>, is_there: fn(ParseStream<'_>) -> bool) -> Result<()> {
    while !input.is_empty() && !is_there(input) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}

fn not_empty(name: LitStr) -> Result<LitStr> {
    if name.value().is_empty() {
        Err(Error::new(
            name.span(),
            "the name of a span must not be empty; say what the span does",
        ))
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

fn equals(key: &Ident, input: ParseStream<'_>) -> Result<()> {
    if input.peek(Token![=]) && !input.peek(Token![==]) {
        input.parse::<Token![=]>()?;
        if !input.is_empty() && !input.peek(Token![,]) {
            return Ok(());
        }
    }
    Err(Error::new(
        key.span(),
        format!("`{key}` needs a value; write `{key} = ..`"),
    ))
}

fn value(key: &Ident, input: ParseStream<'_>) -> Result<Expr> {
    equals(key, input)?;
    expression::parse(input)
}

/// `= ..`, as something else than an expression.
pub(crate) fn value_of<T: Parse>(key: &Ident, input: ParseStream<'_>) -> Result<T> {
    equals(key, input)?;
    input.parse()
}

pub(crate) fn flag(key: &Ident, input: ParseStream<'_>) -> Result<()> {
    if input.is_empty() || input.peek(Token![,]) {
        Ok(())
    } else {
        Err(Error::new(
            key.span(),
            format!("`{key}` takes no value; write `{key}`"),
        ))
    }
}

fn skip(key: &Ident, input: ParseStream<'_>) -> Result<()> {
    if input.peek(syn::token::Paren) {
        Err(Error::new(key.span(), foreign("skip").unwrap_or_default()))
    } else {
        flag(key, input)
    }
}

fn kind(key: &Ident, input: ParseStream<'_>) -> Result<Ident> {
    equals(key, input)?;
    let value: TokenTree = input.parse()?;
    let ident: Option<Ident> = syn::parse2(TokenStream::from(value.clone())).ok();
    match ident.filter(|ident| KINDS.iter().any(|kind| ident == kind)) {
        Some(kind) => Ok(kind),
        None => {
            let message = format!(
                "unknown span kind `{value}`; expected one of {}",
                quoted(&KINDS)
            );
            Err(Error::new(value.span(), message))
        }
    }
}

pub(crate) fn crate_path(key: &Ident, input: ParseStream<'_>) -> Result<Path> {
    equals(key, input)?;
    let start = input.span();
    let path = input.call(Path::parse_mod_style);
    path.map_err(|_| {
        let message = "`crate` takes a path to `enter_span`; write for example `crate = ::my_facade::enter_span`";
        Error::new(start, message)
    })
}

/// The content of `word( .. )`, item by item.
fn items<T: Parse>(key: &Ident, input: ParseStream<'_>) -> Result<Vec<T>> {
    if !input.peek(syn::token::Paren) {
        return Err(Error::new(
            key.span(),
            format!("`{key}` takes a list; write `{key}(..)`"),
        ));
    }
    let content;
    parenthesized!(content in input);
    each(&content, T::parse)
}

/// Items between commas. A fault in one costs the tokens up to the next comma.
pub(crate) fn each<T>(
    input: ParseStream<'_>,
    parse: impl Fn(ParseStream<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let mut errors = Errors::default();
    let mut items = Vec::new();
    while !input.is_empty() {
        let is_whole = match parse(input) {
            Ok(item) => {
                items.push(item);
                input.is_empty() || input.peek(Token![,])
            }
            Err(error) => {
                errors.push(error);
                true
            }
        };
        if !is_whole {
            errors.push(Error::new(input.span(), COMMA));
        }
        skip_to_comma(input)?;
        let _comma: Option<Token![,]> = input.parse()?;
    }
    errors.into_result().map(|()| items)
}

fn links(key: &Ident, input: ParseStream<'_>) -> Result<Vec<Expr>> {
    let links: Vec<expression::Checked> = items(key, input)?;
    Ok(links.into_iter().map(|link| link.0).collect())
}

fn list(key: &Ident, input: ParseStream<'_>) -> Result<Vec<Attribute>> {
    let attributes: Vec<Attribute> = items(key, input)?;
    unique(attributes.iter().filter_map(Attribute::key))?;
    Ok(attributes)
}

fn unique<'a>(keys: impl Iterator<Item = &'a Key>) -> Result<()> {
    let mut errors = Errors::default();
    let mut seen: Vec<String> = Vec::new();
    for key in keys {
        let text = key.written();
        if seen.contains(&text) {
            errors.push(Error::new(
                key.span(),
                format!("duplicate attribute key `{text}`; the last value would win, so give one"),
            ))
        } else {
            seen.push(text)
        }
    }
    errors.into_result()
}

fn projections(input: ParseStream<'_>) -> Result<Vec<Projection>> {
    if !input.peek(syn::token::Paren) {
        return if input.peek(Token![=]) {
            Err(input.error("`ret` takes no value; write `ret`, or `ret(key = |value| ..)`"))
        } else {
            Ok(Vec::new())
        };
    }
    let content;
    let paren = parenthesized!(content in input);
    let items: Vec<Projection> = each(&content, Projection::parse)?;
    if items.is_empty() {
        let message = "an empty `ret(..)` shows nothing; write `ret`, or `ret(key = |value| ..)`";
        return Err(Error::new(paren.span.join(), message));
    }
    unique(items.iter().map(|item| &item.key))?;
    Ok(items)
}

fn told(key: &Ident, input: ParseStream<'_>) -> Result<Told> {
    if !input.peek(Token![=]) {
        return if input.is_empty() || input.peek(Token![,]) {
            Ok(Told::Detail(Detail::Message))
        } else {
            Err(Error::new(key.span(), ERR))
        };
    }
    equals(key, input)?;
    if input.peek(Token![|]) {
        let bar = input.span();
        let closure: ExprClosure = input.parse()?;
        return match closure.inputs.len() {
            1 => Ok(Told::Judged(Box::new(closure))),
            _ => Err(Error::new(
                bar,
                "`err` takes a closure of one argument; write `err = |error| ..`",
            )),
        };
    }
    let word = input
        .call(Ident::parse_any)
        .map_err(|error| Error::new(error.span(), ERR))?;
    match word.to_string().as_str() {
        "message" => Ok(Told::Detail(Detail::Message)),
        "type" => Ok(Told::Detail(Detail::Type)),
        "status" => Ok(Told::Detail(Detail::Status)),
        "ignore" => Ok(Told::Ignore),
        "full" => Err(Error::new(
            word.span(),
            "a function cannot show more of an error than the installation allows; call `enter_span::set_error_detail(ErrorDetail::Full)` in the application",
        )),
        _ => Err(Error::new(word.span(), ERR)),
    }
}

const COMMA: &str = "missing comma; write `,` before this";

const ERR: &str = "`err` takes `message`, `type`, `status`, `ignore` or a closure; write for example `err = type`";

fn quoted(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    words.join(", ")
}

fn unknown(key: &Ident) -> Error {
    let word = key.unraw().to_string();
    let message = foreign(&word)
        .map(str::to_owned)
        .unwrap_or_else(|| match nearest(&word) {
            Some(known) => format!("unknown argument `{word}`; did you mean `{known}`?"),
            None => format!(
                "unknown argument `{word}`; expected one of {}; to record a value write `attributes({word})`",
                quoted(&KNOWN)
            ),
        });
    Error::new(key.span(), message)
}

/// What people bring with them from other libraries.
fn foreign(word: &str) -> Option<&'static str> {
    Some(match word {
        "skip" | "skip_all" => {
            "nothing is captured unless it is named, so there is nothing to skip; remove it"
        }
        "fields" | "attrs" | "properties" | "tags" => {
            "attributes are given in `attributes(..)`; write `attributes(key = value)`"
        }
        "level" => "spans have no level; use `when = ..` to make a span only sometimes",
        "target" | "tracer_name" => {
            "spans are recorded under the name of their crate; remove it, or write `tracer = ..`"
        }
        "follows_from" => "spans are linked with `links(..)`; write `links(other)`",
        "short_name" => "the function's own name is the default; remove it",
        "enter_on_poll" => {
            "the span of an `async fn` is one, whatever the number of polls; remove it"
        }
        _ => return None,
    })
}

fn nearest(word: &str) -> Option<&'static str> {
    let distances = KNOWN.iter().map(|known| (distance(word, known), *known));
    let (distance, known) = distances.min()?;
    (distance <= 2 && 2 * distance < known.len()).then_some(known)
}

/// Levenshtein's, with a swap of neighbours counted as one.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let changed = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = changed.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}
