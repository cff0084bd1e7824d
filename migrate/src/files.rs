//! Files: which there are, and how one is changed.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// No source file of a person is as long.
const MOST: u64 = 16 << 20;

/// What a walk found.
#[derive(Default)]
pub(crate) struct Files {
    pub(crate) paths: BTreeSet<PathBuf>,
    /// What could not be read, and why.
    pub(crate) faults: Vec<(PathBuf, String)>,
}

impl Files {
    /// Adds a file, or the Rust files below a folder.
    pub(crate) fn add(&mut self, path: &Path) {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => self.walk(path),
            Ok(_) => {
                self.paths.insert(path.to_owned());
            }
            Err(error) => self.fault(path, &error),
        }
    }

    fn walk(&mut self, folder: &Path) {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => return self.fault(folder, &error),
        };
        for entry in entries.flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let is_hidden = name.as_encoded_bytes().starts_with(b".");
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => {
                    if !is_hidden && name != "target" {
                        self.walk(&path);
                    }
                }
                // A link to a file is read, and never written.
                Ok(_) if path.extension() == Some(OsStr::new("rs")) && !path.is_dir() => {
                    self.paths.insert(path);
                }
                Ok(_) => {}
                Err(error) => self.fault(&path, &error),
            }
        }
    }

    fn fault(&mut self, path: &Path, error: &io::Error) {
        self.faults.push((path.to_owned(), error.to_string()));
    }
}

pub(crate) fn read(path: &Path) -> Result<String, String> {
    let metadata = fs::metadata(path).map_err(|error| error.to_string())?;
    if metadata.len() > MOST {
        return Err(format!("longer than {} MiB", MOST >> 20));
    }
    fs::read_to_string(path).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => "is not UTF-8".to_owned(),
        _ => error.to_string(),
    })
}

pub(crate) fn is_link(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink())
}

pub(crate) fn is_read_only(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().readonly())
}

/// Replaces a file by a rename, so that nobody sees half of it. Its permissions stay.
pub(crate) fn write(path: &Path, text: &str) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.{}.migrate", std::process::id()));
    let written = fill(&temporary, path, text).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

fn fill(temporary: &Path, path: &Path, text: &str) -> io::Result<()> {
    let permissions = fs::metadata(path)?.permissions();
    let mut file = File::create_new(temporary)?;
    file.write_all(text.as_bytes())?;
    file.set_permissions(permissions)?;
    file.sync_all()
}
