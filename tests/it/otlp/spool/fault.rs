//! What may be in a folder, and disks that fail. Here with `unsafe`, for limits of a process.
#![expect(
    unsafe_code,
    reason = "limits and users of a process have no safe calls here"
)]

use std::ffi::CString;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{chown, symlink};

use nix::libc;

use super::{Folder, NOBODY, assert_books, exporting, leave, record, sorted, wait_until};
use crate::pipeline::otlp::build;
use crate::pipeline::{AGES, Warnings};
use crate::support::child::is_child;
use crate::support::scripted::{Scripted, taken};

/// The name of a file with another random number.
fn renamed(name: &str, number: u64) -> String {
    let mut parts: Vec<String> = name.split('-').map(str::to_owned).collect();
    parts[1] = format!("{number:016x}");
    parts.join("-")
}

/// Files that are torn or changed are removed. What is not a spool's is left, whatever its kind, and so are files of
/// a newer format. A draft is removed if nobody writes it.
#[test]
fn what_is_not_whole_is_never_sent() {
    let folder = Folder::new("torn");
    leave(folder.spool(), 0..7);
    let good = folder.names().swap_remove(0);
    let bytes = fs::read(folder.0.join(&good)).expect("a file");
    let put = |name: &str, bytes: &[u8]| fs::write(folder.0.join(name), bytes).expect("a file");
    put(&renamed(&good, 1), &bytes[..bytes.len() - 1]);
    put(&renamed(&good, 2), &[]);
    let mut changed = bytes.clone();
    *changed.last_mut().expect("a byte") ^= 1;
    put(&renamed(&good, 3), &changed);
    put(&format!("{}.draft", renamed(&good, 4)), &bytes[..9]);
    let mut newer = bytes.clone();
    newer[8] = 2;
    put(&renamed(&good, 5), &newer);
    put("notes.txt", b"mine");
    fs::create_dir(folder.0.join(renamed(&good, 6))).expect("a folder");
    symlink(folder.0.join("notes.txt"), folder.0.join(renamed(&good, 7))).expect("a link");
    let pipe = folder.0.join(renamed(&good, 8));
    let pipe = CString::new(pipe.as_os_str().as_bytes()).expect("a path");
    // SAFETY: the text ends with 0 and lives as long as the call.
    assert_eq!(unsafe { libc::mkfifo(pipe.as_ptr(), 0o600) }, 0);
    let receiver = Scripted::answering(vec![taken()]);
    let pipeline = build(exporting(receiver.url(), folder.spool()));
    wait_until(&pipeline, |counts| {
        counts.spool.sent == 7 && counts.spool.broken_files == 3
    });
    pipeline.shutdown(AGES).expect("down in time");
    assert_eq!(sorted(&receiver.requests()), (0..7).collect::<Vec<_>>());
    let mut left: Vec<String> = (5..9).map(|number| renamed(&good, number)).collect();
    left.push("notes.txt".to_owned());
    left.sort();
    assert_eq!(folder.names(), left);
}

/// A disk that is full after 200 bytes: the first file cannot be written. There is one warning, no draft is left, the
/// process goes on, and what was to be written counts.
#[test]
fn a_disk_that_fails_turns_the_spool_off() {
    if !is_child("otlp::spool::fault::a_disk_that_fails_turns_the_spool_off") {
        return;
    }
    let folder = Folder::new("full-disk");
    let warnings = Warnings::default();
    let builder = exporting(NOBODY, folder.spool());
    let pipeline = build(warnings.of(builder));
    let limit = libc::rlimit {
        rlim_cur: 200,
        rlim_max: libc::RLIM_INFINITY,
    };
    // SAFETY: the signal is ignored, and the limit lives as long as the call.
    let limited = unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
        libc::setrlimit(libc::RLIMIT_FSIZE, &limit)
    };
    assert_eq!(limited, 0);
    record(&pipeline, 0..35);
    pipeline.shutdown(AGES).expect("down in time");
    let counts = pipeline.counts();
    assert_eq!((counts.spooled, counts.dropped.total()), (0, 35));
    assert!(counts.dropped.spool_failed > 0, "{counts:?}");
    assert_books(&counts);
    drop(pipeline);
    let warnings = warnings.take();
    let is_off = |warning: &&String| warning.contains("is off, and spans that do not fit");
    assert_eq!(warnings.iter().filter(is_off).count(), 1, "{warnings:?}");
    assert_eq!(folder.names(), [""; 0]);
}

/// A folder that cannot be written, as on a file system that is read-only. Root may write everywhere, so the child
/// becomes another user.
#[test]
fn a_folder_that_cannot_be_written_is_refused() {
    if !is_child("otlp::spool::fault::a_folder_that_cannot_be_written_is_refused") {
        return;
    }
    let folder = Folder::new("read-only");
    fs::create_dir_all(&folder.0).expect("a folder");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o500);
    fs::set_permissions(&folder.0, mode).expect("its mode");
    if chown(&folder.0, Some(65_534), None).is_ok() {
        // SAFETY: it changes the user of this process, which runs this test alone.
        assert_eq!(unsafe { libc::seteuid(65_534) }, 0);
    }
    let warnings = Warnings::default();
    drop(build(warnings.of(exporting(NOBODY, folder.spool()))));
    let warnings = warnings.take();
    assert!(
        warnings.len() == 1 && warnings[0].contains("no file can be created in it"),
        "{warnings:?}"
    );
    // SAFETY: as above; the folder is removed by who made it.
    unsafe { libc::seteuid(libc::getuid()) };
}
