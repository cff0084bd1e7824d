//! The public API of each published crate, as text that a review can see change.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::examples;

const CRATES: [(&str, &str); 8] = [
    ("enter-span", "enter_span"),
    ("enter-span-core", "enter_span_core"),
    ("enter-span-http", "enter_span_http"),
    ("enter-span-macros", "enter_span_macros"),
    ("enter-span-pipeline", "enter_span_pipeline"),
    ("enter-span-semconv", "enter_span_semconv"),
    ("enter-span-tracing", "enter_span_tracing"),
    ("enter-span-waterfall", "enter_span_waterfall"),
];

/// Where each public item has an example.
const WITH_EXAMPLES: [&str; 2] = ["enter-span-http", "enter-span-pipeline"];

pub(crate) fn check(root: &Path) -> Result<String, String> {
    let mut faults = Vec::new();
    for (package, library) in CRATES {
        let Some(api) = api_of(root, package, library)? else {
            return Ok(
                "not compared: rustdoc's JSON of this nightly has another format".to_owned(),
            );
        };
        let path = text_of(root, package);
        let known = fs::read_to_string(&path).unwrap_or_default();
        if known != api {
            faults.push(format!(
                "{package}: the public API changed; if that is meant, run `cargo xtask api --update`\n{}",
                difference(&known, &api)
            ));
        }
        if WITH_EXAMPLES.contains(&package) {
            let missing = examples::missing(&read(&json_of(root, library))?);
            let faults_of = |path| format!("{path}: no example; add one that runs");
            faults.extend(missing.into_iter().map(faults_of));
        }
    }
    if faults.is_empty() {
        let count = CRATES.len();
        Ok(format!(
            "{count} crates have the API of api/*.txt, and their examples"
        ))
    } else {
        Err(faults.join("\n"))
    }
}

fn json_of(root: &Path, library: &str) -> PathBuf {
    let name = format!("{library}.json");
    root.join("target/api/doc").join(name)
}

fn read(json: &Path) -> Result<Value, String> {
    let fault = |error: &dyn std::fmt::Display| format!("{}: {error}", json.display());
    let text = fs::read_to_string(json).map_err(|error| fault(&error))?;
    serde_json::from_str(&text).map_err(|error| fault(&error))
}

pub(crate) fn update(root: &Path) -> Result<String, String> {
    for (package, library) in CRATES {
        let api = api_of(root, package, library)?
            .ok_or("rustdoc's JSON of this nightly has another format; install the one of CI")?;
        let path = text_of(root, package);
        fs::write(&path, api).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(format!("wrote the API of {} crates", CRATES.len()))
}

fn text_of(root: &Path, package: &str) -> PathBuf {
    root.join("api").join(format!("{package}.txt"))
}

/// What rustdoc knows of a crate with all its features, one item a line. Nothing, if this version of its
/// JSON cannot be read.
fn api_of(root: &Path, package: &str, library: &str) -> Result<Option<String>, String> {
    let target = root.join("target/api");
    let nightly = std::env::var("NIGHTLY").unwrap_or_else(|_| "nightly".to_owned());
    let done = Command::new("cargo")
        .current_dir(root)
        .env(
            "RUSTDOCFLAGS",
            "-Zunstable-options --output-format=json --cap-lints=allow",
        )
        .arg(format!("+{nightly}"))
        .args([
            "doc",
            "--quiet",
            "--locked",
            "--no-deps",
            "--lib",
            "--all-features",
        ])
        .args(["--package", package, "--target-dir"])
        .arg(&target)
        .status()
        .map_err(|error| format!("cargo +nightly doc: {error}"))?;
    if !done.success() {
        return Err(format!("cargo +nightly doc --package {package} failed"));
    }
    let api = public_api::Builder::from_rustdoc_json(json_of(root, library))
        .omit_blanket_impls(true)
        .omit_auto_derived_impls(true)
        .build();
    let lines = |api: public_api::PublicApi| -> String {
        let items = api.items().map(|item| format!("{item}\n"));
        items.filter(|line| !is_unstable(line)).collect()
    };
    Ok(api.ok().map(lines))
}

/// Auto traits that only the compiler names.
fn is_unstable(line: &str) -> bool {
    line.contains("core::marker::Freeze") || line.contains("core::marker::UnsafeUnpin")
}

/// The lines that are on one side only.
fn difference(known: &str, now: &str) -> String {
    let gone = known
        .lines()
        .filter(|line| !now.lines().any(|other| other == *line));
    let new = now
        .lines()
        .filter(|line| !known.lines().any(|other| other == *line));
    let gone = gone.map(|line| format!("- {line}"));
    gone.chain(new.map(|line| format!("+ {line}")))
        .collect::<Vec<_>>()
        .join("\n")
}
