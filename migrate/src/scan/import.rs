//! `use` items, leaf by leaf.

use syn::{Ident, ItemUse, UseGroup, UseTree, Visibility};

use crate::scan::library::Library;
use crate::scan::scope::Scope;

/// An import of an attribute that is rewritten.
pub(crate) struct Import<'a> {
    pub(crate) scope: usize,
    pub(crate) library: Library,
    /// Its name in this scope.
    pub(crate) local: String,
    pub(crate) item: &'a ItemUse,
    /// The groups around it, from the outside, and its place in each.
    pub(crate) trail: Vec<(&'a UseGroup, usize)>,
}

impl Import<'_> {
    /// Others may use what is re-exported.
    pub(crate) fn is_private(&self) -> bool {
        matches!(self.item.vis, Visibility::Inherited)
    }
}

/// Reads one `use` item of the scope with this index.
pub(crate) fn read<'a>(
    item: &'a ItemUse,
    index: usize,
    scope: &mut Scope,
    imports: &mut Vec<Import<'a>>,
) {
    let mut reader = Reader {
        item,
        index,
        scope,
        imports,
        trail: Vec::new(),
        path: Vec::new(),
    };
    reader.tree(&item.tree);
}

struct Reader<'a, 's> {
    item: &'a ItemUse,
    index: usize,
    scope: &'s mut Scope,
    imports: &'s mut Vec<Import<'a>>,
    trail: Vec<(&'a UseGroup, usize)>,
    path: Vec<String>,
}

impl<'a> Reader<'a, '_> {
    fn tree(&mut self, tree: &'a UseTree) {
        match tree {
            UseTree::Path(path) => {
                self.path.push(path.ident.to_string());
                self.tree(&path.tree);
                self.path.pop();
            }
            UseTree::Group(group) => {
                for (place, tree) in group.items.iter().enumerate() {
                    self.trail.push((group, place));
                    self.tree(tree);
                    self.trail.pop();
                }
            }
            UseTree::Name(name) => self.leaf(&name.ident, &name.ident),
            UseTree::Rename(name) => self.leaf(&name.ident, &name.rename),
            UseTree::Glob(_) => self.glob(),
        }
    }

    fn leaf(&mut self, ident: &Ident, local: &Ident) {
        let mut path = self.path.clone();
        path.push(ident.to_string());
        if let Some(library) = Library::of_path(&path) {
            self.imports.push(Import {
                scope: self.index,
                library,
                local: local.to_string(),
                item: self.item,
                trail: self.trail.clone(),
            });
        } else if local == "enter_span" && path == ["enter_span", "enter_span"] {
            self.scope.has_ours = true;
        } else if local == "enter_span" && path != ["enter_span"] && path != ["enter_span", "self"]
        {
            self.scope.has_other = true;
        }
    }

    fn glob(&mut self) {
        match self.path.as_slice() {
            [krate] | [krate, _] if Library::of_crate(krate).is_some() => {
                let is_prelude = self.path.get(1).is_none_or(|module| module == "prelude");
                self.scope
                    .globs
                    .extend(Library::of_crate(krate).filter(|_| is_prelude));
            }
            [krate] if krate == "enter_span" => self.scope.has_ours = true,
            [parent] if parent == "super" => self.scope.sees_parent = true,
            _ => {}
        }
    }
}
