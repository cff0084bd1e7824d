//! The value of one argument: `= ..`, nothing, or a word.

use proc_macro2::TokenTree;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Expr, ExprClosure, Ident, Path, Result, Token};

use crate::syntax::expression::{self, PlainExpr};
use crate::syntax::list;
use crate::syntax::suggestion;

/// The kinds of spans, and their variants; the first is the default.
const KINDS: [(&str, Option<&str>); 5] = [
    ("internal", None),
    ("server", Some("Server")),
    ("client", Some("Client")),
    ("producer", Some("Producer")),
    ("consumer", Some("Consumer")),
];

/// How much of an error is recorded, and which `Err` is a failure.
#[derive(Clone)]
pub(crate) enum ErrorPolicy {
    /// A variant of `ErrorDetail`.
    Detail(&'static str),
    Ignore,
    JudgedBy(Box<ExprClosure>),
}

fn equals(key: &Ident, input: ParseStream<'_>) -> Result<()> {
    if input.peek(Token![=]) && !input.peek(Token![==]) {
        input.parse::<Token![=]>()?;
        if !input.is_empty() && !input.peek(Token![,]) {
            return Ok(());
        }
    }
    let message = format!("`{key}` needs a value; write `{key} = ..`");
    Err(Error::new(key.span(), message))
}

pub(crate) fn expression(key: &Ident, input: ParseStream<'_>) -> Result<Expr> {
    equals(key, input)?;
    expression::parse(input)
}

/// The type of `None` is open, so it cannot be a parent.
pub(crate) fn parent(key: &Ident, input: ParseStream<'_>) -> Result<Expr> {
    let parent = expression(key, input)?;
    match &parent {
        Expr::Path(path) if path.path.is_ident("None") => {
            let message = "a span without a parent starts a trace; write `root`";
            Err(Error::new_spanned(&parent, message))
        }
        _ => Ok(parent),
    }
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
        let message = format!("`{key}` takes no value; write `{key}`");
        Err(Error::new(key.span(), message))
    }
}

pub(crate) fn skip(key: &Ident, input: ParseStream<'_>) -> Result<()> {
    if input.peek(syn::token::Paren) {
        let message = suggestion::foreign("skip").unwrap_or_default();
        Err(Error::new(key.span(), message))
    } else {
        flag(key, input)
    }
}

pub(crate) fn kind(key: &Ident, input: ParseStream<'_>) -> Result<Option<&'static str>> {
    equals(key, input)?;
    let value: TokenTree = input.parse()?;
    let ident: Option<Ident> = syn::parse2(value.clone().into()).ok();
    let known = ident.and_then(|ident| KINDS.iter().find(|(kind, _)| ident == kind));
    known.map(|(_, variant)| *variant).ok_or_else(|| {
        let kinds = suggestion::quoted(KINDS.map(|(kind, _)| kind));
        let message = format!("unknown span kind `{value}`; expected one of {kinds}");
        Error::new(value.span(), message)
    })
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

pub(crate) fn links(key: &Ident, input: ParseStream<'_>) -> Result<Vec<Expr>> {
    let links: Vec<PlainExpr> = list::items(key, input)?;
    Ok(links.into_iter().map(|link| link.0).collect())
}

pub(crate) fn error_policy(key: &Ident, input: ParseStream<'_>) -> Result<ErrorPolicy> {
    if !input.peek(Token![=]) {
        return if input.is_empty() || input.peek(Token![,]) {
            Ok(ErrorPolicy::Detail("Message"))
        } else if input.peek(syn::token::Paren) {
            Err(Error::new(key.span(), ERR_LIST))
        } else {
            Err(Error::new(key.span(), ERR))
        };
    }
    equals(key, input)?;
    if input.peek(Token![|]) {
        let bar = input.span();
        let closure: ExprClosure = input.parse()?;
        if closure.inputs.len() == 1 {
            return Ok(ErrorPolicy::JudgedBy(Box::new(closure)));
        }
        let message = "`err` takes a closure of one argument; write `err = |error| ..`";
        return Err(Error::new(bar, message));
    }
    let word = input
        .call(Ident::parse_any)
        .map_err(|error| Error::new(error.span(), ERR))?;
    match word.to_string().as_str() {
        "message" => Ok(ErrorPolicy::Detail("Message")),
        "type" => Ok(ErrorPolicy::Detail("Type")),
        "status" => Ok(ErrorPolicy::Detail("Status")),
        "ignore" => Ok(ErrorPolicy::Ignore),
        "full" => {
            let message = "a function cannot show more of an error than the installation allows; call `enter_span::set_error_detail(ErrorDetail::Full)` in the application";
            Err(Error::new(word.span(), message))
        }
        _ => Err(Error::new(word.span(), ERR)),
    }
}

const ERR_LIST: &str = "`err` takes no list; write `err` for the `Display` text of the error, or for example `err = type`";

const ERR: &str = "`err` takes `message`, `type`, `status`, `ignore` or a closure; write for example `err = type`";
