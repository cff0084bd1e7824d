//! What can be read from a returned type, apart from the work its values do later.

use proc_macro2::{Ident, Span};
use quote::ToTokens as _;
use syn::{
    GenericArgument, PathArguments, PathSegment, ReturnType, Type, TypeParamBound, TypePath,
};

/// `impl Fn(..)` and its relatives.
pub(crate) fn is_closure(ty: &Type) -> bool {
    let is_closure_trait = |name: &str| {
        let name = name.strip_prefix("Async").unwrap_or(name);
        ["Fn", "FnMut", "FnOnce"].contains(&name)
    };
    let closure = |bound: &TypeParamBound| match bound {
        TypeParamBound::Trait(bound) => {
            let name = bound.path.segments.last();
            name.is_some_and(|name| is_closure_trait(&name.ident.to_string()))
        }
        _ => false,
    };
    match ty {
        Type::ImplTrait(opaque) => opaque.bounds.iter().any(closure),
        Type::Paren(inner) => is_closure(&inner.elem),
        Type::Group(inner) => is_closure(&inner.elem),
        _ => false,
    }
}

/// A closure finds the types of its arguments in the signature, and would not through one of ours.
pub(crate) fn returns_closure(output: &ReturnType) -> bool {
    match output {
        ReturnType::Type(_, ty) => is_closure(ty),
        ReturnType::Default => false,
    }
}

pub(crate) fn never_returns(output: &ReturnType) -> bool {
    matches!(output, ReturnType::Type(_, ty) if matches!(**ty, Type::Never(_)))
}

/// `()` and `!`.
pub(crate) fn returns_nothing(output: &ReturnType) -> bool {
    match output {
        ReturnType::Default => true,
        ReturnType::Type(_, ty) => is_never_or_nothing(ty),
    }
}

pub(crate) fn is_never_or_nothing(ty: &Type) -> bool {
    match ty {
        Type::Never(_) => true,
        Type::Tuple(tuple) => tuple.elems.is_empty(),
        _ => false,
    }
}

/// Whether the type can be written outside of a signature.
pub(crate) fn is_nameable(ty: &Type) -> bool {
    let words = ty.to_token_stream().to_string();
    !words.split_whitespace().any(|word| word == "impl")
}

/// A `dyn Trait + 'a`, which is not `'static`.
pub(crate) fn holds_borrowing_object(ty: &Type) -> bool {
    let words = ty.to_token_stream().to_string();
    let borrows = words
        .split('\'')
        .skip(1)
        .any(|lifetime| !lifetime.trim_start().starts_with("static"));
    borrows && words.split_whitespace().any(|word| word == "dyn")
}

/// Whether a value of this type could be polled later, which the compiler decides: everything but what
/// nobody can implement a foreign trait for.
pub(crate) fn may_be_polled(ty: &Type) -> bool {
    match ty {
        Type::Group(inner) => may_be_polled(&inner.elem),
        Type::Paren(inner) => may_be_polled(&inner.elem),
        Type::Reference(inner) => may_be_polled(&inner.elem),
        Type::Path(path) => !path.path.get_ident().is_some_and(is_primitive),
        Type::ImplTrait(_) | Type::Macro(_) => true,
        _ => false,
    }
}

fn is_primitive(name: &Ident) -> bool {
    const PRIMITIVES: [&str; 17] = [
        "bool", "char", "f32", "f64", "i128", "i16", "i32", "i64", "i8", "isize", "str", "u128",
        "u16", "u32", "u64", "u8", "usize",
    ];
    PRIMITIVES.iter().any(|primitive| name == primitive)
}

/// The returned type, without what only a signature may hold.
///
/// Input: `Result<impl Iterator<Item = u8>, E>`
///
/// Output: `Result<_, E>`
pub(crate) fn nameable(output: &ReturnType, function: Span) -> Type {
    match output {
        ReturnType::Default => {
            let place = Span::mixed_site().located_at(function);
            Type::Tuple(syn::parse_quote_spanned!(place=> ()))
        }
        ReturnType::Type(_, ty) => {
            let mut ty = (**ty).clone();
            erase_opaque(&mut ty);
            ty
        }
    }
}

pub(crate) fn erase_opaque(ty: &mut Type) {
    match ty {
        Type::ImplTrait(_) => *ty = Type::Infer(syn::parse_quote!(_)),
        Type::Array(inner) => erase_opaque(&mut inner.elem),
        Type::Group(inner) => erase_opaque(&mut inner.elem),
        Type::Paren(inner) => erase_opaque(&mut inner.elem),
        Type::Ptr(inner) => erase_opaque(&mut inner.elem),
        Type::Reference(inner) => erase_opaque(&mut inner.elem),
        Type::Slice(inner) => erase_opaque(&mut inner.elem),
        Type::Tuple(tuple) => tuple.elems.iter_mut().for_each(erase_opaque),
        Type::Path(path) => {
            let segments = path.path.segments.iter_mut();
            segments.for_each(|segment| erase_opaque_arguments(&mut segment.arguments));
        }
        Type::TraitObject(object) => {
            for bound in &mut object.bounds {
                if let TypeParamBound::Trait(bound) = bound {
                    let segments = bound.path.segments.iter_mut();
                    segments.for_each(|segment| erase_opaque_arguments(&mut segment.arguments));
                }
            }
        }
        _ => {}
    }
}

fn erase_opaque_arguments(arguments: &mut PathArguments) {
    if let PathArguments::AngleBracketed(arguments) = arguments {
        for argument in &mut arguments.args {
            match argument {
                GenericArgument::Type(ty) => erase_opaque(ty),
                GenericArgument::AssocType(assoc) => erase_opaque(&mut assoc.ty),
                _ => {}
            }
        }
    }
}

pub(crate) fn last(path: &TypePath) -> Option<&PathSegment> {
    path.path.segments.last()
}

pub(crate) fn argument(segment: &PathSegment) -> Option<&Type> {
    arguments(segment).next()
}

pub(crate) fn arguments(segment: &PathSegment) -> impl Iterator<Item = &Type> {
    let arguments = match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => Some(&arguments.args),
        _ => None,
    };
    arguments
        .into_iter()
        .flatten()
        .filter_map(|argument| match argument {
            GenericArgument::Type(ty) => Some(ty),
            _ => None,
        })
}
