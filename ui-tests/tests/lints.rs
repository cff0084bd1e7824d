//! Every lint of rustc and of clippy, asked about functions without a span and with one: the answers
//! are the same, but for the differences that `lints/shapes.rs` lists.
//!
//! Clippy's driver reads that one file, against the `enter-span` that cargo has checked: seconds,
//! where a run of `cargo clippy` over the workspace takes a minute.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

const SHAPES: &str = "lints/shapes.rs";
const SOURCE: &str = include_str!("../lints/shapes.rs");

pub(crate) fn compare() -> io::Result<()> {
    let Some(driver) = driver() else {
        super::note("lints not compared: clippy is not there; `rustup component add clippy`");
        return Ok(());
    };
    let driver = Driver {
        lints: every_lint(&driver)?,
        libraries: libraries()?,
        driver,
    };
    let (plain, spanned) = (driver.read("plain")?, driver.read("spanned")?);
    let differences = differences(&plain, &spanned);
    let seen: BTreeSet<String> = differences.keys().cloned().collect();
    let unknown: Vec<_> = differences
        .iter()
        .filter(|(difference, _)| !known().contains(*difference))
        .collect();
    assert!(
        unknown.is_empty(),
        "a span changes what lints say: {unknown:#?}"
    );
    let gone: Vec<_> = known().difference(&seen).cloned().collect();
    assert!(
        gone.is_empty(),
        "no difference any more, to be taken off the list: {gone:#?}"
    );
    Ok(())
}

/// Clippy beside the compiler that runs, if it is installed.
fn driver() -> Option<PathBuf> {
    let answer = super::rustc().args(["--print", "sysroot"]).output().ok()?;
    let sysroot = PathBuf::from(String::from_utf8(answer.stdout).ok()?.trim());
    let driver = sysroot
        .join("bin/clippy-driver")
        .with_extension(env::consts::EXE_EXTENSION);
    driver.exists().then_some(driver)
}

/// `-W lint` for each lint, but for those which look at a whole package.
fn every_lint(driver: &Path) -> io::Result<Vec<String>> {
    let help = text(&mut Command::new(driver), &["-W", "help"])?.stdout;
    let mut arguments = Vec::new();
    for line in help.lines() {
        let mut words = line.split_whitespace();
        if let (Some(lint), Some("allow" | "warn" | "deny")) = (words.next(), words.next()) {
            arguments.extend(["-W".to_owned(), lint.replace('-', "_")]);
        }
    }
    assert!(
        arguments.len() > 1000,
        "`-W help` gives the lints of rustc and of clippy"
    );
    for allowed in [
        "clippy::cargo",
        "unused_crate_dependencies",
        "unknown_lints",
    ] {
        arguments.extend(["-A".to_owned(), allowed.to_owned()]);
    }
    Ok(arguments)
}

/// Where cargo has put what the shapes need.
fn libraries() -> io::Result<Vec<String>> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let check = [
        "check",
        "--package=enter-span",
        "--locked",
        "--message-format=json",
    ];
    let answer = text(&mut Command::new(cargo), &check)?;
    let mut arguments = Vec::new();
    for message in json(&answer.stdout) {
        let name = message["target"]["name"].as_str().unwrap_or_default();
        let file = message["filenames"][0].as_str().map(PathBuf::from);
        if let ("enter_span" | "futures_core", Some(file)) = (name, file) {
            let folder = file.parent().unwrap_or(&file).display();
            arguments.extend(["--extern".to_owned(), format!("{name}={}", file.display())]);
            arguments.extend(["-L".to_owned(), format!("dependency={folder}")]);
        }
    }
    assert!(!arguments.is_empty(), "{}", answer.stderr);
    Ok(arguments)
}

/// How often each lint speaks of each function.
type Said = BTreeMap<(String, String), usize>;

struct Driver {
    driver: PathBuf,
    lints: Vec<String>,
    libraries: Vec<String>,
}

impl Driver {
    fn read(&self, cfg: &str) -> io::Result<Said> {
        let output = env::temp_dir().join(format!("enter-span-lints-{}-{cfg}", std::process::id()));
        let mut command = Command::new(&self.driver);
        command.args([
            SHAPES,
            "--crate-type=lib",
            "--edition=2024",
            "--emit=metadata",
        ]);
        command
            .args(["--error-format=json", "--cfg", cfg, "-o"])
            .arg(&output);
        command.args(&self.lints).args(&self.libraries);
        let answer = text(&mut command, &[])?;
        let _ = std::fs::remove_file(output);
        let mut said = Said::new();
        for message in json(&answer.stderr) {
            let Some(lint) = message["code"]["code"].as_str() else {
                continue;
            };
            let is_lint = !lint.starts_with(|first: char| first.is_ascii_uppercase());
            assert!(is_lint, "{SHAPES}: {}", message["rendered"]);
            let line = message["spans"][0]["line_start"].as_u64().unwrap_or(1);
            *said.entry((lint.to_owned(), function(line))).or_default() += 1;
        }
        assert!(!said.is_empty(), "{}", answer.stderr);
        Ok(said)
    }
}

/// The function that stands around a line, between empty ones.
fn function(line: u64) -> String {
    let before = SOURCE.lines().take(usize::try_from(line).unwrap_or(0) - 1);
    let start = before
        .collect::<Vec<_>>()
        .iter()
        .rposition(|line| line.is_empty());
    let block = SOURCE.lines().skip(start.map_or(0, |start| start + 1));
    let mut block = block.take_while(|line| !line.is_empty());
    let named = block.find_map(|line| line.split_once("fn ")?.1.split(['(', '<']).next());
    named.unwrap_or("(no function)").to_owned()
}

/// `appears lint` or `vanishes lint`, with the functions in which it does.
fn differences(plain: &Said, spanned: &Said) -> BTreeMap<String, Vec<String>> {
    let mut differences: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for place in plain.keys().chain(spanned.keys()) {
        let (lint, function) = place;
        let count = |said: &Said| said.get(place).copied().unwrap_or(0);
        let verb = match count(plain).cmp(&count(spanned)) {
            std::cmp::Ordering::Less => "appears",
            std::cmp::Ordering::Greater => "vanishes",
            std::cmp::Ordering::Equal => continue,
        };
        let functions = differences.entry(format!("{verb} {lint}")).or_default();
        if !functions.contains(function) {
            functions.push(function.clone());
        }
    }
    differences
}

/// The list at the head of the shapes: `//! vanishes clippy::unused_async: ..`.
fn known() -> BTreeSet<String> {
    let words = |line: &str| {
        let line = line.strip_prefix("//! ")?;
        let (difference, _) = line.split_once(": ")?;
        (line.starts_with("appears ") || line.starts_with("vanishes "))
            .then(|| difference.to_owned())
    };
    SOURCE.lines().filter_map(words).collect()
}

struct Text {
    stdout: String,
    stderr: String,
}

fn text(command: &mut Command, arguments: &[&str]) -> io::Result<Text> {
    let output = command.args(arguments).output()?;
    Ok(Text {
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

fn json(lines: &str) -> impl Iterator<Item = Value> {
    lines
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
}
