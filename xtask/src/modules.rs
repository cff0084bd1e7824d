//! The modules of a crate, and which of them each file names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::{fs, io};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A source file and what it uses of its own crate.
pub(crate) struct File {
    pub(crate) path: PathBuf,
    /// Its module: `["span", "scope"]`. Empty for the root.
    pub(crate) module: Vec<String>,
    pub(crate) uses: Vec<Use>,
}

/// A path that starts in this crate, without `crate`.
pub(crate) struct Use {
    pub(crate) path: Vec<String>,
    pub(crate) line: usize,
    /// Part of a `pub use`: it shows a name and needs nothing.
    pub(crate) is_reexport: bool,
}

/// All files of a source folder, by their module.
pub(crate) fn read(source: &Path) -> Result<BTreeMap<Vec<String>, File>, String> {
    let mut files = BTreeMap::new();
    for path in rust_files(source).map_err(|error| format!("{}: {error}", source.display()))? {
        let file = File::read(source, path)?;
        files.insert(file.module.clone(), file);
    }
    Ok(files)
}

/// The Rust files below a folder, in the order of their names.
pub(crate) fn rust_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

impl File {
    fn read(source: &Path, path: PathBuf) -> Result<Self, String> {
        let fault = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let text = fs::read_to_string(&path).map_err(|error| fault(&error))?;
        let tokens = TokenStream::from_str(&text).map_err(|error| fault(&error))?;
        let module = module_of(path.strip_prefix(source).unwrap_or(&path));
        let mut uses = Vec::new();
        collect(tokens, &module, &mut uses);
        Ok(File { path, module, uses })
    }
}

/// `span/scope.rs` is `["span", "scope"]`, `span/mod.rs` is `["span"]`, `lib.rs` is the root.
fn module_of(path: &Path) -> Vec<String> {
    let without_extension = path.with_extension("");
    let mut module: Vec<String> = without_extension
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    if module.last().is_some_and(|last| last == "mod") || module == ["lib"] {
        module.pop();
    }
    module
}

/// Finds the paths that start with `crate` or `super`, also inside of macros.
fn collect(tokens: TokenStream, module: &[String], uses: &mut Vec<Use>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let (mut index, mut is_public, mut is_reexport) = (0, false, false);
    while index < tokens.len() {
        match &tokens[index] {
            TokenTree::Group(group) if is_inline_module(&tokens[..index]) => {
                let mut inner = module.to_vec();
                inner.push(name_before(&tokens[..index]));
                collect(group.stream(), &inner, uses);
            }
            TokenTree::Group(group) => collect(group.stream(), module, uses),
            TokenTree::Punct(punct) if punct.as_char() == ';' => {
                (is_public, is_reexport) = (false, false);
            }
            TokenTree::Ident(ident) if ident == "pub" => is_public = true,
            TokenTree::Ident(ident) if ident == "use" => is_reexport = is_public,
            TokenTree::Ident(ident) if ident == "crate" || ident == "super" => {
                let line = ident.span().start().line;
                let start = start_of(&tokens, &mut index, module);
                paths(&tokens, index, start, &mut |path| {
                    uses.push(Use {
                        path,
                        line,
                        is_reexport,
                    });
                });
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
        index += 1;
    }
}

/// Whether these tokens end with `mod name`.
fn is_inline_module(before: &[TokenTree]) -> bool {
    matches!(before, [.., TokenTree::Ident(keyword), TokenTree::Ident(_)] if keyword == "mod")
}

fn name_before(before: &[TokenTree]) -> String {
    before.last().map(ToString::to_string).unwrap_or_default()
}

/// Where `crate` or `super::super` lead. Leaves `index` at the last of these words.
fn start_of(tokens: &[TokenTree], index: &mut usize, module: &[String]) -> Vec<String> {
    if matches!(&tokens[*index], TokenTree::Ident(ident) if ident == "crate") {
        return Vec::new();
    }
    let mut start = module.to_vec();
    start.pop();
    while let Some(next) = after_colons(tokens, *index) {
        match &tokens[next] {
            TokenTree::Ident(ident) if ident == "super" => {
                start.pop();
                *index = next;
            }
            _ => break,
        }
    }
    start
}

/// The token behind `::`, if that follows `index`.
fn after_colons(tokens: &[TokenTree], index: usize) -> Option<usize> {
    let is_colon = |at: usize| matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
    let next = index + 3;
    (is_colon(index + 1) && is_colon(index + 2) && next < tokens.len()).then_some(next)
}

/// Hands out each path behind `index`: one, or those of a group in braces.
fn paths(
    tokens: &[TokenTree],
    index: usize,
    mut start: Vec<String>,
    found: &mut dyn FnMut(Vec<String>),
) {
    let Some(next) = after_colons(tokens, index) else {
        found(start);
        return;
    };
    match &tokens[next] {
        TokenTree::Ident(ident) => {
            start.push(ident.to_string());
            paths(tokens, next, start, found);
        }
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
            let inner: Vec<TokenTree> = group.stream().into_iter().collect();
            let is_comma = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',');
            for one in inner.split(is_comma).filter(|one| !one.is_empty()) {
                let mut start = start.clone();
                start.extend(one[0].to_string().parse::<Name>().map(|Name(name)| name));
                paths(one, 0, start, found);
            }
        }
        TokenTree::Group(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => found(start),
    }
}

/// A name in a list of names; `self` and `*` are the module itself.
struct Name(String);

impl std::str::FromStr for Name {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if text == "self" || text == "*" {
            Err(())
        } else {
            Ok(Name(text.to_owned()))
        }
    }
}
