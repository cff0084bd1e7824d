//! A struct whose fields become attributes: what is said of it, and what will be printed.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Error, Field, Fields, Generics, Ident, Item, ItemStruct, Path, Type};

use crate::args::Key;
use crate::errors::Errors;
use crate::field::{FieldOptions, Form, StructOptions};

/// A struct and the attributes that its fields are.
pub(crate) struct FactsPlan {
    pub(crate) krate: Option<Path>,
    pub(crate) name: Ident,
    pub(crate) generics: Generics,
    pub(crate) facts: Vec<Fact>,
}

/// One field.
pub(crate) struct Fact {
    pub(crate) field: Ident,
    pub(crate) ty: Type,
    pub(crate) way: FactWay,
    /// Its type names a type parameter, and so has to be asked for what the field needs.
    pub(crate) is_generic: bool,
}

pub(crate) enum FactWay {
    Value(Key),
    Display(Key),
    Debug(Key),
    Nested,
    Below(String),
}

/// `None` for what cannot be derived on at all.
pub(crate) fn plan(item: Item, errors: &mut Errors) -> Option<FactsPlan> {
    let (name, generics, found, remedy) = match item {
        Item::Struct(item) => return Some(of_struct(item, errors)),
        Item::Enum(item) => (
            item.ident,
            item.generics,
            item.enum_token.span(),
            "an `enum`; to make it one value implement `ToAttribute`, or show a field of it with `#[attributes(?)]`",
        ),
        Item::Union(item) => (
            item.ident,
            item.generics,
            item.union_token.span(),
            "a `union`, which does not know its field that is set; write a struct of what is to be told",
        ),
        _ => return None,
    };
    errors.push(wrong_item(found, remedy));
    Some(FactsPlan {
        krate: None,
        name,
        generics,
        facts: Vec::new(),
    })
}

fn wrong_item(place: Span, found: &str) -> Error {
    let message =
        format!("`#[derive(Attributes)]` goes on structs with named fields; found {found}");
    Error::new(place, message)
}

fn of_struct(item: ItemStruct, errors: &mut Errors) -> FactsPlan {
    let options = StructOptions::of(&item.attrs, errors);
    let prefix = options.prefix.as_deref();
    let parameters: Vec<Ident> = item
        .generics
        .type_params()
        .map(|parameter| parameter.ident.clone())
        .collect();
    let mut facts = Vec::new();
    match item.fields {
        Fields::Named(fields) => {
            let found = fields.named.into_iter();
            facts.extend(found.filter_map(|field| fact(field, prefix, &parameters, errors)));
        }
        Fields::Unnamed(fields) => errors.push(wrong_item(
            fields.paren_token.span.join(),
            "a tuple struct, whose fields have no names to be keys; name them, or implement `ToAttribute` for one value",
        )),
        Fields::Unit => errors.push(wrong_item(item.ident.span(), "a struct without fields, which has nothing to tell; remove the derive")),
    }
    check_keys(&facts, errors);
    FactsPlan {
        krate: options.krate,
        name: item.ident,
        generics: item.generics,
        facts,
    }
}

fn fact(
    field: Field,
    prefix: Option<&str>,
    parameters: &[Ident],
    errors: &mut Errors,
) -> Option<Fact> {
    let options = FieldOptions::of(&field.attrs, errors);
    let name = field.ident.filter(|_| !options.is_skipped)?;
    let key = key(options.key, &name, prefix);
    let way = match options.form {
        None => FactWay::Value(key),
        Some(Form::Display) => FactWay::Display(key),
        Some(Form::Debug) => FactWay::Debug(key),
        Some(Form::Nested(own)) => match below(prefix, own) {
            Some(prefix) => FactWay::Below(prefix),
            None => FactWay::Nested,
        },
    };
    Some(Fact {
        field: name,
        is_generic: names_one_of(&field.ty, parameters),
        ty: field.ty,
        way,
    })
}

/// Text is put below the prefix when this is compiled. A constant is whole.
fn key(said: Option<Key>, field: &Ident, prefix: Option<&str>) -> Key {
    let said = said.unwrap_or_else(|| Key::Text(field.unraw().to_string(), field.span()));
    match (said, prefix) {
        (Key::Text(text, place), Some(prefix)) => Key::Text(format!("{prefix}.{text}"), place),
        (said, _) => said,
    }
}

fn below(prefix: Option<&str>, own: Option<String>) -> Option<String> {
    match (prefix, own) {
        (Some(prefix), Some(own)) => Some(format!("{prefix}.{own}")),
        (prefix, own) => own.or_else(|| prefix.map(str::to_owned)),
    }
}

fn names_one_of(ty: &Type, parameters: &[Ident]) -> bool {
    fn any(tokens: TokenStream, parameters: &[Ident]) -> bool {
        tokens.into_iter().any(|tree| match tree {
            TokenTree::Ident(ident) => parameters.contains(&ident),
            TokenTree::Group(group) => any(group.stream(), parameters),
            _ => false,
        })
    }
    any(quote::ToTokens::to_token_stream(ty), parameters)
}

impl FactWay {
    pub(crate) fn key(&self) -> Option<&Key> {
        match self {
            FactWay::Value(key) | FactWay::Display(key) | FactWay::Debug(key) => Some(key),
            FactWay::Nested | FactWay::Below(_) => None,
        }
    }
}

fn check_keys(facts: &[Fact], errors: &mut Errors) {
    let mut seen: Vec<String> = Vec::new();
    for key in facts.iter().filter_map(|fact| fact.way.key()) {
        let text = key.written();
        if seen.contains(&text) {
            errors.push(Error::new(
            key.span(),
            format!("duplicate attribute key `{text}`; the last value would win, so rename one with `#[attributes(key = ..)]`"),
        ))
        } else {
            seen.push(text)
        }
    }
}
