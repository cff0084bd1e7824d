//! Writes `src/stable.rs` and `src/experimental.rs` from `attributes.csv`; with `--check`, compares them.

mod name;
mod print;
mod registry;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use registry::Attribute;

const TABLE: &str = include_str!("attributes.csv");

fn main() -> ExitCode {
    let argument = env::args().nth(1);
    let done = match argument.as_deref() {
        None => files().and_then(|files| files.iter().try_for_each(write)),
        Some("--check") => files().and_then(|files| files.iter().try_for_each(check)),
        Some(_) => Err("usage: generate [--check]".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            complain(&fault);
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "a program of the command line")]
fn complain(fault: &str) {
    eprintln!("{fault}");
}

struct File {
    path: PathBuf,
    text: String,
}

fn files() -> Result<Vec<File>, String> {
    let all = registry::read(TABLE)?;
    let (stable, others): (Vec<&Attribute<'_>>, Vec<_>) = all.iter().partition(|one| one.is_stable);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let file = |name, title, attributes: &[&Attribute<'_>]| File {
        path: folder.join(name),
        text: print::file(title, attributes),
    };
    Ok(vec![
        file("stable.rs", "What is stable.", &stable),
        file("experimental.rs", "What may still change.", &others),
    ])
}

fn write(file: &File) -> Result<(), String> {
    let File { path, text } = file;
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

fn check(file: &File) -> Result<(), String> {
    let File { path, text } = file;
    match fs::read_to_string(path) {
        Ok(found) if found == *text => Ok(()),
        Ok(_) => Err(format!(
            "{} is not what `attributes.csv` says; run `cargo run -p enter-span-semconv --example generate`",
            path.display()
        )),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}
