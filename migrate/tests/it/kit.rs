//! Folders that go away, the binary, and what `patch` does.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// A folder for one test.
pub(crate) struct Folder(PathBuf);

static COUNT: AtomicU32 = AtomicU32::new(0);

impl Folder {
    pub(crate) fn new() -> Self {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}-{number}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file, with the folders it is in.
    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(crate) struct Ran {
    pub(crate) status: i32,
    pub(crate) printed: String,
    pub(crate) said: String,
}

/// Runs the binary on a path.
pub(crate) fn run<'a>(arguments: impl Iterator<Item = &'a &'a str>, path: &Path) -> Ran {
    let mut command = command();
    command.args(arguments).arg(path);
    finish(&mut command)
}

pub(crate) fn command() -> Command {
    Command::new(env!("CARGO_BIN_EXE_enter-span-migrate"))
}

pub(crate) fn finish(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    Ran {
        status: output.status.code().expect("ended by a signal"),
        printed: String::from_utf8(output.stdout).unwrap(),
        said: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Applies a unified diff, strictly: each line of its old side has to be there.
pub(crate) fn patched(text: &str, diff: &str) -> String {
    let old: Vec<&str> = text.split_inclusive('\n').collect();
    let (mut new, mut next) = (String::new(), 0);
    for line in diff.split_inclusive('\n').skip(2) {
        if let Some(header) = line.strip_prefix("@@ -") {
            let (from, length) = header.split_once(' ').unwrap().0.split_once(',').unwrap();
            let (from, length): (usize, usize) = (from.parse().unwrap(), length.parse().unwrap());
            let start = from - usize::from(length > 0);
            new.extend(old[next..start].iter().copied());
            next = start;
            assert_eq!(new_start(header), new.lines().count());
            continue;
        }
        let (sign, content) = line.split_at(1);
        if sign != "+" {
            assert_eq!(old[next], content);
            next += 1;
        }
        if sign != "-" {
            new.push_str(content);
        }
    }
    new.extend(old[next..].iter().copied());
    new
}

/// How many lines of the new text are before a hunk.
fn new_start(header: &str) -> usize {
    let side = header
        .split_once(" +")
        .unwrap()
        .1
        .split_once(' ')
        .unwrap()
        .0;
    let (from, length) = side.split_once(',').unwrap();
    let (from, length): (usize, usize) = (from.parse().unwrap(), length.parse().unwrap());
    from - usize::from(length > 0)
}
