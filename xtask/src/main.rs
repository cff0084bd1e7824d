//! The project's own checks. `cargo xtask --help` lists them.

mod api;
mod examples;
mod layers;
mod modules;
mod order;
mod packages;
mod prose;
mod size;

use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask <check>

  layers          compare the modules of each crate with the order in ARCHITECTURE.md
  size            find source files with more than 300 lines of code
  prose           find long sentences and stop phrases in README, docs, the READMEs of crates and comments
  packages        check what goes to the registry: manifests, files, licences, READMEs
  api             compare the public API of each published crate with api/*.txt, and find items of http and the
                  pipeline without an example
  api --update    write api/*.txt

`api` needs a nightly toolchain, for rustdoc's JSON.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        ["layers"] => layers::check(root()),
        ["size"] => size::check(root()),
        ["prose"] => prose::check(root()),
        ["packages"] => packages::check(root()),
        ["api"] => api::check(root()),
        ["api", "--update"] => api::update(root()),
        ["--help" | "-h"] => {
            print(USAGE);
            return ExitCode::SUCCESS;
        }
        _ => {
            complain(USAGE);
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(summary) => {
            print(&summary);
            ExitCode::SUCCESS
        }
        Err(faults) => {
            complain(&faults);
            ExitCode::FAILURE
        }
    }
}

/// The root of the repository.
fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package)
}

#[expect(clippy::print_stdout, reason = "a program of the command line")]
fn print(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "a program of the command line")]
fn complain(text: &str) {
    eprintln!("{text}");
}
