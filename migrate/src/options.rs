//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

pub(crate) const USAGE: &str = "\
usage: enter-span-migrate [--write] [--keep-arguments] PATH..

Rewrites the span attributes of `tracing` (`#[instrument]`) and `fastrace` (`#[trace]`) to
`#[enter_span]`, with their imports. Everything else stays as it is, byte for byte.

PATH is a file, or a folder whose files `*.rs` are rewritten. In folders, `target`, hidden folders
and symbolic links to folders are skipped; `.gitignore` is not read.

  --write            change the files; without it, a unified diff goes to stdout (`patch -p0`)
  --keep-arguments   keep what `tracing` captures unasked: every argument that is not skipped
  -h, --help         print this

What has no counterpart is left as it was, and stderr has its file, line and column, and what to do.
`level` and `target` are dropped: spans have none. Errors are recorded without `err`.

exit status: 0 if nothing was left, 1 if something was, 2 if the command line is wrong";

#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) write: bool,
    pub(crate) keep_arguments: bool,
    pub(crate) paths: Vec<PathBuf>,
}

pub(crate) enum Command {
    Help,
    Migrate(Options),
    Wrong(String),
}

pub(crate) fn parse(arguments: impl Iterator<Item = OsString>) -> Command {
    let mut options = Options::default();
    let mut only_paths = false;
    for argument in arguments {
        let text = argument.to_str().unwrap_or_default();
        if only_paths || !text.starts_with('-') {
            options.paths.push(argument.into());
            continue;
        }
        match text {
            "--" => only_paths = true,
            "--write" => options.write = true,
            "--keep-arguments" => options.keep_arguments = true,
            "--help" | "-h" => return Command::Help,
            _ => return Command::Wrong(format!("unknown option `{text}`")),
        }
    }
    if options.paths.is_empty() {
        Command::Wrong("no PATH; write for example `src`".to_owned())
    } else {
        Command::Migrate(options)
    }
}
