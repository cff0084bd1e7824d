//! The options of `#[derive(Attributes)]`: `#[attributes(..)]` on the struct and on its fields.

use proc_macro2::{Punct, Span, TokenStream};
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned as _;
use syn::{Attribute, Error, Ident, Meta, Path, Result, Token};

use crate::errors::Errors;
use crate::syntax::key::Key;
use crate::syntax::{list, value};

const OF_FIELD: &str =
    "`key = ..`, `%`, `?`, `nested`, `prefix = ..` (nested, below a prefix) or `skip`";
const OF_STRUCT: &str = "`prefix = ..` or `crate = ..`";

/// The options of a struct.
#[derive(Default)]
pub(crate) struct StructOptions {
    pub(crate) prefix: Option<String>,
    pub(crate) krate: Option<Path>,
}

/// The options of a field.
#[derive(Default)]
pub(crate) struct FieldOptions {
    pub(crate) key: Option<Key>,
    pub(crate) form: Option<FieldForm>,
    pub(crate) is_skipped: bool,
}

/// What is recorded of a field, if not its value.
pub(crate) enum FieldForm {
    Display,
    Debug,
    /// The attributes of its own struct, below a prefix if there is one.
    Nested(Option<String>),
}

/// One option, and the place where mistakes are reported.
struct DeriveOption {
    text: String,
    place: Span,
    value: OptionValue,
}

enum OptionValue {
    Key(Key),
    Form(FieldForm),
    Prefix(String),
    Crate(Path),
    Skip,
}

impl StructOptions {
    pub(crate) fn of(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let mut options = StructOptions::default();
        for option in all_options(attrs, OF_STRUCT, errors) {
            match option.value {
                OptionValue::Prefix(prefix) => options.prefix = Some(prefix),
                OptionValue::Crate(krate) => options.krate = Some(krate),
                _ => errors.push(unknown(&option.text, option.place, OF_STRUCT)),
            }
        }
        options
    }
}

impl FieldOptions {
    pub(crate) fn of(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let written = all_options(attrs, OF_FIELD, errors);
        if let Some(error) = conflict(&written) {
            errors.push(error);
        }
        let mut options = FieldOptions::default();
        for option in written {
            match option.value {
                OptionValue::Key(key) => options.key = Some(key),
                OptionValue::Form(FieldForm::Nested(None)) if options.form.is_some() => {}
                OptionValue::Form(form) => options.form = Some(form),
                OptionValue::Prefix(prefix) => options.form = Some(FieldForm::Nested(Some(prefix))),
                OptionValue::Skip => options.is_skipped = true,
                OptionValue::Crate(_) => errors.push(unknown(&option.text, option.place, OF_FIELD)),
            }
        }
        options
    }
}

/// The first two options of a field that contradict each other.
fn conflict(options: &[DeriveOption]) -> Option<Error> {
    let first = |names: &[&str]| options.iter().find(|one| names.contains(&&*one.text));
    let pair = |a: &[&str], b: &[&str]| Some((first(a)?, first(b)?));
    let (other, message) = if let Some((_, other)) =
        pair(&["skip"], &["key", "%", "?", "nested", "prefix"])
    {
        let message = format!(
            "`skip` leaves the field out, so `{}` says nothing; remove one of them",
            other.text
        );
        (other, message)
    } else if let Some((nested, other)) = pair(&["nested", "prefix"], &["key", "%", "?"]) {
        let message = format!(
            "`{}` is for a field that is one attribute, and `{}` says that this one has attributes of its own; remove one of them",
            other.text, nested.text
        );
        (other, message)
    } else {
        let (_, debug) = pair(&["%"], &["?"])?;
        let message = "`%` is the `Display` text and `?` the `Debug` text; remove one of them";
        (debug, message.to_owned())
    };
    Some(Error::new(other.place, message))
}

/// All options of `#[attributes(..)]`, each once.
fn all_options(attrs: &[Attribute], known: &'static str, errors: &mut Errors) -> Vec<DeriveOption> {
    let mut options: Vec<DeriveOption> = Vec::new();
    let ours = |attr: &&Attribute| attr.path().is_ident("attributes");
    for attr in attrs.iter().filter(ours) {
        let Meta::List(list) = &attr.meta else {
            let message =
                format!("the options stand in parentheses; write `#[attributes(..)]` with {known}");
            errors.push(Error::new(attr.path().span(), message));
            continue;
        };
        let tokens: TokenStream = list.tokens.clone();
        let parser = |input: ParseStream<'_>| list::each(input, |input| option(input, known));
        let found = errors.keep(syn::parse::Parser::parse2(parser, tokens));
        for option in found.into_iter().flatten() {
            if options.iter().any(|other| other.text == option.text) {
                errors.push(twice(&option))
            } else {
                options.push(option)
            }
        }
    }
    options
}

fn twice(option: &DeriveOption) -> Error {
    let message = format!("duplicate option `{}`; give it once", option.text);
    Error::new(option.place, message)
}

fn unknown(option: &str, place: Span, known: &str) -> Error {
    let message = format!("unknown option `{option}`; expected {known}");
    Error::new(place, message)
}

fn option(input: ParseStream<'_>, known: &str) -> Result<DeriveOption> {
    let place = input.span();
    if input.peek(Token![%]) || input.peek(Token![?]) {
        let sigil: Punct = input.parse()?;
        return sigil_alone(&sigil, input, place);
    }
    let key = input.call(Ident::parse_any).map_err(|error| {
        let message = format!("expected an option: {known}");
        Error::new(error.span(), message)
    })?;
    let text = key.to_string();
    let value = match text.as_str() {
        "key" => OptionValue::Key(value::value_of(&key, input)?),
        "prefix" => OptionValue::Prefix(value::value_of::<Prefix>(&key, input)?.0),
        "crate" => OptionValue::Crate(value::crate_path(&key, input)?),
        "nested" => {
            value::flag(&key, input)?;
            OptionValue::Form(FieldForm::Nested(None))
        }
        "skip" => {
            value::flag(&key, input)?;
            OptionValue::Skip
        }
        _ => return Err(unknown(&text, place, known)),
    };
    Ok(DeriveOption { text, place, value })
}

fn sigil_alone(sigil: &Punct, input: ParseStream<'_>, place: Span) -> Result<DeriveOption> {
    let text = sigil.as_char().to_string();
    if !input.is_empty() && !input.peek(Token![,]) {
        let message = format!(
            "`{text}` stands alone here, for the value of the field; write `#[attributes({text})]`"
        );
        return Err(Error::new(place, message));
    }
    let form = match sigil.as_char() {
        '%' => FieldForm::Display,
        _ => FieldForm::Debug,
    };
    Ok(DeriveOption {
        text,
        place,
        value: OptionValue::Form(form),
    })
}

/// `order`, `"order"`, `shop.order`
struct Prefix(String);

impl Parse for Prefix {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        match input.parse()? {
            Key::Text(text, place) if text.ends_with('.') => {
                let message = format!(
                    "a dot comes after the prefix by itself; write `prefix = \"{}\"`",
                    text.trim_end_matches('.')
                );
                Err(Error::new(place, message))
            }
            Key::Text(text, _) => Ok(Prefix(text)),
            Key::Constant(path) => {
                let message = "a prefix is text, since keys are put together when this is compiled; write `prefix = \"..\"`";
                Err(Error::new(path.span(), message))
            }
        }
    }
}
