//! The folder of the pages: which folder is refused, and how files appear in it.
//!
//! A file appears under its name when it is whole, and no symbolic link inside the folder is followed.

use std::collections::hash_map::RandomState;
use std::fs::{self, DirBuilder, Metadata, OpenOptions};
use std::hash::BuildHasher as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use super::page_name::is_page_name;

/// A path that is checked or made before something is written below it.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new(path: &Path) -> Self {
        Folder(trimmed(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Makes it where it is not there, and refuses what is no folder of the user's own.
    pub(super) fn make(&self) -> io::Result<()> {
        make_folder(&self.0)
    }

    /// Writes a file, which replaces one of this name in one step.
    pub(super) fn write(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let draft = self.write_draft(content)?;
        let renamed = fs::rename(&draft, self.0.join(name));
        if renamed.is_err() {
            // The first error is the one to report.
            let _ = fs::remove_file(&draft);
        }
        renamed
    }

    /// Writes a file under the first name that is free, and gives that name. If none is, the last one is replaced.
    pub(super) fn write_new(
        &self,
        names: impl Iterator<Item = String>,
        content: &[u8],
    ) -> io::Result<String> {
        let draft = self.write_draft(content)?;
        let named = self.name_draft(&draft, names);
        // A link leaves it, and an error may.
        let _ = fs::remove_file(&draft);
        named
    }

    /// A link, unlike a rename, does not replace what another process has written meanwhile.
    fn name_draft(&self, draft: &Path, names: impl Iterator<Item = String>) -> io::Result<String> {
        let mut last = String::new();
        for name in names {
            let target = self.0.join(&name);
            match fs::hard_link(draft, &target) {
                Ok(()) => return Ok(name),
                // Not every file system has links.
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    if fs::symlink_metadata(&target).is_err() {
                        return fs::rename(draft, target).map(|()| name);
                    }
                }
                Err(_) => {}
            }
            last = name;
        }
        fs::rename(draft, self.0.join(&last)).map(|()| last)
    }

    fn write_draft(&self, content: &[u8]) -> io::Result<PathBuf> {
        let draft = self.0.join(draft_name());
        let written = new_file()
            .open(&draft)
            .and_then(|mut file| file.write_all(content));
        match written {
            Ok(()) => Ok(draft),
            Err(error) => {
                let _ = fs::remove_file(&draft);
                Err(error)
            }
        }
    }

    /// What processes left behind that died while they wrote.
    pub(super) fn remove_old_drafts(&self) -> io::Result<()> {
        let is_old = |modified: SystemTime| modified.elapsed().is_ok_and(|age| age > ABANDONED);
        for entry in fs::read_dir(&self.0)?.flatten() {
            let name = entry.file_name().into_string().unwrap_or_default();
            let is_old = || {
                entry
                    .metadata()
                    .and_then(|meta| meta.modified())
                    .is_ok_and(is_old)
            };
            if is_draft_name(&name) && is_old() {
                self.remove(&name)?;
            }
        }
        Ok(())
    }

    /// The names of all pages, the oldest first.
    pub(super) fn pages(&self) -> io::Result<Vec<String>> {
        let entries = fs::read_dir(&self.0)?.flatten();
        // A folder or a link is not made here, whatever its name is.
        let files = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
        let names = files.filter_map(|entry| entry.file_name().into_string().ok());
        let mut pages: Vec<String> = names.filter(|name| is_page_name(name)).collect();
        // They begin with their time, in as many digits.
        pages.sort_unstable();
        Ok(pages)
    }

    /// Another process that writes into the same folder may have been faster.
    pub(super) fn remove(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.0.join(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }
}

/// A draft of this age is of a process that died: they are named as soon as they are written.
const ABANDONED: Duration = Duration::from_secs(3_600);

/// Its own for each file. Processes of several containers may have the same id.
fn draft_name() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let random = RandomState::new().hash_one(number);
    format!(".trace-{}-{random:016x}.part", std::process::id())
}

fn is_draft_name(name: &str) -> bool {
    let middle = name
        .strip_prefix(".trace-")
        .and_then(|name| name.strip_suffix(".part"));
    let parts = middle.and_then(|middle| middle.split_once('-'));
    parts.is_some_and(|(process, random)| {
        process.parse::<u32>().is_ok() && u64::from_str_radix(random, 16).is_ok()
    })
}

/// Without a `/` or `/.` at its end, which would have a link followed before it is seen.
fn trimmed(folder: &Path) -> PathBuf {
    let trimmed: PathBuf = folder.components().collect();
    if trimmed.as_os_str().is_empty() {
        PathBuf::from(".")
    } else {
        trimmed
    }
}

fn make_folder(folder: &Path) -> io::Result<()> {
    match fs::symlink_metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            new_folder().create(folder)?;
            // Somebody else may have been faster.
            check(&fs::symlink_metadata(folder)?)
        }
        found => check(&found?),
    }
}

fn check(folder: &Metadata) -> io::Result<()> {
    let refused = |kind, reason| Err(io::Error::new(kind, reason));
    if folder.is_symlink() {
        let reason = "it is a symbolic link; name the folder that it leads to";
        refused(io::ErrorKind::NotADirectory, reason)
    } else if !folder.is_dir() {
        refused(io::ErrorKind::NotADirectory, "it is not a folder")
    } else if is_writable_by_all(folder) {
        let reason = "every user can write to it; name a folder of your own inside";
        refused(io::ErrorKind::PermissionDenied, reason)
    } else {
        Ok(())
    }
}

/// Also where it is sticky: that keeps others from removing what is there, and from nothing else.
#[cfg(unix)]
fn is_writable_by_all(folder: &Metadata) -> bool {
    const OTHERS_WRITE: u32 = 0o002;
    std::os::unix::fs::MetadataExt::mode(folder) & OTHERS_WRITE != 0
}

#[cfg(not(unix))]
fn is_writable_by_all(_: &Metadata) -> bool {
    false
}

fn new_folder() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

/// Follows no link, and replaces nothing.
fn new_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
