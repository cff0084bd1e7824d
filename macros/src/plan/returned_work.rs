//! The future or stream that a function returns, as far as its signature spells it.

use syn::{GenericArgument, PathArguments, PathSegment, Type, TypeParamBound, TypeTraitObject};

use crate::plan::returned_type::{argument, arguments, erase_opaque, last};

/// WorkKind that is done after a function has returned.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReturnedWork {
    pub(crate) kind: WorkKind,
    pub(crate) form: WorkForm,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum WorkKind {
    Future,
    Stream,
}

/// How the returned future or stream is put into the span.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum WorkForm {
    /// `impl Future`, whose type may be another one.
    Opaque,
    /// `impl IntoFuture`, which has to become one first.
    Convertible,
    /// `Pin<Box<dyn Future>>`, `Box<dyn Future>`, or an alias of these, whose type has to stay.
    Boxed,
}

/// The future or stream that a type is spelled as.
pub(crate) fn of_type(ty: &Type) -> Option<ReturnedWork> {
    match ty {
        Type::ImplTrait(opaque) => opaque.bounds.iter().find_map(opaque_work),
        Type::Paren(inner) => of_type(&inner.elem),
        Type::Group(inner) => of_type(&inner.elem),
        Type::Path(path) => Some(ReturnedWork {
            kind: boxed(last(path)?)?,
            form: WorkForm::Boxed,
        }),
        _ => None,
    }
}

fn opaque_work(bound: &TypeParamBound) -> Option<ReturnedWork> {
    let TypeParamBound::Trait(bound) = bound else {
        return None;
    };
    let name = bound.path.segments.last()?.ident.to_string();
    let (kind, form) = match name.as_str() {
        "Future" | "FusedFuture" | "TryFuture" => (WorkKind::Future, WorkForm::Opaque),
        "IntoFuture" => (WorkKind::Future, WorkForm::Convertible),
        "Stream" | "FusedStream" | "TryStream" => (WorkKind::Stream, WorkForm::Opaque),
        _ => return None,
    };
    Some(ReturnedWork { kind, form })
}

fn boxed(segment: &PathSegment) -> Option<WorkKind> {
    match segment.ident.to_string().as_str() {
        "BoxFuture" | "LocalBoxFuture" => Some(WorkKind::Future),
        "BoxStream" | "LocalBoxStream" => Some(WorkKind::Stream),
        "Pin" => match argument(segment)? {
            Type::Path(path) => in_box(last(path)?),
            _ => None,
        },
        _ => in_box(segment),
    }
}

fn in_box(segment: &PathSegment) -> Option<WorkKind> {
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
fn object_work(object: &TypeTraitObject) -> Option<WorkKind> {
    let mut found = None;
    for bound in &object.bounds {
        let TypeParamBound::Trait(bound) = bound else {
            continue;
        };
        match bound.path.segments.last()?.ident.to_string().as_str() {
            "Future" => found = Some(WorkKind::Future),
            "Stream" => found = Some(WorkKind::Stream),
            "Send" | "Sync" | "Unpin" => {}
            _ => return None,
        }
    }
    found
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
    inner.into_iter().find_map(|inner| match of_type(inner) {
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
