//! `enter-span-migrate` rewrites the span attributes of `tracing` and `fastrace` to `#[enter_span]`.
//!
//! A file is parsed to find its attributes and imports, and changed as text: what is not an
//! attribute or its import stays as it is, byte for byte. Bodies and calls are not rewritten.

mod arguments;
mod diff;
mod files;
mod job;
mod options;
mod report;
mod rewrite;
mod scan;
mod text;

use std::num::NonZero;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, Builder};

use crate::files::Files;
use crate::job::Outcome;
use crate::options::{Command, Options, USAGE};
use crate::report::{Report, print, say};

/// The parser recurses as deep as the source nests.
const STACK: usize = 256 << 20;

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
        Command::Migrate(options) => migrate(&options),
    }
}

fn migrate(options: &Options) -> ExitCode {
    let mut report = Report::default();
    let mut files = Files::default();
    for path in &options.paths {
        files.add(path);
    }
    for (path, why) in &files.faults {
        report.leave_file(path, why);
    }
    let paths: Vec<PathBuf> = files.paths.into_iter().collect();
    for (index, outcome) in outcomes(&paths, options) {
        report.add(&paths[index], &outcome);
    }
    let verb = if options.write {
        "rewrote"
    } else {
        "would rewrite"
    };
    if report.finish(paths.len(), verb) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// What became of each file, in their order. One without an outcome is missing.
fn outcomes(paths: &[PathBuf], options: &Options) -> Vec<(usize, Outcome)> {
    let next = AtomicUsize::new(0);
    let work = || {
        let indices = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
        let indices = indices.take_while(|index| *index < paths.len());
        indices
            .map(|index| (index, job::run(&paths[index], options)))
            .collect()
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let mut outcomes: Vec<(usize, Outcome)> = thread::scope(|scope| {
        let threads =
            (0..threads).map(|_| Builder::new().stack_size(STACK).spawn_scoped(scope, work));
        let threads: Vec<_> = threads.collect();
        let joined = threads
            .into_iter()
            .filter_map(|thread| thread.ok()?.join().ok());
        joined.flat_map(|outcomes: Vec<_>| outcomes).collect()
    });
    outcomes.sort_by_key(|(index, _)| *index);
    outcomes
}
