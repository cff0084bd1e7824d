//! What the compiler reports for mistakes. Each file in the folders of `ui/` contains one mistake,
//! which its name states, and its `.stderr` contains what the user reads. Folders group them by
//! argument or by place.
//!
//! The compiler's own words change with its version, so messages are compared only with the
//! compiler that `rust-toolchain.toml` pins. After you change a message, write the files again with
//! `TRYBUILD=overwrite cargo test -p enter-span-ui-tests`, and read the difference.

mod lints;

use std::env;
use std::io::{self, Write as _};
use std::process::Command;

const TOOLCHAIN: &str = include_str!("../../rust-toolchain.toml");

#[test]
fn mistakes_are_explained_where_they_are_made() {
    match (pinned(), running()) {
        (pinned, running) if pinned == running => {
            trybuild::TestCases::new().compile_fail("ui/*/*.rs");
        }
        (pinned, running) => note(&format!(
            "messages not compared: they are those of rustc {pinned:?}, and this is {running:?}"
        )),
    }
}

#[test]
fn a_span_adds_no_lint_and_hides_none() -> io::Result<()> {
    match (pinned(), running()) {
        (pinned, running) if pinned == running => lints::compare(),
        (pinned, running) => {
            note(&format!(
                "lints not compared: they are those of rustc {pinned:?}, and this is {running:?}"
            ));
            Ok(())
        }
    }
}

/// Not through `eprintln!`, which the test harness keeps to itself.
fn note(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

fn rustc() -> Command {
    Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
}

/// The version in the line `channel = "1.95.0"`.
fn pinned() -> Option<String> {
    let line = TOOLCHAIN.lines().find(|line| line.starts_with("channel"))?;
    line.split('"').nth(1).map(str::to_owned)
}

/// The version in the answer `rustc 1.95.0 (59807616e 2026-04-14)`.
fn running() -> Option<String> {
    let answer = rustc().arg("--version").output().ok()?;
    let answer = String::from_utf8(answer.stdout).ok()?;
    answer.split_whitespace().nth(1).map(str::to_owned)
}
