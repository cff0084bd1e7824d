//! `enter-span-migrate` rewrites the span attributes of `tracing` and `fastrace` to `#[enter_span]`.
//!
//! A file is parsed to find its attributes and imports, and changed as text: what is not an
//! attribute or its import stays as it is, byte for byte. Bodies and calls are not rewritten.

mod arguments;
mod diff;
mod files;
mod options;
mod report;
mod rewrite;
mod scan;
mod text;

use std::path::Path;
use std::process::ExitCode;
use std::thread;

use crate::arguments::tracing::Unasked;
use crate::files::Files;
use crate::options::{Command, Options, USAGE};
use crate::report::{Report, print, say};
use crate::rewrite::Rewrite;
use crate::text::edit;
use crate::text::source::Source;

/// The parser recurses as deep as the source nests.
const STACK: usize = 512 << 20;

fn main() -> ExitCode {
    match options::parse(std::env::args_os().skip(1)) {
        Command::Help => {
            print(&format!("{USAGE}\n"));
            ExitCode::SUCCESS
        }
        Command::Wrong(why) => {
            say(&format!("{why}\n\n{USAGE}"));
            ExitCode::from(2)
        }
        Command::Migrate(options) => {
            let run = thread::Builder::new().stack_size(STACK);
            let run = run
                .spawn(move || migrate(&options))
                .map(thread::JoinHandle::join);
            match run {
                Ok(Ok(true)) => ExitCode::SUCCESS,
                Ok(_) | Err(_) => ExitCode::FAILURE,
            }
        }
    }
}

/// Whether nothing was left.
fn migrate(options: &Options) -> bool {
    let mut report = Report::default();
    let mut files = Files::default();
    for path in &options.paths {
        files.add(path);
    }
    for (path, why) in &files.faults {
        report.leave_file(path, why);
    }
    for path in &files.paths {
        report.read_file();
        if let Err(why) = migrate_file(path, options, &mut report) {
            report.leave_file(path, &why);
        }
    }
    report.finish(if options.write {
        "rewrote"
    } else {
        "would rewrite"
    });
    report.is_complete()
}

fn migrate_file(path: &Path, options: &Options, report: &mut Report) -> Result<(), String> {
    let text = files::read(path)?;
    if !rewrite::is_concerned(&text) {
        return Ok(());
    }
    let source = Source::new(&text);
    let unasked = if options.keep_arguments {
        Unasked::Keep
    } else {
        Unasked::Drop
    };
    let rewrite = rewrite::rewrite(&source, unasked);
    // All positions are known, and the parser keeps the text of each file until it is told.
    proc_macro2::extra::invalidate_current_thread_spans();
    let rewrite = match rewrite {
        Ok(rewrite) => rewrite,
        Err(remark) => {
            report.leave(path, &remark);
            return Ok(());
        }
    };
    for remark in &rewrite.left {
        report.leave(path, remark);
    }
    if rewrite.edits.is_empty() {
        return Ok(());
    }
    if files::is_link(path) {
        return Err("is a symbolic link; run this on the file it leads to".to_owned());
    }
    if options.write {
        write(path, &source, &rewrite)?;
    } else {
        print(&diff::unified(path, &source, &rewrite.edits));
    }
    report.change(path, &rewrite);
    Ok(())
}

fn write(path: &Path, source: &Source<'_>, rewrite: &Rewrite) -> Result<(), String> {
    if files::is_read_only(path) {
        return Err("is read-only; make it writable, and run this again".to_owned());
    }
    let text = edit::apply(source, 0..source.text.len(), &rewrite.edits);
    files::write(path, &text).map_err(|error| error.to_string())
}
