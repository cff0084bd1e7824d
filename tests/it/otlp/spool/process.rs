//! Several processes with one folder, and processes that die.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use enter_span_pipeline::{Pipeline, Spool};

use super::{Folder, NOBODY, exporting, leave, names, record, sorted, wait_until};
use crate::pipeline::AGES;
use crate::pipeline::otlp::build;
use crate::support::child::{is_child_with, start_child};
use crate::support::scripted::{Scripted, Then, taken};

const FOLDER: &str = "SPOOL_FOLDER";
const URL: &str = "SPOOL_URL";

/// In a child.
fn pipeline_of_child() -> (Pipeline, PathBuf) {
    let folder = PathBuf::from(env::var_os(FOLDER).expect("a folder"));
    let url = env::var(URL).expect("a URL");
    (build(exporting(&url, Spool::in_folder(&folder))), folder)
}

fn variables(folder: &Path, url: &str) -> [(&'static str, String); 2] {
    let folder = folder.to_str().expect("a path");
    [(FOLDER, folder.to_owned()), (URL, url.to_owned())]
}

/// A process that ends while the receiver is away, and another one that sends.
#[test]
fn the_next_process_sends_what_one_has_left() {
    let folder = Folder::new("next-process");
    let test = "otlp::spool::process::the_next_process_sends_what_one_has_left";
    if is_child_with(test, &variables(&folder.0, NOBODY)) {
        let (pipeline, _) = pipeline_of_child();
        record(&pipeline, 0..50);
        pipeline.shutdown(AGES).expect("down in time");
        assert_eq!(pipeline.counts().spooled, 50);
        return;
    }
    let receiver = Scripted::answering(vec![taken()]);
    let arrived = super::drain(&receiver, folder.spool(), 50);
    assert_eq!(arrived, (0..50).collect::<Vec<_>>());
}

/// Three processes empty one folder. Each file is sent by one of them.
#[test]
fn processes_share_a_folder() {
    let test = "otlp::spool::process::processes_share_a_folder";
    if env::var_os(FOLDER).is_some() {
        let (pipeline, folder) = pipeline_of_child();
        wait_until(&pipeline, |_| names(&folder).is_empty());
        pipeline.shutdown(AGES).expect("down in time");
        return;
    }
    let folder = Folder::new("shared");
    assert_eq!(leave(folder.spool(), 0..600).spooled, 600);
    let receiver = Scripted::answering(vec![taken()]);
    let variables = variables(&folder.0, receiver.url());
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| assert!(!is_child_with(test, &variables)));
        }
    });
    assert_eq!(sorted(&receiver.requests()), (0..600).collect::<Vec<_>>());
}

/// A process is killed while the receiver has a request and has not answered. The kernel releases its claim, and
/// another process, which was there before, or comes later, sends all.
#[test]
fn a_killed_process_loses_no_file() {
    let test = "otlp::spool::process::a_killed_process_loses_no_file";
    if env::var_os(FOLDER).is_some() {
        let (pipeline, _) = pipeline_of_child();
        // It waits to be killed.
        wait_until(&pipeline, |counts| counts.spool.sent > 0);
        return;
    }
    let folder = Folder::new("killed");
    assert_eq!(leave(folder.spool(), 0..50).spooled, 50);
    let before = folder.names();
    let (has_request, requests) = mpsc::channel();
    let silent = Scripted::start(move |_, stream| {
        has_request.send(()).ok();
        crate::support::scripted::wait_for_end(stream);
        Then::Close
    });
    let child = start_child(test, &variables(&folder.0, silent.url()));
    let mut child = child.expect("this is no child");
    requests.recv_timeout(AGES).expect("a request");
    // While it is alive, its file is not sent by others.
    let receiver = Scripted::answering(vec![taken()]);
    let beside = build(exporting(receiver.url(), folder.spool()));
    wait_until(&beside, |_| folder.names().len() == 1);
    assert_eq!(folder.names(), before[..1]);
    beside.shutdown(AGES).expect("down in time");
    child.kill().expect("killed");
    child.wait().expect("its end");
    let later = build(exporting(receiver.url(), folder.spool()));
    wait_until(&later, |_| folder.names().is_empty());
    later
        .shutdown(Duration::from_secs(60))
        .expect("down in time");
    assert_eq!(sorted(&receiver.requests()), (0..50).collect::<Vec<_>>());
}
