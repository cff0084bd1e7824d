//! One file, from its text to what is printed of it.

use std::path::Path;

use crate::arguments::tracing::Unasked;
use crate::options::Options;
use crate::rewrite::{self, Rewrite};
use crate::text::edit;
use crate::text::source::Source;
use crate::{diff, files};

/// What became of a file.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) rewrite: Rewrite,
    /// It was written, or its diff is to be printed.
    pub(crate) is_changed: bool,
    pub(crate) diff: String,
    /// Why the whole file was left, if it was.
    pub(crate) fault: Option<String>,
}

pub(crate) fn run(path: &Path, options: &Options) -> Outcome {
    let mut outcome = Outcome::default();
    match migrate(path, options, &mut outcome) {
        Ok(is_changed) => outcome.is_changed = is_changed,
        Err(why) => outcome.fault = Some(why),
    }
    outcome
}

/// Whether the file changes.
fn migrate(path: &Path, options: &Options, outcome: &mut Outcome) -> Result<bool, String> {
    let text = files::read(path)?;
    if !rewrite::is_concerned(&text) {
        return Ok(false);
    }
    let source = Source::new(&text);
    let unasked = if options.keep_arguments {
        Unasked::Keep
    } else {
        Unasked::Drop
    };
    outcome.rewrite = rewrite::rewrite(&source, unasked);
    // All positions are known, so the parser can drop the text of each file.
    proc_macro2::extra::invalidate_current_thread_spans();
    let edits = &outcome.rewrite.edits;
    if edits.is_empty() {
        return Ok(false);
    }
    if files::is_link(path) {
        return Err("is a symbolic link; run this on the file it leads to".to_owned());
    }
    if options.write {
        write(path, &edit::apply(&source, 0..text.len(), edits))?;
    } else {
        outcome.diff = diff::unified(path, &source, edits);
    }
    Ok(true)
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    if files::is_read_only(path) {
        return Err("is read-only; make it writable, and run this again".to_owned());
    }
    files::write(path, text).map_err(|error| error.to_string())
}
