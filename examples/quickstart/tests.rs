//! The program on folders of known content.

#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::ops::Deref;
use std::sync::{Arc, Mutex};

use enter_span::testing::Recorder;

use super::*;

/// A folder that goes away with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let name = format!("enter-span-quickstart-{}-{test}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).expect("a folder for this test");
        Folder(folder)
    }

    fn with(self, file: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.0.join(file);
        let inner = path.parent().expect("a file is in a folder");
        fs::create_dir_all(inner).expect("a folder for this file");
        fs::write(path, content).expect("a file for this test");
        self
    }
}

impl Deref for Folder {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

#[tokio::test]
async fn every_step_is_where_it_belongs() {
    let folder = Folder::new("tree")
        .with("a.txt", "One fish, two fish")
        .with("in/b.txt", "red fish")
        .with("in/c.txt", b"blue fi\xff")
        .with("target/d.txt", "not this fish")
        .with(".git/e.txt", "nor this fish");
    let trace = Recorder::new().run_async(report(&folder)).await;
    trace.assert_tree(&format!(
        "
        report folder={}
          find files limit=400 files=3 cut=false
          count words files=3 at_once=8 failed=1
            read file.path=a.txt file.size=18
              parse words=4
            read file.path=in/b.txt file.size=8
              parse words=2
            read file.path=in/c.txt file.size=8 !Utf8Error
              parse !Utf8Error
          rank words.distinct=4
          define [client] word=fish ~cancelled
        ",
        folder.display()
    ));
}

/// What the program and its pipeline print, in the order in which they do.
#[derive(Clone, Default)]
struct Printed(Arc<Mutex<Vec<u8>>>);

impl Write for Printed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("the text").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_words_the_waterfall_and_the_totals_are_printed() {
    let folder = Folder::new("run")
        .with("a.txt", "One fish, two fish")
        .with("b.txt", b"\xff");
    let printed = Printed::default();
    let console = Console::to(printed.clone()).with_width(80);
    let done = run(&folder, console, &mut printed.clone()).await;
    done.expect("a report");
    let text = printed.0.lock().expect("the text").clone();
    let text = String::from_utf8(text).expect("text");
    assert!(text.contains("The commonest words in 2 files, 1 failed\n\n       2  fish\n"));
    // The report, the search, the count, two of each read and parse, the ranking, the definition.
    assert!(
        text.contains("  9 spans  2 failed  1 cancelled\nreport "),
        "{text}"
    );
    assert!(
        text.contains("\n└ define (client) ~cancelled word=fish "),
        "{text}"
    );
    // Other tests may run at the same time: their spans are counted too, and those that end after this
    // pipeline's shutdown are dropped.
    let last = text.lines().last().unwrap_or_default();
    assert!(last.contains(" spans, "), "{text}");
}

#[tokio::test]
async fn what_is_no_folder_is_refused() {
    let folder = Folder::new("refused").with("file", "");
    let kind = async |path: &Path| {
        let done = run(path, Console::to(io::sink()), &mut io::sink()).await;
        done.map_err(|error| error.kind())
    };
    assert_eq!(
        kind(&folder.join("missing")).await,
        Err(io::ErrorKind::NotFound)
    );
    assert_eq!(
        kind(&folder.join("file")).await,
        Err(io::ErrorKind::NotADirectory)
    );
}

#[tokio::test]
async fn an_empty_folder_has_no_words_to_define() {
    let folder = Folder::new("empty");
    let report = report(&folder).await.expect("a report");
    assert_eq!(report.to_text(), "The commonest words in 0 files\n\n");
}

#[test]
fn the_number_of_files_has_a_limit() {
    let mut folder = Folder::new("many");
    for n in 0..=MOST_FILES {
        folder = folder.with(&format!("{n}"), "");
    }
    let found = find_files(&folder).expect("files");
    assert_eq!((found.files.len(), found.cut_short), (MOST_FILES, true));
}

#[test]
fn a_file_that_is_too_large_is_passed_over() {
    let folder = Folder::new("large").with("large", vec![b'a'; 1 + (1 << 20)]);
    let found = find_files(&folder).expect("a folder");
    assert_eq!((found.files.len(), found.passed_over), (0, 1));
}

#[tokio::test]
async fn this_repository_has_a_file_that_fails() {
    let repository = this_repository();
    let file = Path::new("examples/quickstart/latin1.txt");
    assert!(fs::exists(repository.join(file)).is_ok_and(|exists| exists));
    assert!(read(&repository, file).await.is_err());
}

#[test]
fn words_are_told_apart_by_all_that_is_no_letter() {
    let words = parse("Élan, élan vital_2 x".as_bytes());
    let ranked = words.map(rank).unwrap_or_default();
    let expected = [("élan", 2), ("vital", 1), ("x", 1)];
    assert_eq!(ranked, expected.map(|(word, n)| (word.to_owned(), n)));
}
