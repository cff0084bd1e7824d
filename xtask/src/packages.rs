//! What goes to the registry: each published crate says all of itself that the registry shows, and its
//! package holds its sources, its README and its licences, and nothing else.

mod manifest;

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

const LICENCES: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];

/// What cargo adds by itself.
const ADDED: [&str; 4] = [
    ".cargo_vcs_info.json",
    "Cargo.lock",
    "Cargo.toml",
    "Cargo.toml.orig",
];

pub(crate) fn check(root: &Path) -> Result<String, String> {
    let packages = manifest::published(root)?;
    let mut faults = Vec::new();
    for package in &packages {
        let name = manifest::text(package, "name");
        let mut found = manifest::faults(package);
        found.extend(faults_of_folder(root, package)?);
        faults.extend(found.iter().map(|fault| format!("{name}: {fault}")));
    }
    if faults.is_empty() {
        let count = packages.len();
        Ok(format!(
            "{count} packages hold what they need and nothing else"
        ))
    } else {
        Err(faults.join("\n"))
    }
}

fn faults_of_folder(root: &Path, package: &Value) -> Result<Vec<String>, String> {
    let manifest = Path::new(manifest::text(package, "manifest_path"));
    let folder = manifest.parent().unwrap_or(root);
    let mut faults = faults_of_list(&list(root, manifest::text(package, "name"))?);
    // Copies, because a checkout on Windows turns symbolic links into files that hold a path.
    for licence in LICENCES {
        if read(&folder.join(licence))? != read(&root.join(licence))? {
            faults.push(format!(
                "{licence} differs from the one of the workspace; copy that"
            ));
        }
    }
    faults.extend(faults_of_links(&read(&folder.join("README.md"))?));
    Ok(faults)
}

/// The files of a package, as cargo would pack them.
fn list(root: &Path, package: &str) -> Result<String, String> {
    let done = Command::new("cargo")
        .current_dir(root)
        .args([
            "package",
            "--list",
            "--locked",
            "--allow-dirty",
            "--package",
        ])
        .arg(package)
        .output()
        .map_err(|error| format!("cargo package: {error}"))?;
    if done.status.success() {
        Ok(String::from_utf8_lossy(&done.stdout).into_owned())
    } else {
        Err(String::from_utf8_lossy(&done.stderr).into_owned())
    }
}

fn faults_of_list(list: &str) -> Vec<String> {
    // Cargo prints the separators of the platform.
    let files: Vec<String> = list.lines().map(|file| file.replace('\\', "/")).collect();
    let is_expected = |file: &str| {
        ADDED.contains(&file)
            || LICENCES.contains(&file)
            || file == "README.md"
            || file.starts_with("src/")
    };
    let unexpected = files.iter().filter(|file| !is_expected(file));
    let unexpected = unexpected.map(|file| format!("packs {file}; leave it out by `include`"));
    let needed = LICENCES.iter().chain(&["README.md", "src/lib.rs"]);
    let missing = needed.filter(|file| !files.iter().any(|packed| packed == *file));
    let missing = missing.map(|file| format!("does not pack {file}; add it"));
    unexpected.chain(missing).collect()
}

/// Links that the registry's page of a crate cannot follow.
fn faults_of_links(readme: &str) -> Vec<String> {
    let targets = readme.split("](").skip(1);
    let targets = targets.filter_map(|rest| rest.split([')', ' ']).next());
    let relative = targets.filter(|link| !link.starts_with("https://") && !link.starts_with('#'));
    let fault = |link| format!("README.md links to {link}; write an absolute address");
    relative.map(fault).collect()
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::{faults_of_links, faults_of_list};

    const WHOLE: &str = "Cargo.toml\nLICENSE-APACHE\nLICENSE-MIT\nREADME.md\nsrc/lib.rs\n";

    #[test]
    fn sources_readme_and_licences_are_a_whole_package() {
        assert!(faults_of_list(WHOLE).is_empty());
    }

    #[test]
    fn a_packed_example_is_a_fault() {
        let faults = faults_of_list(&format!("{WHOLE}examples/load.rs\n"));
        assert_eq!(
            faults,
            ["packs examples/load.rs; leave it out by `include`"]
        );
    }

    #[test]
    fn a_missing_licence_is_a_fault() {
        let faults = faults_of_list(&WHOLE.replace("LICENSE-MIT\n", ""));
        assert_eq!(faults, ["does not pack LICENSE-MIT; add it"]);
    }

    #[test]
    fn only_relative_links_are_faults() {
        let readme = "[a](https://docs.rs/a) [b](#b) [c](docs/c.md)";
        let faults = faults_of_links(readme);
        assert_eq!(
            faults,
            ["README.md links to docs/c.md; write an absolute address"]
        );
    }
}
