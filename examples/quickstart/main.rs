//! Counts the words of a folder, and shows how the time was spent as a tree of spans.
//!
//! ```sh
//! cargo run --example quickstart -- [FOLDER]
//! ```
//!
//! Without a folder it reads this repository. One file there is not UTF-8 and fails, and one
//! question is given up after a while: see how both look in the tree.
//!
//! `run` says where spans go: here they are printed; an application has an OTLP exporter beside.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::Utf8Error;
use std::time::Duration;

use enter_span::{enter_span, in_span};
use enter_span_pipeline::{Console, Pipeline};
use futures::StreamExt as _;

/// No folder is too large to try: reading stops here, and the span says so.
const MOST_FILES: usize = 400;

/// Files larger than this are passed over.
const MOST_BYTES: u64 = 1 << 20;

/// How many files are read at the same time.
const AT_ONCE: usize = 8;

/// How long a definition is waited for.
const PATIENCE: Duration = Duration::from_millis(10);

#[tokio::main]
async fn main() -> ExitCode {
    let folder = std::env::args_os().nth(1);
    let folder = folder.map_or_else(this_repository, PathBuf::from);
    match run(&folder, Console::new(), &mut io::stdout()).await {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            drop(writeln!(io::stderr(), "quickstart: {folder:?}: {error}"));
            ExitCode::from(2)
        }
        _ => ExitCode::SUCCESS,
    }
}

fn this_repository() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_owned()
}

/// Does the work, and prints the words, the waterfall and the totals.
async fn run(folder: &Path, console: Console, output: &mut impl Write) -> io::Result<()> {
    if !fs::metadata(folder)?.is_dir() {
        return Err(io::Error::new(io::ErrorKind::NotADirectory, "not a folder"));
    }
    // From here on spans are recorded, and printed when their trace is finished.
    let pipeline = Pipeline::builder().with_exporter(console).install();
    let pipeline = pipeline.map_err(io::Error::other)?;

    let report = report(folder).await?;
    output.write_all(report.to_text().as_bytes())?;
    output.write_all(b"\n")?;

    // The last spans leave here.
    let down = pipeline.shutdown(Duration::from_secs(5));
    down.map_err(io::Error::other)?;
    let counts = pipeline.counts();
    let (spans, dropped) = (counts.exported, counts.dropped.total());
    writeln!(output, "{spans} spans, {dropped} dropped")
}

type Words = HashMap<String, usize>;

/// The root of the tree. Whatever is called in here finds its parent by itself, across `.await`.
#[enter_span("report", attributes(folder = %folder.display()))]
async fn report(folder: &Path) -> io::Result<Report> {
    let found = find_files(folder)?;
    let counted = count_words(folder, &found.files).await;

    let distinct = counted.words.len();
    let commonest = in_span!("rank", attributes(words.distinct = distinct), |_span| {
        rank(counted.words)
    });

    // A future that is dropped before it is ready leaves a span that says `cancelled`.
    let definition = match commonest.first() {
        Some((word, _)) => tokio::time::timeout(PATIENCE, define(word)).await.ok(),
        None => None,
    };
    Ok(Report {
        commonest,
        definition,
        files: found.files.len(),
        passed_over: found.passed_over,
        failed: counted.failed,
    })
}

/// Paths are relative to the folder that was asked for.
#[derive(Default)]
struct Found {
    files: Vec<PathBuf>,
    passed_over: usize,
    cut_short: bool,
}

/// Attributes are what was asked, and projections of what came out.
#[enter_span(
    "find files",
    attributes(limit = MOST_FILES),
    ret(files = |found| found.files.len(), cut = |found| found.cut_short),
)]
fn find_files(folder: &Path) -> io::Result<Found> {
    let mut found = Found::default();
    found.walk(folder, Path::new(""))?;
    Ok(found)
}

impl Found {
    fn walk(&mut self, top: &Path, inner: &Path) -> io::Result<()> {
        let mut entries: Vec<_> = fs::read_dir(top.join(inner))?.flatten().collect();
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            if self.cut_short {
                break;
            }
            let path = inner.join(entry.file_name());
            // Links are neither files nor folders, so there are no circles to walk in.
            match entry.metadata() {
                Ok(meta) if meta.is_dir() && !is_boring(&path) => {
                    self.passed_over += usize::from(self.walk(top, &path).is_err());
                }
                Ok(meta) if meta.is_file() && meta.len() <= MOST_BYTES => self.add(path),
                _ => self.passed_over += 1,
            }
        }
        Ok(())
    }

    fn add(&mut self, file: PathBuf) {
        if self.files.len() < MOST_FILES {
            self.files.push(file)
        } else {
            self.cut_short = true
        }
    }
}

fn is_boring(folder: &Path) -> bool {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with('.') || name == "target"
}

#[derive(Default)]
struct Counted {
    words: Words,
    failed: usize,
}

/// Several files at a time, in one task: each of them is a child of this span.
#[enter_span(
    "count words",
    attributes(files = files.len(), at_once = AT_ONCE),
    ret(failed = |counted| counted.failed),
)]
async fn count_words(folder: &Path, files: &[PathBuf]) -> Counted {
    let reads = files.iter().map(|file| read(folder, file));
    let mut reads = futures::stream::iter(reads).buffer_unordered(AT_ONCE);
    let mut counted = Counted::default();
    while let Some(read) = reads.next().await {
        match read {
            Ok(words) => words
                .into_iter()
                .for_each(|(word, n)| *counted.words.entry(word).or_default() += n),
            Err(_) => counted.failed += 1,
        }
    }
    counted
}

/// An `Err`, by `?` or otherwise, marks its span. `|span|` is for what is known later.
#[enter_span(attributes(file.path = %file.display()), |span|)]
async fn read(folder: &Path, file: &Path) -> Result<Words, Box<dyn Error>> {
    let bytes = tokio::fs::read(folder.join(file)).await?;
    span.set_attribute("file.size", bytes.len());
    Ok(parse(&bytes)?)
}

/// A word is what stands between two characters that are no letters.
#[enter_span(ret(words = |words| words.values().sum::<usize>()))]
fn parse(bytes: &[u8]) -> Result<Words, Utf8Error> {
    let mut words = Words::new();
    let parts = std::str::from_utf8(bytes)?.split(|c: char| !c.is_alphabetic());
    for word in parts.filter(|part| !part.is_empty()) {
        *words.entry(word.to_lowercase()).or_default() += 1;
    }
    Ok(words)
}

/// Asks for the meaning of a word. The sleep stands for a server that takes its time.
#[enter_span(kind = client, attributes(word))]
async fn define(word: &str) -> String {
    tokio::time::sleep(Duration::from_secs(60)).await;
    format!("{word}: a word")
}

fn rank(words: Words) -> Vec<(String, usize)> {
    let mut ranked: Vec<_> = words.into_iter().collect();
    ranked.sort_by(|(a, n), (b, m)| m.cmp(n).then_with(|| a.cmp(b)));
    ranked.truncate(10);
    ranked
}

struct Report {
    commonest: Vec<(String, usize)>,
    definition: Option<String>,
    files: usize,
    passed_over: usize,
    failed: usize,
}

impl Report {
    fn to_text(&self) -> String {
        let mut text = format!("The commonest words in {} files", self.files);
        if self.passed_over > 0 {
            text += &format!(", {} passed over", self.passed_over);
        }
        if self.failed > 0 {
            text += &format!(", {} failed", self.failed);
        }
        text += "\n\n";
        for (word, count) in &self.commonest {
            text += &format!("{count:>8}  {word}\n");
        }
        if let (Some((word, _)), None) = (self.commonest.first(), &self.definition) {
            text += &format!("\nNobody defined \"{word}\" within {PATIENCE:?}.\n");
        }
        text
    }
}
