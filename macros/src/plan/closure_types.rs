//! The types that a returned closure finds in the signature.
//!
//! `|text| text.len()` has no types of its own. As the value of a plain function it gets them from
//! `-> impl Fn(&str) -> usize`, which is out of its sight in a block of ours. So the body becomes the
//! argument of a function that requires the same.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens as _, format_ident, quote};
use syn::{
    GenericParam, Ident, ParenthesizedGenericArguments, PathArguments, ReturnType, TraitBound,
    Type, TypeParamBound, TypeReference, parse_quote,
};

use crate::plan::returned_type;

/// Input: `-> (impl Fn(&str, T) -> usize, u8)`
///
/// Output: `fn expects<A: ?Sized, B, C, D, F: Fn(&A, B) -> C>(value: (F, D)) -> (F, D) { value }`,
/// and to be called as `expects::<str, T, usize, u8, _>`
///
/// The function cannot name what is generic around it. So its types are parameters, but for the
/// borrows of the closure, which differ from call to call.
pub(crate) struct ClosureTypes {
    pub(crate) function: TokenStream,
    pub(crate) path: TokenStream,
}

impl ClosureTypes {
    /// For a type with a closure that can be described this way.
    pub(crate) fn of(ty: &Type) -> Option<Self> {
        let mut parameters = Parameters::default();
        let value = parameters.value(ty)?;
        let Parameters { types, closures } = parameters;
        if closures.is_empty() {
            return None;
        }
        let name = local("__enter_span_expects");
        let (parameters, arguments): (Vec<_>, Vec<_>) = types.into_iter().unzip();
        let unknown = closures.iter().map(|_| quote!(_));
        let given = local("given");
        Some(ClosureTypes {
            function: quote! {
                #[inline(always)]
                fn #name<#(#parameters,)* #(#closures,)*>(#given: #value) -> #value { #given }
            },
            path: quote!(#name::<#(#arguments,)* #(#unknown,)*>),
        })
    }
}

fn local(word: &str) -> Ident {
    Ident::new(word, Span::mixed_site())
}

/// The parameters of the function, each with its bounds; those of types with what they stand for.
#[derive(Default)]
struct Parameters {
    types: Vec<(TokenStream, Type)>,
    closures: Vec<TokenStream>,
}

impl Parameters {
    fn value(&mut self, ty: &Type) -> Option<Type> {
        match ty {
            Type::Group(inner) => self.value(&inner.elem),
            Type::Paren(inner) => self.value(&inner.elem),
            Type::Tuple(tuple) => {
                let mut tuple = tuple.clone();
                for part in &mut tuple.elems {
                    *part = self.value(part)?;
                }
                Some(Type::Tuple(tuple))
            }
            ty if returned_type::is_closure(ty) => self.closure(ty),
            ty => {
                let nameable = returned_type::nameable(&parse_quote!(-> #ty), Span::call_site());
                Some(self.parameter(&TokenStream::new(), nameable))
            }
        }
    }

    fn closure(&mut self, ty: &Type) -> Option<Type> {
        let Type::ImplTrait(opaque) = ty else {
            return None;
        };
        let bound = opaque.bounds.iter().find_map(|bound| match bound {
            TypeParamBound::Trait(bound) => self.bound(bound),
            _ => None,
        })?;
        let name = format_ident!("F{}", self.closures.len(), span = Span::mixed_site());
        self.closures.push(quote!(#name: #bound));
        Some(parse_quote!(#name))
    }

    /// Input: `for<'a> Fn(&'a str, T) -> &'a T`
    ///
    /// Output: `for<'a> Fn(&'a A, B) -> &'a C`
    fn bound(&mut self, bound: &TraitBound) -> Option<TraitBound> {
        let mut bound = bound.clone();
        let own = own_lifetimes(&bound);
        let arguments = call_arguments(&mut bound)?;
        for input in &mut arguments.inputs {
            input.ty = self.argument(&input.ty, &own)?;
        }
        if let ReturnType::Type(_, output) = &mut arguments.output {
            **output = self.argument(output, &own)?;
        }
        Some(bound)
    }

    fn argument(&mut self, ty: &Type, own: &[String]) -> Option<Type> {
        if is_settled(ty, own) {
            return Some(self.parameter(&TokenStream::new(), ty.clone()));
        }
        match ty {
            Type::Reference(reference) if is_settled(&reference.elem, own) => {
                let unsized_too = quote!(: ?::core::marker::Sized);
                let elem = self.parameter(&unsized_too, (*reference.elem).clone());
                Some(Type::Reference(TypeReference {
                    elem: Box::new(elem),
                    ..reference.clone()
                }))
            }
            _ => None,
        }
    }

    fn parameter(&mut self, bound: &TokenStream, ty: Type) -> Type {
        let name = format_ident!("T{}", self.types.len(), span = Span::mixed_site());
        self.types.push((quote!(#name #bound), ty));
        parse_quote!(#name)
    }
}

/// `'a` of `for<'a> Fn(&'a str)`.
fn own_lifetimes(bound: &TraitBound) -> Vec<String> {
    let binder = bound.lifetimes.iter().flat_map(|binder| &binder.lifetimes);
    let names = binder.filter_map(|parameter| match parameter {
        GenericParam::Lifetime(parameter) => Some(parameter.lifetime.ident.to_string()),
        _ => None,
    });
    names.collect()
}

/// `(&str) -> usize` of `Fn(&str) -> usize`.
fn call_arguments(bound: &mut TraitBound) -> Option<&mut ParenthesizedGenericArguments> {
    match &mut bound.path.segments.last_mut()?.arguments {
        PathArguments::Parenthesized(arguments) => Some(arguments),
        _ => None,
    }
}

/// Whether a type has no lifetime that differs from call to call: none that is left out, and none
/// of the closure's own.
fn is_settled(ty: &Type, own: &[String]) -> bool {
    is_settled_in(ty.to_token_stream(), own)
}

fn is_settled_in(tokens: TokenStream, own: &[String]) -> bool {
    let mut trees = tokens.into_iter().peekable();
    while let Some(tree) = trees.next() {
        let settled = match (&tree, trees.peek()) {
            (TokenTree::Group(group), _) => is_settled_in(group.stream(), own),
            (TokenTree::Punct(and), Some(TokenTree::Punct(tick))) if and.as_char() == '&' => {
                tick.as_char() == '\''
            }
            (TokenTree::Punct(and), _) if and.as_char() == '&' => false,
            (TokenTree::Punct(tick), Some(TokenTree::Ident(name))) if tick.as_char() == '\'' => {
                name != "_" && !own.iter().any(|own| name == own)
            }
            _ => true,
        };
        if !settled {
            return false;
        }
    }
    true
}
