//! What the signature of the function says about its arguments and its value.

use syn::{FnArg, GenericArgument, Pat, PathArguments, ReturnType, Signature, Type};

/// Types that are attributes and `tracing` records by their value, too.
const VALUES: [&str; 17] = [
    "bool", "str", "String", "u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64", "u128", "i128",
    "f32", "f64", "usize", "isize",
];

/// How `ret` shows the value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Debug,
    Display,
}

/// An argument that `tracing` captures unasked.
pub(crate) struct Argument {
    pub(crate) name: String,
    is_value: bool,
}

impl Argument {
    /// `id`, or `?order`.
    pub(crate) fn attribute(&self) -> String {
        let name = &self.name;
        if self.is_value {
            name.clone()
        } else {
            format!("?{name}")
        }
    }
}

pub(crate) fn arguments(signature: &Signature) -> Vec<Argument> {
    let mut arguments = Vec::new();
    for input in &signature.inputs {
        match input {
            FnArg::Receiver(_) => arguments.push(Argument {
                name: "self".to_owned(),
                is_value: false,
            }),
            FnArg::Typed(typed) => bound(&typed.pat, is_value(&typed.ty), &mut arguments),
        }
    }
    arguments
}

fn bound(pat: &Pat, is_value: bool, arguments: &mut Vec<Argument>) {
    match pat {
        Pat::Ident(pat) => {
            let name = pat.ident.to_string();
            arguments.push(Argument { name, is_value });
        }
        Pat::Reference(pat) => bound(&pat.pat, is_value, arguments),
        Pat::Struct(pat) => {
            let fields = pat.fields.iter();
            fields.for_each(|field| bound(&field.pat, false, arguments));
        }
        Pat::Tuple(pat) => {
            let elements = pat.elems.iter();
            elements.for_each(|pat| bound(pat, false, arguments));
        }
        Pat::TupleStruct(pat) => {
            let elements = pat.elems.iter();
            elements.for_each(|pat| bound(pat, false, arguments));
        }
        _ => {}
    }
}

/// What `ret` becomes; nothing, where there is no value to show.
pub(crate) fn ret(signature: &Signature, format: Format) -> Option<String> {
    let ReturnType::Type(_, ty) = &signature.output else {
        return None;
    };
    let ty = success(ty);
    match ty {
        Type::Never(_) => None,
        Type::Tuple(tuple) if tuple.elems.is_empty() => None,
        ty if is_value(ty) => Some("ret".to_owned()),
        _ => {
            let text = match format {
                Format::Debug => "{value:?}",
                Format::Display => "{value}",
            };
            Some(format!("ret(return = |value| format!(\"{text}\"))"))
        }
    }
}

/// `T` of `Result<T, E>`; else the type.
fn success(ty: &Type) -> &Type {
    let Type::Path(path) = ty else {
        return ty;
    };
    let last = path.path.segments.last();
    let Some(result) = last.filter(|segment| segment.ident == "Result") else {
        return ty;
    };
    match &result.arguments {
        PathArguments::AngleBracketed(arguments) => match arguments.args.first() {
            Some(GenericArgument::Type(ty)) => ty,
            _ => ty,
        },
        PathArguments::None | PathArguments::Parenthesized(_) => ty,
    }
}

fn is_value(ty: &Type) -> bool {
    match ty {
        Type::Reference(reference) => is_value(&reference.elem),
        Type::Path(path) => path.path.segments.last().is_some_and(|segment| {
            segment.arguments.is_none() && VALUES.iter().any(|known| segment.ident == known)
        }),
        _ => false,
    }
}
