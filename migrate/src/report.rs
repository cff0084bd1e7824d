//! What is printed: remarks and counts on stderr, the diff on stdout.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::Path;

use crate::job::Outcome;
use crate::rewrite::{Remark, Rewrite};

/// Counts of the whole run.
#[derive(Default)]
pub(crate) struct Report {
    files: usize,
    changed: usize,
    rewritten: usize,
    left: usize,
    renamed: usize,
    dropped: BTreeMap<&'static str, usize>,
}

impl Report {
    pub(crate) fn add(&mut self, path: &Path, outcome: &Outcome) {
        self.files += 1;
        for remark in &outcome.rewrite.left {
            self.left += 1;
            say(&format!("left: {}", placed(path, remark)));
        }
        if let Some(why) = &outcome.fault {
            self.leave_file(path, why);
        }
        if outcome.is_changed {
            self.change(path, &outcome.rewrite);
        }
        print(&outcome.diff);
    }

    pub(crate) fn leave_file(&mut self, path: &Path, why: &str) {
        self.left += 1;
        say(&format!("left: {}: {why}", path.display()));
    }

    fn change(&mut self, path: &Path, rewrite: &Rewrite) {
        self.changed += 1;
        self.rewritten += rewrite.rewritten;
        self.renamed += rewrite.renamed;
        for word in &rewrite.dropped {
            *self.dropped.entry(word).or_default() += 1;
        }
        for remark in &rewrite.notes {
            say(&format!("note: {}", placed(path, remark)));
        }
    }

    /// Prints the counts. Whether all `files` were dealt with, and nothing was left.
    pub(crate) fn finish(&self, files: usize, verb: &str) -> bool {
        for (word, count) in &self.dropped {
            say(&format!(
                "dropped: {count} `{word}`; spans have none, and `when = ..` makes a span conditional"
            ));
        }
        if self.renamed > 0 {
            say(&format!(
                "note: {} spans are named by their function, and not by its whole path; name others with `\"..\"`",
                self.renamed
            ));
        }
        say(&format!(
            "{verb} {} attributes in {} of {} files; left {}",
            self.rewritten, self.changed, self.files, self.left
        ));
        if self.rewritten > 0 {
            let version = env!("CARGO_PKG_VERSION");
            say(&format!(
                "Cargo.toml needs `enter-span = \"{version}\"` under [dependencies]; what was there stays while other code uses it"
            ));
        }
        self.left == 0 && self.files == files
    }
}

fn placed(path: &Path, remark: &Remark) -> String {
    let Remark { line, column, text } = remark;
    format!("{}:{line}:{column}: {text}", path.display())
}

/// Nobody may read what is printed: then it is lost.
pub(crate) fn say(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

pub(crate) fn print(text: &str) {
    let _ = io::stdout().lock().write_all(text.as_bytes());
}
