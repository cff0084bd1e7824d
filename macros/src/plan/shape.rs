//! What a function gives back, as far as its signature says it.

use proc_macro2::{Ident, Span};
use quote::ToTokens as _;
use syn::{
    GenericArgument, PathArguments, PathSegment, ReturnType, Type, TypeParamBound, TypePath,
    TypeTraitObject,
};

/// How a function does its work.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// At the call.
    Sync,
    /// As an `async fn`, and then in what that gives, if it is a future or stream.
    Async(Option<Later>),
    /// In a future or stream that it returns.
    Later(Later),
}

/// Work that is done after a function has returned.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Later {
    pub(crate) work: Work,
    pub(crate) form: Form,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    Future,
    Stream,
}

/// How the returned future or stream is put into the span.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `impl Future`, whose type may be another one.
    Opaque,
    /// `impl IntoFuture`, which has to become one first.
    Convertible,
    /// `Pin<Box<dyn Future>>`, `Box<dyn Future>`, or an alias of these, whose type has to stay.
    Boxed,
}

/// The future or stream that a type is spelled as.
pub(crate) fn later(ty: &Type) -> Option<Later> {
    match ty {
        Type::ImplTrait(opaque) => opaque.bounds.iter().find_map(opaque_work),
        Type::Paren(inner) => later(&inner.elem),
        Type::Group(inner) => later(&inner.elem),
        Type::Path(path) => Some(Later {
            work: boxed(last(path)?)?,
            form: Form::Boxed,
        }),
        _ => None,
    }
}

fn opaque_work(bound: &TypeParamBound) -> Option<Later> {
    let TypeParamBound::Trait(bound) = bound else {
        return None;
    };
    let name = bound.path.segments.last()?.ident.to_string();
    let (work, form) = match name.as_str() {
        "Future" | "FusedFuture" | "TryFuture" => (Work::Future, Form::Opaque),
        "IntoFuture" => (Work::Future, Form::Convertible),
        "Stream" | "FusedStream" | "TryStream" => (Work::Stream, Form::Opaque),
        _ => return None,
    };
    Some(Later { work, form })
}

fn boxed(segment: &PathSegment) -> Option<Work> {
    match segment.ident.to_string().as_str() {
        "BoxFuture" | "LocalBoxFuture" => Some(Work::Future),
        "BoxStream" | "LocalBoxStream" => Some(Work::Stream),
        "Pin" => match argument(segment)? {
            Type::Path(path) => in_box(last(path)?),
            _ => None,
        },
        _ => in_box(segment),
    }
}

fn in_box(segment: &PathSegment) -> Option<Work> {
    if segment.ident != "Box" {
        return None;
    }
    match argument(segment)? {
        Type::TraitObject(object) => object_work(object),
        Type::Paren(inner) => match &*inner.elem {
            Type::TraitObject(object) => object_work(object),
            _ => None,
        },
        _ => None,
    }
}

/// A box stays what it is, so it is put into the span only where the runtime knows what that is.
fn object_work(object: &TypeTraitObject) -> Option<Work> {
    let mut found = None;
    for bound in &object.bounds {
        let TypeParamBound::Trait(bound) = bound else {
            continue;
        };
        match bound.path.segments.last()?.ident.to_string().as_str() {
            "Future" => found = Some(Work::Future),
            "Stream" => found = Some(Work::Stream),
            "Send" | "Sync" | "Unpin" => {}
            _ => return None,
        }
    }
    found
}

pub(crate) fn last(path: &TypePath) -> Option<&PathSegment> {
    path.path.segments.last()
}

fn argument(segment: &PathSegment) -> Option<&Type> {
    arguments(segment).next()
}

fn arguments(segment: &PathSegment) -> impl Iterator<Item = &Type> {
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

/// A future or stream inside of another type, whose work no wrapper can reach.
pub(crate) fn out_of_reach(ty: &Type) -> Option<&Type> {
    let inner: Vec<&Type> = match ty {
        Type::Tuple(tuple) => tuple.elems.iter().collect(),
        Type::Paren(inner) => return out_of_reach(&inner.elem),
        Type::Group(inner) => return out_of_reach(&inner.elem),
        Type::Path(path) => match last(path) {
            Some(segment) if segment.ident == "Option" || segment.ident == "Result" => {
                arguments(segment).collect()
            }
            _ => Vec::new(),
        },
        _ => Vec::new(),
    };
    inner.into_iter().find_map(|inner| match later(inner) {
        Some(_) => Some(inner),
        None => out_of_reach(inner),
    })
}

/// `T` of `impl Future<Output = T>` or `Pin<Box<dyn Future<Output = T>>>`, as far as it can be
/// written.
pub(crate) fn future_output(ty: &Type) -> Option<Type> {
    let bounds = match ty {
        Type::ImplTrait(opaque) => &opaque.bounds,
        Type::TraitObject(object) => &object.bounds,
        Type::Paren(inner) => return future_output(&inner.elem),
        Type::Group(inner) => return future_output(&inner.elem),
        Type::Path(path) => return future_output(argument(last(path)?)?),
        _ => return None,
    };
    let named = |bound: &TypeParamBound| match bound {
        TypeParamBound::Trait(bound) => output_of(bound.path.segments.last()?),
        _ => None,
    };
    let mut output = bounds.iter().find_map(named)?;
    erase_opaque(&mut output);
    Some(output)
}

fn output_of(segment: &PathSegment) -> Option<Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return None;
    };
    let given = |name: &str| {
        arguments.args.iter().find_map(|argument| match argument {
            GenericArgument::AssocType(assoc) if assoc.ident == name => Some(assoc.ty.clone()),
            _ => None,
        })
    };
    match segment.ident.to_string().as_str() {
        "Future" | "FusedFuture" | "IntoFuture" => given("Output"),
        "TryFuture" => {
            let (ok, error) = (given("Ok")?, given("Error")?);
            Some(syn::parse_quote!(::core::result::Result<#ok, #error>))
        }
        _ => None,
    }
}

/// `impl Fn(..)` and its relatives.
pub(crate) fn is_closure(ty: &Type) -> bool {
    const CLOSURES: [&str; 6] = [
        "Fn",
        "FnMut",
        "FnOnce",
        "AsyncFn",
        "AsyncFnMut",
        "AsyncFnOnce",
    ];
    let closure = |bound: &TypeParamBound| match bound {
        TypeParamBound::Trait(bound) => {
            let name = bound.path.segments.last();
            name.is_some_and(|name| CLOSURES.iter().any(|closure| name.ident == closure))
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

fn erase_opaque(ty: &mut Type) {
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
