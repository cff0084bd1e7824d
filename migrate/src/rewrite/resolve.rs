//! Which library an attribute belongs to, and how its name came into scope.

use syn::Path;

use crate::scan::Scan;
use crate::scan::library::Library;
use crate::scan::scope::Scope;

pub(crate) struct Known {
    pub(crate) library: Library,
    /// The import through which it is named, if it is.
    pub(crate) import: Option<usize>,
}

/// The scope and those that it sees.
pub(crate) fn chain<'s>(scan: &'s Scan<'_>, scope: usize) -> impl Iterator<Item = &'s Scope> {
    indices(scan, scope).map(|index| &scan.scopes[index])
}

fn indices(scan: &Scan<'_>, scope: usize) -> impl Iterator<Item = usize> {
    std::iter::successors(Some(scope), |index| scan.scopes[*index].outer())
}

pub(crate) fn resolve(scan: &Scan<'_>, scope: usize, path: &Path) -> Option<Known> {
    let Some(name) = path.get_ident() else {
        let path: Vec<String> = path
            .segments
            .iter()
            .map(|segment| segment.ident.to_string())
            .collect();
        let library = Library::of_path(&path)?;
        return Some(Known {
            library,
            import: None,
        });
    };
    let mut imports = indices(scan, scope).flat_map(|index| {
        let imports = scan.imports.iter().enumerate();
        imports.filter(move |(_, import)| import.scope == index)
    });
    if let Some((index, import)) = imports.find(|(_, import)| *name == import.local) {
        let library = import.library;
        return Some(Known {
            library,
            import: Some(index),
        });
    }
    let mut globs = chain(scan, scope)
        .flat_map(|scope| &scope.globs)
        .chain(&scan.everywhere);
    let library = globs.find(|library| *name == library.attribute())?;
    Some(Known {
        library: *library,
        import: None,
    })
}
