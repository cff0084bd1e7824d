//! Attributes among the tokens of macros. What they become there is not known.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};

use crate::scan::library::Library;

/// Finds `#[instrument ..]` and its kin, also in a `cfg_attr`.
pub(crate) fn find(tokens: TokenStream, found: &mut Vec<(Span, String)>) {
    let mut is_attribute = false;
    for tree in tokens {
        match tree {
            TokenTree::Group(group) => {
                if is_attribute && group.delimiter() == Delimiter::Bracket {
                    found.extend(attribute(group.stream()));
                }
                find(group.stream(), found);
                is_attribute = false;
            }
            TokenTree::Punct(punct) => is_attribute = punct.as_char() == '#',
            TokenTree::Ident(_) | TokenTree::Literal(_) => is_attribute = false,
        }
    }
}

/// What is between the brackets of an attribute.
fn attribute(tokens: TokenStream) -> Option<(Span, String)> {
    let mut path: Vec<String> = Vec::new();
    let mut span = None;
    for tree in tokens {
        match tree {
            TokenTree::Ident(ident) => {
                span.get_or_insert(ident.span());
                path.push(ident.to_string());
            }
            TokenTree::Punct(punct) if punct.as_char() == ':' => {}
            TokenTree::Group(group) if path == ["cfg_attr"] => {
                let mut parts = split(group.stream()).into_iter().skip(1);
                return parts.find_map(attribute);
            }
            TokenTree::Group(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => break,
        }
    }
    let is_known = path == ["instrument"] || Library::of_path(&path).is_some();
    let span = span.filter(|_| is_known)?;
    Some((span, path.join("::")))
}

/// At commas.
fn split(tokens: TokenStream) -> Vec<TokenStream> {
    let mut parts = vec![TokenStream::new()];
    for tree in tokens {
        if matches!(&tree, TokenTree::Punct(punct) if punct.as_char() == ',') {
            parts.push(TokenStream::new());
        } else if let Some(part) = parts.last_mut() {
            part.extend([tree]);
        }
    }
    parts
}
