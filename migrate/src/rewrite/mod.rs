//! From a scanned file to its edits.

mod import;
mod resolve;

use proc_macro2::Span;
use syn::spanned::Spanned as _;

use crate::arguments::conversion::Conversion;
use crate::arguments::tracing::Unasked;
use crate::arguments::{fastrace, tracing};
use crate::rewrite::resolve::Known;
use crate::scan::library::Library;
use crate::scan::{Candidate, Scan, scan};
use crate::text::edit::{self, Edit};
use crate::text::source::Source;

/// What is to be said of a place.
pub(crate) struct Remark {
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) text: String,
}

/// What becomes of one file.
#[derive(Default)]
pub(crate) struct Rewrite {
    /// In order, and without overlaps.
    pub(crate) edits: Vec<Edit>,
    pub(crate) rewritten: usize,
    /// Attributes that stay as they are.
    pub(crate) left: Vec<Remark>,
    /// What is to be done by hand where an attribute was rewritten.
    pub(crate) notes: Vec<Remark>,
    pub(crate) dropped: Vec<&'static str>,
    /// Spans that had the path of their function as their name.
    pub(crate) renamed: usize,
}

/// Whether a file can hold anything to rewrite.
pub(crate) fn is_concerned(text: &str) -> bool {
    text.contains("instrument") || text.contains("fastrace")
}

/// Rewrites a file. One that does not parse is left.
pub(crate) fn rewrite(source: &Source<'_>, unasked: Unasked) -> Rewrite {
    if let Some(offset) = source.too_deep() {
        let message = "nests too deep to be parsed; rewrite this file by hand";
        return unread(source, offset, message.to_owned());
    }
    match source.parse() {
        Ok(file) => rewrite_file(source, &scan(&file), unasked),
        Err(error) => {
            let offset = source.range(error.span()).start;
            unread(source, offset, format!("does not parse: {error}"))
        }
    }
}

fn unread(source: &Source<'_>, offset: usize, text: String) -> Rewrite {
    Rewrite {
        left: vec![remark(source, offset, text)],
        ..Rewrite::default()
    }
}

fn rewrite_file(source: &Source<'_>, scan: &Scan<'_>, unasked: Unasked) -> Rewrite {
    let mut rewriter = Rewriter {
        source,
        unasked,
        rewrite: Rewrite::default(),
        imports: scan
            .imports
            .iter()
            .map(|_| import::Use::default())
            .collect(),
    };
    for candidate in &scan.candidates {
        rewriter.candidate(scan, candidate);
    }
    for (span, name) in &scan.hidden {
        let message = format!("`#[{name}]` is inside of a macro; rewrite it by hand");
        rewriter.leave(*span, message);
        rewriter.name_stays(scan, name);
    }
    let Rewriter {
        mut rewrite,
        imports,
        ..
    } = rewriter;
    import::edit(source, scan, &imports, &mut rewrite.edits);
    rewrite.edits = edit::in_order(rewrite.edits);
    rewrite.left.sort_by_key(|left| (left.line, left.column));
    rewrite
}

fn remark(source: &Source<'_>, offset: usize, text: String) -> Remark {
    let (line, column) = source.position(offset);
    Remark { line, column, text }
}

struct Rewriter<'s, 't> {
    source: &'s Source<'t>,
    unasked: Unasked,
    rewrite: Rewrite,
    /// What became of the uses of each import.
    imports: Vec<import::Use>,
}

impl Rewriter<'_, '_> {
    fn candidate(&mut self, scan: &Scan<'_>, candidate: &Candidate<'_>) {
        let path = candidate.meta.path();
        let Some(known) = resolve::resolve(scan, candidate.scope, path) else {
            if path.is_ident("instrument") {
                let message = "`instrument` is not imported from `tracing` in this file; import it here, and run this again";
                self.leave(path.span(), message.to_owned());
            }
            return;
        };
        match self.convert(candidate, known.library) {
            Ok(conversion) => self.accept(scan, candidate, &known, conversion),
            Err(error) => {
                let span = error.span();
                let is_placed = !span.byte_range().is_empty();
                let span = if is_placed { span } else { path.span() };
                self.leave(span, error.to_string());
                if let Some(index) = known.import {
                    self.imports[index].is_left = true;
                }
            }
        }
    }

    fn convert(&self, candidate: &Candidate<'_>, library: Library) -> syn::Result<Conversion> {
        let Candidate {
            meta, signature, ..
        } = candidate;
        if candidate.is_ours_too {
            let message =
                "the function has `#[enter_span]`, too, and can have one span; remove one of them";
            return Err(syn::Error::new(meta.path().span(), message));
        }
        match library {
            Library::Tracing => tracing::convert(self.source, meta, signature, self.unasked),
            Library::Fastrace => fastrace::convert(self.source, meta),
        }
    }

    fn accept(
        &mut self,
        scan: &Scan<'_>,
        candidate: &Candidate<'_>,
        known: &Known,
        conversion: Conversion,
    ) {
        let path = candidate.meta.path();
        let has_other = resolve::chain(scan, candidate.scope).any(|scope| scope.has_other);
        let colons = if has_other || path.leading_colon.is_some() {
            "::"
        } else {
            ""
        };
        let import = known
            .import
            .filter(|index| !has_other && scan.imports[*index].is_private());
        let text = match import {
            Some(index) => {
                self.imports[index].is_ours = true;
                import::local_name(&scan.imports[index]).to_owned()
            }
            None => format!("{colons}enter_span::enter_span"),
        };
        if let Some(index) = known.import {
            self.imports[index].is_converted = true;
        }
        self.rewrite
            .edits
            .push(Edit::replace(self.source.range(path.span()), text));
        self.rewrite.edits.extend(conversion.edits);
        self.rewrite.rewritten += 1;
        self.rewrite.dropped.extend(conversion.dropped);
        self.rewrite.renamed += usize::from(conversion.is_renamed);
        let notes = conversion.notes.into_iter();
        let notes = notes.map(|(offset, text)| remark(self.source, offset, text));
        self.rewrite.notes.extend(notes);
    }

    fn leave(&mut self, span: Span, message: String) {
        let offset = self.source.range(span).start;
        self.rewrite.left.push(remark(self.source, offset, message));
    }

    /// A macro may use each import of that name.
    fn name_stays(&mut self, scan: &Scan<'_>, name: &str) {
        for (import, used) in scan.imports.iter().zip(&mut self.imports) {
            used.is_left |= import.local == name;
        }
    }
}
