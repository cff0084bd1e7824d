//! A file uses only what is below it, and no two files use each other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::modules::{self, File};
use crate::order::{self, Order};

type Files = BTreeMap<Vec<String>, File>;

pub(crate) fn check(root: &Path) -> Result<String, String> {
    let mut faults = Vec::new();
    let mut count = 0;
    for order in order::read(root)? {
        let files = modules::read(&root.join(&order.source))?;
        count += files.len();
        check_crate(root, &order, &files, &mut faults);
    }
    if faults.is_empty() {
        Ok(format!("{count} files use only what is below them"))
    } else {
        Err(faults.join("\n"))
    }
}

fn check_crate(root: &Path, order: &Order, files: &Files, faults: &mut Vec<String>) {
    let rooms: BTreeSet<&String> = files.keys().filter_map(|module| module.first()).collect();
    let rooms: Vec<String> = rooms.into_iter().cloned().collect();
    let unplaced = rooms.iter().filter(|room| order.layer(room).is_none());
    faults.extend(unplaced.map(|room| {
        format!(
            "{}/{room}: not in the list of layers; add it to ARCHITECTURE.md",
            order.source
        )
    }));
    faults.extend(order.unknown(&rooms).map(|room| {
        format!(
            "ARCHITECTURE.md: `{room}` is not a module of {}; remove it",
            order.source
        )
    }));
    for file in files.values() {
        check_file(root, order, file, faults);
    }
    faults.extend(circles(files).into_iter().map(|circle| {
        let names: Vec<String> = circle.iter().map(|module| module.join("::")).collect();
        format!(
            "{}: these files use each other: {}",
            order.source,
            names.join(", ")
        )
    }));
}

/// The root shows what the rooms have, so it may use all of them.
fn check_file(root: &Path, order: &Order, file: &File, faults: &mut Vec<String>) {
    let Some(own) = file.module.first().and_then(|room| order.layer(room)) else {
        return;
    };
    for used in &file.uses {
        let Some(room) = used.path.first() else {
            continue;
        };
        if order.layer(room).is_some_and(|layer| layer > own) {
            faults.push(format!(
                "{}:{}: `{}` uses `{room}`, which is above it; return a value instead, or move the item down",
                file.path.strip_prefix(root).unwrap_or(&file.path).display(),
                used.line,
                file.module[0],
            ));
        }
    }
}

/// The file that a path leads into.
fn target<'a>(files: &'a Files, path: &[String]) -> Option<&'a Vec<String>> {
    (1..=path.len()).rev().find_map(|length| {
        let (module, _) = files.get_key_value(&path[..length])?;
        Some(module)
    })
}

/// Groups of files of which each can be reached from each other.
fn circles(files: &Files) -> Vec<Vec<&Vec<String>>> {
    let edges: BTreeMap<&Vec<String>, BTreeSet<&Vec<String>>> = files
        .iter()
        .filter(|(module, _)| !module.is_empty())
        .map(|(module, file)| (module, targets(files, file)))
        .collect();
    let reached: BTreeMap<_, _> = edges
        .keys()
        .map(|from| (*from, reach(&edges, from)))
        .collect();
    let mut circles: Vec<Vec<&Vec<String>>> = Vec::new();
    for (module, reaches) in &reached {
        let is_known = circles.iter().any(|circle| circle.contains(module));
        if !reaches.contains(module) || is_known {
            continue;
        }
        let others = reaches
            .iter()
            .filter(|other| reached[*other].contains(module));
        circles.push(others.copied().collect());
    }
    circles
}

fn targets<'a>(files: &'a Files, file: &File) -> BTreeSet<&'a Vec<String>> {
    let uses = file.uses.iter().filter(|used| !used.is_reexport);
    uses.filter_map(|used| target(files, &used.path))
        .filter(|module| **module != file.module)
        .collect()
}

fn reach<'a>(
    edges: &BTreeMap<&'a Vec<String>, BTreeSet<&'a Vec<String>>>,
    from: &Vec<String>,
) -> BTreeSet<&'a Vec<String>> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&Vec<String>> = edges[from].iter().copied().collect();
    while let Some(module) = next.pop() {
        if reached.insert(module) {
            next.extend(edges.get(module).into_iter().flatten());
        }
    }
    reached
}
