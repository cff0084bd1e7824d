//! The plan of a struct whose fields become attributes.
//!
//! The macro puts a struct's own prefix before its keys, which stay constants. A field's prefix is
//! added at run time, since the keys of a nested struct are known only in its own implementation:
//! below a prefix each key is allocated.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Error, Field, Fields, Generics, Ident, Item, ItemStruct, Path, Type};

use crate::errors::Errors;
use crate::syntax::derive_options::{FieldForm, FieldOptions, StructOptions};
use crate::syntax::key::{Key, check_unique};

/// A struct and its fields.
pub(crate) struct DerivePlan {
    pub(crate) krate: Option<Path>,
    pub(crate) name: Ident,
    pub(crate) generics: Generics,
    pub(crate) fields: Vec<FieldPlan>,
}

/// One field.
pub(crate) struct FieldPlan {
    pub(crate) name: Ident,
    pub(crate) ty: Type,
    pub(crate) kind: FieldKind,
    /// Its type names a type parameter, and so needs a bound for what is recorded.
    pub(crate) is_generic: bool,
}

pub(crate) enum FieldKind {
    Value(Key),
    Display(Key),
    Debug(Key),
    Nested,
    Below(String),
}

/// `None` for what cannot be derived on at all.
pub(crate) fn plan(item: Item, errors: &mut Errors) -> Option<DerivePlan> {
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
    Some(DerivePlan {
        krate: None,
        name,
        generics,
        fields: Vec::new(),
    })
}

fn wrong_item(place: Span, found: &str) -> Error {
    let message =
        format!("`#[derive(Attributes)]` goes on structs with named fields; found {found}");
    Error::new(place, message)
}

fn of_struct(item: ItemStruct, errors: &mut Errors) -> DerivePlan {
    let options = StructOptions::of(&item.attrs, errors);
    let prefix = options.prefix.as_deref();
    let parameters: Vec<Ident> = item
        .generics
        .type_params()
        .map(|parameter| parameter.ident.clone())
        .collect();
    let mut fields = Vec::new();
    match item.fields {
        Fields::Named(named) => {
            let found = named.named.into_iter();
            fields.extend(found.filter_map(|field| plan_field(field, prefix, &parameters, errors)));
        }
        Fields::Unnamed(unnamed) => errors.push(wrong_item(
            unnamed.paren_token.span.join(),
            "a tuple struct, whose fields have no names to be keys; name them, or implement `ToAttribute` for one value",
        )),
        Fields::Unit => errors.push(wrong_item(item.ident.span(), "a struct without fields, which has nothing to tell; remove the derive")),
    }
    let keys = fields.iter().filter_map(|field| field.kind.key());
    check_unique(keys, "rename one with `#[attributes(key = ..)]`", errors);
    DerivePlan {
        krate: options.krate,
        name: item.ident,
        generics: item.generics,
        fields,
    }
}

fn plan_field(
    field: Field,
    prefix: Option<&str>,
    parameters: &[Ident],
    errors: &mut Errors,
) -> Option<FieldPlan> {
    let options = FieldOptions::of(&field.attrs, errors);
    let name = field.ident.filter(|_| !options.is_skipped)?;
    let key = key(options.key, &name, prefix);
    let kind = match options.form {
        None => FieldKind::Value(key),
        Some(FieldForm::Display) => FieldKind::Display(key),
        Some(FieldForm::Debug) => FieldKind::Debug(key),
        Some(FieldForm::Nested(own)) => match below(prefix, own) {
            Some(prefix) => FieldKind::Below(prefix),
            None => FieldKind::Nested,
        },
    };
    Some(FieldPlan {
        name,
        is_generic: names_one_of(&field.ty, parameters),
        ty: field.ty,
        kind,
    })
}

/// The prefix is put before text at compile time. A constant is a whole key.
fn key(own: Option<Key>, field: &Ident, prefix: Option<&str>) -> Key {
    let own = own.unwrap_or_else(|| Key::Text(field.unraw().to_string(), field.span()));
    match (own, prefix) {
        (Key::Text(text, place), Some(prefix)) => Key::Text(format!("{prefix}.{text}"), place),
        (own, _) => own,
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

impl FieldKind {
    pub(crate) fn key(&self) -> Option<&Key> {
        match self {
            FieldKind::Value(key) | FieldKind::Display(key) | FieldKind::Debug(key) => Some(key),
            FieldKind::Nested | FieldKind::Below(_) => None,
        }
    }
}
