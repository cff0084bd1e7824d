//! No source file holds more code than a reader takes in at one sitting.

use std::fs;
use std::path::Path;

use crate::modules;

/// Lines with code, in one file.
const MOST: usize = 300;

/// Generated lists.
const GENERATED: [&str; 2] = ["semconv/src/stable.rs", "semconv/src/experimental.rs"];

const SOURCES: [&str; 9] = [
    "macros/src",
    "runtime/src",
    "pipeline/src",
    "http/src",
    "semconv/src",
    "tracing/src",
    "waterfall/src",
    "migrate/src",
    "xtask/src",
];

pub(crate) fn check(root: &Path) -> Result<String, String> {
    let mut faults = Vec::new();
    let mut count = 0;
    for source in SOURCES {
        let folder = root.join(source);
        let files = modules::rust_files(&folder)
            .map_err(|error| format!("{}: {error}", folder.display()))?;
        for file in files {
            count += 1;
            let text = fs::read_to_string(&file)
                .map_err(|error| format!("{}: {error}", file.display()))?;
            let lines = lines_of_code(&text);
            let shown = file.strip_prefix(root).unwrap_or(&file);
            let is_generated = GENERATED
                .iter()
                .any(|generated| shown == Path::new(generated));
            if lines > MOST && !is_generated {
                faults.push(format!(
                    "{}: {lines} lines of code; split it, {MOST} are allowed",
                    shown.display()
                ));
            }
        }
    }
    if faults.is_empty() {
        Ok(format!(
            "{count} files, none with more than {MOST} lines of code"
        ))
    } else {
        Err(faults.join("\n"))
    }
}

/// Lines that are neither empty nor a comment.
fn lines_of_code(text: &str) -> usize {
    let lines = text.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with("//"))
        .count()
}
