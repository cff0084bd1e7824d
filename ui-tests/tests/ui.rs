//! What the compiler says of mistakes: each file in `ui/` states one fault in its name, and its
//! `.stderr` holds what the user reads.
//!
//! The words around our messages are the compiler's, and change with it. So they are compared only
//! by the compiler that `rust-toolchain.toml` pins. After a change of a message, write the files
//! again with `TRYBUILD=overwrite cargo test -p enter-span-ui-tests`, and read them.

use std::env;
use std::io::{self, Write as _};
use std::process::Command;

const TOOLCHAIN: &str = include_str!("../../rust-toolchain.toml");

#[test]
fn mistakes_are_explained_where_they_are_made() {
    match (pinned(), running()) {
        (pinned, running) if pinned == running => {
            trybuild::TestCases::new().compile_fail("ui/*.rs");
        }
        (pinned, running) => {
            // Not through `eprintln!`, which the test harness keeps to itself.
            let mut errors = io::stderr().lock();
            let _ = writeln!(
                errors,
                "messages not compared: they are those of rustc {pinned:?}, and this is {running:?}"
            );
        }
    }
}

/// The version in the line `channel = "1.95.0"`.
fn pinned() -> Option<String> {
    let line = TOOLCHAIN.lines().find(|line| line.starts_with("channel"))?;
    line.split('"').nth(1).map(str::to_owned)
}

/// The version in the answer `rustc 1.95.0 (59807616e 2026-04-14)`.
fn running() -> Option<String> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let answer = Command::new(rustc).arg("--version").output().ok()?;
    let answer = String::from_utf8(answer.stdout).ok()?;
    answer.split_whitespace().nth(1).map(str::to_owned)
}
