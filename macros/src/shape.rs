//! What a function gives back, as far as its signature says it.

use proc_macro2::Span;
use quote::ToTokens as _;
use syn::{
    GenericArgument, PathArguments, PathSegment, ReturnType, Type, TypeParamBound, TypePath,
};

/// How a function does its work.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// At the call.
    Sync,
    /// As an `async fn`.
    Async,
    /// In a future or stream that it returns.
    Later(Work, Form),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    Future,
    Stream,
}

/// Whether the returned future or stream has a type that can be spelled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `impl Future`.
    Opaque,
    /// `Pin<Box<dyn Future>>`, or an alias of it.
    Boxed,
}

/// The future or stream that a type is spelled as.
pub(crate) fn later(ty: &Type) -> Option<(Work, Form)> {
    match ty {
        Type::ImplTrait(opaque) => Some((work(opaque.bounds.iter())?, Form::Opaque)),
        Type::Paren(inner) => later(&inner.elem),
        Type::Group(inner) => later(&inner.elem),
        Type::Path(path) => Some((boxed(last(path)?)?, Form::Boxed)),
        _ => None,
    }
}

fn work<'a>(mut bounds: impl Iterator<Item = &'a TypeParamBound>) -> Option<Work> {
    bounds.find_map(|bound| match bound {
        TypeParamBound::Trait(bound) => {
            let name = &bound.path.segments.last()?.ident;
            match () {
                () if name == "Future" => Some(Work::Future),
                () if name == "Stream" => Some(Work::Stream),
                () => None,
            }
        }
        _ => None,
    })
}

fn boxed(segment: &PathSegment) -> Option<Work> {
    match segment.ident.to_string().as_str() {
        "BoxFuture" | "LocalBoxFuture" => Some(Work::Future),
        "BoxStream" | "LocalBoxStream" => Some(Work::Stream),
        "Pin" => match argument(segment)? {
            Type::Path(path) => in_box(last(path)?),
            _ => None,
        },
        _ => None,
    }
}

fn in_box(segment: &PathSegment) -> Option<Work> {
    if segment.ident != "Box" {
        return None;
    }
    match argument(segment)? {
        Type::TraitObject(object) => work(object.bounds.iter()),
        Type::Paren(inner) => match &*inner.elem {
            Type::TraitObject(object) => work(object.bounds.iter()),
            _ => None,
        },
        _ => None,
    }
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
    let output = |argument: &GenericArgument| match argument {
        GenericArgument::AssocType(assoc) if assoc.ident == "Output" => Some(assoc.ty.clone()),
        _ => None,
    };
    match segment.ident == "Future" {
        true => arguments.args.iter().find_map(output),
        false => None,
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

/// A `dyn Trait + 'a`, which is not `'static`.
pub(crate) fn holds_borrowing_object(ty: &Type) -> bool {
    let words = ty.to_token_stream().to_string();
    let borrows = words
        .split('\'')
        .skip(1)
        .any(|lifetime| !lifetime.trim_start().starts_with("static"));
    borrows && words.split_whitespace().any(|word| word == "dyn")
}

/// Whether the type could be an alias of a boxed future: a name that is not one everybody knows.
pub(crate) fn may_be_alias(ty: &Type) -> bool {
    const KNOWN: [&str; 8] = [
        "Result", "Option", "Box", "Vec", "String", "Self", "Arc", "Rc",
    ];
    match ty {
        Type::Group(inner) => may_be_alias(&inner.elem),
        Type::Path(path) => last(path).is_some_and(|segment| {
            let name = segment.ident.to_string();
            let primitive = name.starts_with(char::is_lowercase);
            !primitive && !KNOWN.contains(&name.as_str())
        }),
        _ => false,
    }
}

/// Whether the type could be a future.
pub(crate) fn may_be_future(ty: &Type) -> bool {
    match ty {
        Type::Group(inner) => may_be_future(&inner.elem),
        Type::ImplTrait(_) => true,
        Type::Path(path) => {
            let is = |name| last(path).is_some_and(|segment| segment.ident == name);
            may_be_alias(ty) || is("Box") || is("Pin")
        }
        _ => false,
    }
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
