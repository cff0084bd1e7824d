//! Which folders are used, and who may read them.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};

use enter_span_pipeline::{Pipeline, Spool};

use super::{Folder, exporting, leave};
use crate::pipeline::otlp::{build, export_one};
use crate::pipeline::{Warnings, in_memory};
use crate::support::scripted::{Scripted, taken};

fn mode(path: &Path) -> u32 {
    let found = fs::symlink_metadata(path).expect("a file or a folder");
    found.permissions().mode() & 0o7777
}

#[test]
fn only_the_owner_reads_what_is_written() {
    let folder = Folder::new("owner");
    leave(folder.spool(), 0..5);
    assert_eq!(mode(&folder.0), 0o700);
    let names = folder.names();
    assert!(!names.is_empty());
    for name in names {
        assert_eq!(mode(&folder.0.join(name)), 0o600);
    }
}

/// A pipeline whose spool cannot be used: it warns once, with this, and works without.
#[track_caller]
fn assert_refused(folder: &Path, reason: &str) {
    let receiver = Scripted::answering(vec![taken()]);
    let warnings = Warnings::default();
    let builder = exporting(receiver.url(), Spool::in_folder(folder));
    let pipeline = build(warnings.of(builder));
    export_one(&pipeline);
    assert_eq!(pipeline.counts().exported, 1);
    let warnings = warnings.take();
    let start = format!("spans are not kept in the spool {folder:?}: {reason}");
    assert!(
        warnings.len() == 1 && warnings[0].starts_with(&start),
        "{warnings:?}"
    );
}

#[test]
fn folders_that_others_can_change_are_refused() {
    let folder = Folder::new("refused");
    fs::create_dir_all(&folder.0).expect("a folder");
    let inside = |name: &str| -> PathBuf { folder.0.join(name) };
    fs::create_dir(inside("real")).expect("a folder");
    symlink(inside("real"), inside("link")).expect("a link");
    assert_refused(&inside("link"), "it is a symbolic link; name");
    symlink(inside("none"), inside("dangling")).expect("a link");
    assert_refused(&inside("dangling"), "it is a symbolic link; name");
    fs::write(inside("file"), "").expect("a file");
    assert_refused(&inside("file"), "it cannot be opened as a folder: ");
    assert_refused(&inside("file/inside"), "it cannot be opened as a folder: ");
    for (name, mode) in [("all", 0o777), ("sticky", 0o1777), ("group", 0o770)] {
        fs::create_dir(inside(name)).expect("a folder");
        let permissions = fs::Permissions::from_mode(mode);
        fs::set_permissions(inside(name), permissions).expect("its mode");
        assert_refused(&inside(name), "other users can write to it; name");
    }
    assert!(!inside("none").exists());
}

/// Only root can make a folder somebody else's; others find root's.
#[test]
fn a_folder_of_another_user_is_refused() {
    let folder = Folder::new("other");
    fs::create_dir_all(&folder.0).expect("a folder");
    let other = match chown(&folder.0, Some(12_345), None) {
        Ok(()) => &*folder.0,
        Err(_) => Path::new("/usr"),
    };
    assert_refused(other, "it belongs to another user; name");
}

/// Nothing is made where nobody would use it.
#[test]
fn without_an_exporter_of_otlp_there_are_no_files() {
    let folder = Folder::new("unused");
    let warnings = Warnings::default();
    let builder = Pipeline::builder().with_exporter(in_memory());
    drop(build(warnings.of(builder.with_spool(folder.spool()))));
    let warnings = warnings.take();
    assert!(
        warnings.len() == 1 && warnings[0].contains("no exporter sends OTLP"),
        "{warnings:?}"
    );
    assert!(!folder.0.exists());
}
