//! The folder, by its handle: what it has by a path may be another one later.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::Path;

use rustix::fs::{
    AtFlags, Dir, FileType, FlockOperation, Mode, OFlags, flock, open, openat, renameat, statat,
    unlinkat,
};
use rustix::process::geteuid;

pub(super) struct Folder {
    handle: File,
}

/// Others do not write here.
const OTHERS_WRITE: u32 = 0o022;

impl Folder {
    /// Creates it if it is not there.
    ///
    /// # Errors
    ///
    /// Why it is no folder for a spool, and what to do.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let is_missing =
            fs::symlink_metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
        if is_missing {
            let mut builder = DirBuilder::new();
            let made = builder.recursive(true).mode(0o700).create(path);
            made.map_err(|error| format!("it cannot be created: {error}; {NAME_ANOTHER}"))?;
        }
        if fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink()) {
            return Err("it is a symbolic link; name the folder that it leads to".to_owned());
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let handle = open(path, flags, Mode::empty()).map(File::from);
        let handle = handle.map_err(|error| {
            let error = io::Error::from(error);
            format!("it cannot be opened as a folder: {error}; {NAME_ANOTHER}")
        })?;
        let folder = Folder { handle };
        folder.check()?;
        Ok(folder)
    }

    fn check(&self) -> Result<(), String> {
        let found = self.handle.metadata();
        let found = found.map_err(|error| format!("it cannot be read: {error}"))?;
        if found.uid() != geteuid().as_raw() {
            return Err("it belongs to another user; name a folder of your own".to_owned());
        }
        if found.mode() & OTHERS_WRITE != 0 {
            let reason = "other users can write to it; name a folder inside, which is created for you alone, or take the access away (`chmod 700`)";
            return Err(reason.to_owned());
        }
        Ok(())
    }

    /// A new file that is locked. `None` if somebody took it for one that is left behind, before it was.
    pub(super) fn create(&self, name: &str) -> io::Result<Option<File>> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = File::from(openat(&self.handle, name, flags, Mode::RUSR | Mode::WUSR)?);
        lock(file)
    }

    /// Locks a file of this name. `None` if another one has the lock, or if there is no file.
    pub(super) fn claim(&self, name: &str) -> io::Result<Option<File>> {
        // A pipe without a writer must not be waited for.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        match openat(&self.handle, name, flags, Mode::empty()) {
            Ok(file) => lock(File::from(file)),
            Err(rustix::io::Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(renameat(&self.handle, from, &self.handle, to)?)
    }

    /// It may be gone already.
    pub(super) fn remove(&self, name: &str) -> io::Result<()> {
        match unlinkat(&self.handle, name, AtFlags::empty()) {
            Ok(()) | Err(rustix::io::Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Bytes of a file. `None` if there is no file of this name.
    pub(super) fn size(&self, name: &str) -> Option<u64> {
        let found = statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        let is_file = FileType::from_raw_mode(found.st_mode) == FileType::RegularFile;
        if is_file {
            u64::try_from(found.st_size).ok()
        } else {
            None
        }
    }

    /// Calls this with each name that is text.
    pub(super) fn for_each_name(&self, mut work: impl FnMut(&str)) -> io::Result<()> {
        for entry in Dir::read_from(&self.handle)? {
            if let Ok(name) = entry?.file_name().to_str() {
                work(name);
            }
        }
        Ok(())
    }

    /// Has names last as their files do.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.handle.sync_all()
    }
}

const NAME_ANOTHER: &str = "name a folder that this user can create and write";

/// Others may claim it, also while this handle is open.
pub(super) fn unlock(file: &File) -> io::Result<()> {
    Ok(flock(file, FlockOperation::Unlock)?)
}

/// `None` if another one has the lock, or had it and has removed the file.
fn lock(file: File) -> io::Result<Option<File>> {
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    let found = file.metadata()?;
    Ok((found.is_file() && found.nlink() > 0).then_some(file))
}
