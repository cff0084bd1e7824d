//! What the manifest of a published crate has to say, read from `cargo metadata`.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// What the registry allows.
const MOST: usize = 5;
const LONGEST_KEYWORD: usize = 20;

/// The members of the workspace that are not `publish = false`.
pub(super) fn published(root: &Path) -> Result<Vec<Value>, String> {
    let done = Command::new("cargo")
        .current_dir(root)
        .args(["metadata", "--locked", "--no-deps", "--format-version", "1"])
        .output()
        .map_err(|error| format!("cargo metadata: {error}"))?;
    let metadata: Value = serde_json::from_slice(&done.stdout).map_err(|error| {
        let said = String::from_utf8_lossy(&done.stderr);
        format!("cargo metadata: {error}; {said}")
    })?;
    let packages = list(&metadata, "packages").iter();
    let published = packages.filter(|package| package["publish"].is_null());
    Ok(published.cloned().collect())
}

pub(super) fn faults(package: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let needed = [
        "description",
        "documentation",
        "license",
        "readme",
        "repository",
        "rust_version",
    ];
    let missing = needed.iter().filter(|key| text(package, key).is_empty());
    faults.extend(missing.map(|key| format!("has no `{}`", key.replace('_', "-"))));
    for key in ["categories", "keywords"] {
        let count = list(package, key).len();
        if !(1..=MOST).contains(&count) {
            faults.push(format!("has {count} {key}; write 1 to {MOST}"));
        }
    }
    let keywords = list(package, "keywords").iter().filter_map(Value::as_str);
    let long = keywords.filter(|keyword| keyword.len() > LONGEST_KEYWORD);
    faults.extend(long.map(|keyword| format!("keyword `{keyword}` has over 20 characters")));
    let docs = &package["metadata"]["docs"]["rs"];
    let flags = &docs["rustdoc-args"];
    if docs["all-features"] != true || *flags != serde_json::json!(["--cfg", "docsrs"]) {
        faults.push("needs `all-features` and `--cfg docsrs` for docs.rs".to_owned());
    }
    faults.extend(faults_of_dependencies(package));
    faults
}

/// Crates of one release are pinned to each other. A crate that is only tested with has no version: cargo
/// then leaves it out of the package, which may be published first.
fn faults_of_dependencies(package: &Value) -> Vec<String> {
    let version = format!("={}", text(package, "version"));
    let ours = list(package, "dependencies").iter();
    let ours = ours.filter(|dependency| !dependency["path"].is_null());
    let fault = |dependency: &Value| {
        let (name, asked) = (text(dependency, "name"), text(dependency, "req"));
        if dependency["kind"] == "dev" {
            (asked != "*").then(|| format!("tests with `{name}` by version; write only its path"))
        } else {
            // The core has a version of its own.
            let is_pinned = asked == version || name == "enter-span-core";
            (!is_pinned).then(|| format!("depends on `{name}` {asked}; write `{version}`"))
        }
    };
    ours.filter_map(fault).collect()
}

pub(super) fn text<'json>(json: &'json Value, key: &str) -> &'json str {
    json[key].as_str().unwrap_or_default()
}

fn list<'json>(json: &'json Value, key: &str) -> &'json [Value] {
    json[key].as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::faults;

    fn package() -> Value {
        json!({
            "version": "0.1.0",
            "description": "Spans.",
            "documentation": "https://docs.rs/spans",
            "license": "MIT",
            "readme": "README.md",
            "repository": "https://example.org/spans",
            "rust_version": "1.87",
            "categories": ["asynchronous"],
            "keywords": ["span"],
            "metadata": {"docs": {"rs": {"all-features": true, "rustdoc-args": ["--cfg", "docsrs"]}}},
            "dependencies": [],
        })
    }

    #[test]
    fn a_complete_manifest_has_no_fault() {
        assert_eq!(faults(&package()), [""; 0]);
    }

    #[test]
    fn a_long_keyword_is_a_fault() {
        let mut package = package();
        package["keywords"] = json!(["a-keyword-of-22-letters"]);
        assert_eq!(
            faults(&package),
            ["keyword `a-keyword-of-22-letters` has over 20 characters"]
        );
    }

    #[test]
    fn crates_of_one_release_are_pinned_to_each_other() {
        let mut package = package();
        package["dependencies"] = json!([
            {"name": "enter-span", "path": "/runtime", "req": "^0.1.0", "kind": null},
            {"name": "enter-span-core", "path": "/core", "req": "^1.0.0", "kind": null},
            {"name": "http", "path": null, "req": "^1.1", "kind": null},
        ]);
        assert_eq!(
            faults(&package),
            ["depends on `enter-span` ^0.1.0; write `=0.1.0`"]
        );
    }

    #[test]
    fn a_crate_that_is_tested_with_has_no_version() {
        let mut package = package();
        package["dependencies"] = json!([
            {"name": "enter-span-pipeline", "path": "/pipeline", "req": "=0.1.0", "kind": "dev"},
            {"name": "enter-span-http", "path": "/http", "req": "*", "kind": "dev"},
        ]);
        assert_eq!(
            faults(&package),
            ["tests with `enter-span-pipeline` by version; write only its path"]
        );
    }
}
