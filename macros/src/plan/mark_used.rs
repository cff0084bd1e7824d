//! Arguments that another macro has bound again.
//!
//! `#[async_trait]` runs first and leaves a function that returns a boxed future, inside of which each
//! argument is bound once more: `let id = id;`. If only the span names an argument, that binding is
//! unused, and the compiler would warn about a name that the user does use.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::{ToTokens as _, quote_spanned};
use syn::Ident;

/// Input: `{ Box::pin(async move { let id = id; body }) }` and `id`
///
/// Output: `{ Box::pin(async move { let id = id; let _ = id; body }) }`
///
/// To mention a name neither borrows nor moves.
pub(crate) fn mark_used(body: &mut Group, named: &[Ident]) {
    let mut trees: Vec<TokenTree> = body.stream().into_iter().collect();
    let [.., TokenTree::Ident(pin), TokenTree::Group(argument)] = trees.as_mut_slice() else {
        return;
    };
    if named.is_empty() || pin != "pin" {
        return;
    }
    let mut future: Vec<TokenTree> = argument.stream().into_iter().collect();
    if let [TokenTree::Ident(word), .., TokenTree::Group(block)] = future.as_mut_slice() {
        if word == "async" {
            replace(block, mentioned(block.stream(), named));
            replace(argument, future.into_iter().collect());
            replace(body, trees.into_iter().collect());
        }
    }
}

fn replace(group: &mut Group, tokens: TokenStream) {
    let mut replaced = Group::new(group.delimiter(), tokens);
    replaced.set_span(group.span());
    *group = replaced;
}

fn mentioned(statements: TokenStream, named: &[Ident]) -> TokenStream {
    let mut trees = Vec::new();
    let mut mentioned = TokenStream::new();
    for tree in statements {
        trees.push(tree);
        let bound = bound_again(&trees).filter(|bound| named.contains(bound));
        trees.last().to_tokens(&mut mentioned);
        if let Some(bound) = bound {
            mentioned.extend(quote_spanned!(Span::mixed_site()=> let _ = #bound;));
        }
    }
    mentioned
}

/// Input: `.. let mut id = id;`
///
/// Output: `id`
fn bound_again(trees: &[TokenTree]) -> Option<&Ident> {
    let [
        ..,
        TokenTree::Ident(word),
        TokenTree::Ident(bound),
        TokenTree::Punct(equals),
        TokenTree::Ident(value),
        TokenTree::Punct(end),
    ] = trees
    else {
        return None;
    };
    let is_binding = word == "let" || word == "mut";
    let is_whole = equals.as_char() == '=' && end.as_char() == ';';
    (is_binding && is_whole && bound == value).then_some(bound)
}
