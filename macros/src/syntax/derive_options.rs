//! The options of `#[derive(Attributes)]`: `#[attributes(..)]` on the struct and on its fields.

use proc_macro2::{Punct, Span, TokenStream};
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned as _;
use syn::{Attribute, Error, Ident, Meta, Path, Result, Token};

use crate::args::{self, Key};
use crate::errors::Errors;

const OF_FIELD: &str =
    "`key = ..`, `%`, `?`, `nested`, `prefix = ..` (nested, below a prefix) or `skip`";
const OF_STRUCT: &str = "`prefix = ..` or `crate = ..`";

/// What is said of a struct.
#[derive(Default)]
pub(crate) struct StructOptions {
    pub(crate) prefix: Option<String>,
    pub(crate) krate: Option<Path>,
}

/// What is said of a field.
#[derive(Default)]
pub(crate) struct FieldOptions {
    pub(crate) key: Option<Key>,
    pub(crate) form: Option<Form>,
    pub(crate) is_skipped: bool,
}

/// What of a field is written, if not its value.
pub(crate) enum Form {
    Display,
    Debug,
    /// The attributes of its own struct, below a prefix if there is one.
    Nested(Option<String>),
}

/// One option, and the token that faults point at.
struct Word {
    text: String,
    place: Span,
    said: Said,
}

enum Said {
    Key(Key),
    Form(Form),
    Prefix(String),
    Crate(Path),
    Skip,
}

impl StructOptions {
    pub(crate) fn of(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let mut options = StructOptions::default();
        for word in words(attrs, OF_STRUCT, errors) {
            match word.said {
                Said::Prefix(prefix) => options.prefix = Some(prefix),
                Said::Crate(krate) => options.krate = Some(krate),
                _ => errors.push(unknown(&word.text, word.place, OF_STRUCT)),
            }
        }
        options
    }
}

impl FieldOptions {
    pub(crate) fn of(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let words = words(attrs, OF_FIELD, errors);
        if let Some(error) = conflict(&words) {
            errors.push(error);
        }
        let mut options = FieldOptions::default();
        for word in words {
            match word.said {
                Said::Key(key) => options.key = Some(key),
                Said::Form(Form::Nested(None)) if options.form.is_some() => {}
                Said::Form(form) => options.form = Some(form),
                Said::Prefix(prefix) => options.form = Some(Form::Nested(Some(prefix))),
                Said::Skip => options.is_skipped = true,
                Said::Crate(_) => errors.push(unknown(&word.text, word.place, OF_FIELD)),
            }
        }
        options
    }
}

/// The first two options of a field that contradict each other.
fn conflict(words: &[Word]) -> Option<Error> {
    let has = |wanted: &[&str]| words.iter().find(|word| wanted.contains(&&*word.text));
    let pair = |a: &[&str], b: &[&str]| Some((has(a)?, has(b)?));
    let message = |word: &Word, why: String| Some(Error::new(word.place, why));
    if let Some((_, other)) = pair(&["skip"], &["key", "%", "?", "nested", "prefix"]) {
        let other_text = &other.text;
        return message(
            other,
            format!(
                "`skip` leaves the field out, so `{other_text}` says nothing; remove one of them"
            ),
        );
    }
    if let Some((nested, other)) = pair(&["nested", "prefix"], &["key", "%", "?"]) {
        let (nested, other_text) = (&nested.text, &other.text);
        return message(
            other,
            format!(
                "`{other_text}` is for a field that is one attribute, and `{nested}` says that this one has attributes of its own; remove one of them"
            ),
        );
    }
    let (_, debug) = pair(&["%"], &["?"])?;
    message(
        debug,
        "`%` is the `Display` text and `?` the `Debug` text; remove one of them".to_owned(),
    )
}

/// All options of `#[attributes(..)]`, each once.
fn words(attrs: &[Attribute], known: &'static str, errors: &mut Errors) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    for attr in attrs
        .iter()
        .filter(|attr| attr.path().is_ident("attributes"))
    {
        let Meta::List(list) = &attr.meta else {
            let message =
                format!("the options stand in parentheses; write `#[attributes(..)]` with {known}");
            errors.push(Error::new(attr.path().span(), message));
            continue;
        };
        let tokens: TokenStream = list.tokens.clone();
        let parser = |input: ParseStream<'_>| args::each(input, |input| word(input, known));
        let found = errors.keep(syn::parse::Parser::parse2(parser, tokens));
        for word in found.into_iter().flatten() {
            if words.iter().any(|other| other.text == word.text) {
                errors.push(twice(&word))
            } else {
                words.push(word)
            }
        }
    }
    words
}

fn twice(word: &Word) -> Error {
    let message = format!("duplicate option `{}`; give it once", word.text);
    Error::new(word.place, message)
}

fn unknown(word: &str, place: Span, known: &str) -> Error {
    let message = format!("unknown option `{word}`; expected {known}");
    Error::new(place, message)
}

fn word(input: ParseStream<'_>, known: &str) -> Result<Word> {
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
    let said = match text.as_str() {
        "key" => Said::Key(args::value_of(&key, input)?),
        "prefix" => Said::Prefix(args::value_of::<Prefix>(&key, input)?.0),
        "crate" => Said::Crate(args::crate_path(&key, input)?),
        "nested" => {
            args::flag(&key, input)?;
            Said::Form(Form::Nested(None))
        }
        "skip" => {
            args::flag(&key, input)?;
            Said::Skip
        }
        _ => return Err(unknown(&text, place, known)),
    };
    Ok(Word { text, place, said })
}

fn sigil_alone(sigil: &Punct, input: ParseStream<'_>, place: Span) -> Result<Word> {
    let text = sigil.as_char().to_string();
    if !input.is_empty() && !input.peek(Token![,]) {
        let message = format!(
            "`{text}` stands alone here, for the value of the field; write `#[attributes({text})]`"
        );
        return Err(Error::new(place, message));
    }
    let form = match sigil.as_char() {
        '%' => Form::Display,
        _ => Form::Debug,
    };
    Ok(Word {
        text,
        place,
        said: Said::Form(form),
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
