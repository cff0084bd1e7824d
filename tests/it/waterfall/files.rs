//! Pages in a folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use enter_span::{Tracer, enter_span};
use enter_span_pipeline::{HtmlFiles, Pipeline};
use futures::executor::block_on;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter as _};
use rstest::rstest;

use super::{span, span_of};

const AGES: Duration = Duration::from_secs(60);

/// A folder that is not there yet, and goes away with the test.
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    pub(super) fn index(&self) -> String {
        fs::read_to_string(self.0.join("index.html")).expect("an index")
    }

    pub(super) fn new(test: &str) -> Self {
        let name = format!("enter-span-html-{}-{test}", std::process::id());
        Folder(std::env::temp_dir().join(name).join("traces"))
    }

    /// The names in it, in order, without our index.
    pub(super) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).expect("the folder");
        let name = |entry: std::io::Result<fs::DirEntry>| {
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("a name")
        };
        let mut names: Vec<String> = entries.map(name).collect();
        names.retain(|name| name != "index.html" || !self.index().contains("enter-span: index"));
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(
            self.0.parent().unwrap_or(Path::new(".")),
        ));
    }
}

pub(super) fn export(files: &HtmlFiles, spans: impl Into<Vec<SpanData>>) -> OTelSdkResult {
    block_on(files.export(spans.into()))
}

/// The name of the page of a trace that started so many microseconds after the first second.
pub(super) fn name(trace: u128, start: u64) -> String {
    format!("trace-{:017}-{trace:032x}.html", 1_000_000 + start)
}

#[test]
fn a_pipeline_writes_a_page_for_each_trace() {
    let folder = Folder::new("pipeline");
    let resource = Resource::builder_empty().with_service_name("shop").build();
    let builder = Pipeline::builder()
        .with_environment(|_| None)
        .with_resource(resource);
    let builder = builder.with_exporter(HtmlFiles::in_folder(&folder.0));
    let pipeline = builder.build().expect("a pipeline");
    let tracer = Tracer::new(pipeline.provider(), "it");
    for root in ["first", "second"] {
        tracer.enter_span(root, |_| enter_span("child", |_| {}));
    }
    pipeline.shutdown(AGES).expect("shut down in time");
    assert_eq!(pipeline.counts().exported, 4);
    let names = folder.names();
    assert_eq!(names.len(), 2, "{names:?}");
    let page = fs::read_to_string(folder.0.join(&names[0])).expect("a page");
    for text in ["\"first\"", "\"child\"", "\"shop\""] {
        assert!(page.contains(text), "{text}");
    }
    assert!(page.ends_with("</html>\n"));
}

#[test]
fn parts_of_a_trace_have_their_own_files() {
    let folder = Folder::new("parts");
    let files = HtmlFiles::in_folder(&folder.0);
    export(&files, [span(1, 0, "root", 5, 9)]).expect("written");
    export(&files, [span(2, 1, "late", 5, 9)]).expect("written");
    let first = name(1, 5);
    let second = first.replace(".html", "-2.html");
    assert_eq!(folder.names(), [second.clone(), first]);
    let page = fs::read_to_string(folder.0.join(second)).expect("a page");
    assert!(page.contains(r#""notes":["continued"]"#) && page.contains("parent shown before"));
}

#[test]
fn the_oldest_are_removed_and_nothing_else() {
    let folder = Folder::new("limit");
    let files = HtmlFiles::in_folder(&folder.0).with_limit(2);
    fs::create_dir_all(&folder.0).expect("the folder");
    let page = name(0xabc, 0);
    let stem = page.strip_suffix(".html").expect("a page");
    let alike =
        ["-0", "-1", "-02", "-+2", "-1001", "-2-2", "-"].map(|end| format!("{stem}{end}.html"));
    let foreign = ["index.html", "trace-1-2.html", "trace-0.txt"].map(str::to_owned);
    let foreign: Vec<String> = foreign.into_iter().chain(alike).collect();
    for name in &foreign {
        fs::write(folder.0.join(name), "mine").expect("a file of somebody else's");
    }
    for trace in 1..=4 {
        let start = u64::try_from(trace).expect("a time");
        export(&files, [span_of(trace, 1, 0, "root", start, 9)]).expect("written");
    }
    let mut expected = vec![name(3, 3), name(4, 4)];
    expected.extend(foreign);
    expected.sort();
    assert_eq!(folder.names(), expected);
}

/// They see the same old files, and each is removed by one of them only.
#[test]
fn a_folder_can_be_shared() {
    let folder = Folder::new("shared");
    fs::create_dir_all(&folder.0).expect("the folder");
    for old in 0..500 {
        fs::write(folder.0.join(name(9, old)), "old").expect("a page of an earlier run");
    }
    let writers = 4;
    let barrier = Barrier::new(writers);
    let write = &|trace: u128| {
        let files = HtmlFiles::in_folder(&folder.0).with_limit(writers);
        barrier.wait();
        export(&files, [span_of(trace, 1, 0, "root", 1_000, 9)]).expect("written");
    };
    thread::scope(|scope| {
        (1..=4).for_each(|trace| drop(scope.spawn(move || write(trace))));
    });
    assert_eq!(folder.names(), [1, 2, 3, 4].map(|trace| name(trace, 1_000)));
}

#[test]
fn what_is_held_is_written_at_the_shutdown() {
    let folder = Folder::new("held");
    let files = HtmlFiles::in_folder(&folder.0);
    export(&files, [span(2, 1, "child", 0, 9)]).expect("held");
    assert!(!folder.0.exists(), "nothing to write yet");
    files.shutdown().expect("shut down");
    assert_eq!(folder.names(), [name(1, 0)]);
    assert!(export(&files, [span(1, 0, "root", 0, 9)]).is_err());
}

#[test]
fn a_folder_that_cannot_be_is_the_error_of_the_export() {
    let folder = Folder::new("error");
    fs::create_dir_all(folder.0.parent().expect("a folder above")).expect("made");
    fs::write(&folder.0, "a file").expect("a file in the way");
    let files = HtmlFiles::in_folder(&folder.0);
    let error = export(&files, [span(1, 0, "root", 0, 9)]).expect_err("no folder");
    let text = error.to_string();
    assert!(
        text.contains("not a folder") && text.contains("traces"),
        "{text}"
    );
    fs::remove_file(&folder.0).expect("removed");
    export(&files, [span_of(2, 1, 0, "root", 0, 9)]).expect("the next one is written");
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn only_the_owner_can_read() {
        let folder = Folder::new("mode");
        let files = HtmlFiles::in_folder(&folder.0);
        export(&files, [span(1, 0, "root", 0, 9)]).expect("written");
        let mode = |path: &Path| {
            let meta = fs::metadata(path).expect("what the file system says");
            meta.permissions().mode() & 0o777
        };
        assert_eq!(mode(&folder.0), 0o700);
        assert_eq!(mode(&folder.0.join(name(1, 0))), 0o600);
    }

    /// A link in place of the page is left alone, and so is what it leads to.
    #[test]
    fn a_link_inside_is_not_followed() {
        let folder = Folder::new("link");
        fs::create_dir_all(&folder.0).expect("the folder");
        let outside = folder.0.with_file_name("outside");
        symlink(&outside, folder.0.join(name(1, 0))).expect("a link");
        let files = HtmlFiles::in_folder(&folder.0);
        export(&files, [span(1, 0, "root", 0, 9)]).expect("written");
        assert!(!outside.exists());
        let second = name(1, 0).replace(".html", "-2.html");
        assert!(
            fs::symlink_metadata(folder.0.join(second))
                .expect("a page")
                .is_file()
        );
    }

    /// However it is written: nothing is written where it leads to, and no old page is removed there.
    #[rstest]
    #[case("plain", "")]
    #[case("slash", "/")]
    #[case("slashes", "//")]
    #[case("dot", "/.")]
    #[case("dots", "/././/")]
    fn a_folder_that_is_a_link_is_refused(#[case] test: &str, #[case] ending: &str) {
        let folder = Folder::new(&format!("linked-{test}"));
        let outside = folder.0.with_file_name("outside");
        fs::create_dir_all(&outside).expect("a folder elsewhere");
        for trace in 7..9 {
            fs::write(outside.join(name(trace, 0)), "old").expect("a page");
        }
        symlink(&outside, &folder.0).expect("a link");
        let written = format!("{}{ending}", folder.0.display());
        let files = HtmlFiles::in_folder(written).with_limit(1);
        let error = export(&files, [span(1, 0, "root", 0, 9)]).expect_err("refused");
        assert!(error.to_string().contains("a symbolic link"), "{error}");
        let mut left = Folder::new(&format!("linked-{test}"));
        left.0.set_file_name("outside");
        assert_eq!(left.names(), [name(7, 0), name(8, 0)]);
    }

    /// A link that leads nowhere is one as well, and nothing is made where it leads to.
    #[test]
    fn a_link_that_leads_nowhere_is_refused() {
        let folder = Folder::new("dangling");
        let outside = folder.0.with_file_name("outside");
        fs::create_dir_all(folder.0.parent().expect("a folder above")).expect("made");
        symlink(&outside, &folder.0).expect("a link");
        let files = HtmlFiles::in_folder(folder.0.join(""));
        export(&files, [span(1, 0, "root", 0, 9)]).expect_err("refused");
        assert!(!outside.exists());
    }

    /// Folders above are the user's choice: `/tmp` is a link on some systems, and so is the release that
    /// is current.
    #[rstest]
    #[case("above", "link/traces")]
    #[case("parent", "link/../elsewhere/traces")]
    #[case("ending", "link/traces/./")]
    fn a_link_above_is_followed(#[case] test: &str, #[case] path: &str) {
        let folder = Folder::new(&format!("link-{test}"));
        let above = folder.0.parent().expect("a folder above");
        let outside = above.join("elsewhere");
        fs::create_dir_all(&outside).expect("a folder elsewhere");
        symlink(&outside, above.join("link")).expect("a link");
        let files = HtmlFiles::in_folder(above.join(path));
        export(&files, [span(1, 0, "root", 0, 9)]).expect("written");
        assert!(outside.join("traces").join(name(1, 0)).is_file());
    }

    /// Others could put pages of theirs among those that somebody opens in a browser, and have old ones
    /// removed. A sticky folder, as `/tmp`, keeps them from removing, and from nothing else.
    #[rstest]
    #[case("all", 0o777, false)]
    #[case("others", 0o702, false)]
    #[case("sticky", 0o1777, false)]
    #[case("group", 0o770, true)]
    #[case("readable", 0o755, true)]
    #[case("shared", 0o2775, true)]
    fn a_folder_that_all_can_write_to_is_refused(
        #[case] test: &str,
        #[case] mode: u32,
        #[case] is_taken: bool,
    ) {
        let folder = Folder::new(&format!("mode-{test}"));
        fs::create_dir_all(&folder.0).expect("the folder");
        fs::write(folder.0.join(name(9, 0)), "old").expect("a page");
        fs::set_permissions(&folder.0, fs::Permissions::from_mode(mode)).expect("its owner");
        let files = HtmlFiles::in_folder(&folder.0).with_limit(1);
        let written = export(&files, [span(1, 0, "root", 1, 9)]);
        let error = written.err().map(|error| error.to_string());
        let is_refusal = |error: &String| error.contains("every user") && error.contains("traces");
        assert!(error.as_ref().is_none_or(is_refusal), "{error:?}");
        assert_eq!(error.is_none(), is_taken, "{error:?}");
        let left = if is_taken { name(1, 1) } else { name(9, 0) };
        assert_eq!(folder.names(), [left]);
    }

    /// What has the name of a page and is none is no page of ours: it is not removed, and does not count.
    #[test]
    fn only_files_are_removed() {
        let folder = Folder::new("kinds");
        let target = folder.0.with_file_name("mine.html");
        fs::create_dir_all(folder.0.join(name(7, 0))).expect("a folder inside");
        fs::write(&target, "mine").expect("a file");
        symlink(&target, folder.0.join(name(8, 0))).expect("a link");
        let files = HtmlFiles::in_folder(&folder.0).with_limit(1);
        for trace in 1..=2 {
            export(&files, [span_of(trace, 1, 0, "root", 5, 9)]).expect("written");
        }
        assert_eq!(folder.names(), [name(7, 0), name(8, 0), name(2, 5)]);
        assert_eq!(fs::read_to_string(target).expect("a file"), "mine");
    }
}
