//! The page that lists the pages of a folder: `index.html`.
//!
//! Its head and its script come first, and then a line for each page, to the end of the file. So a process appends a
//! page at the same cost however many there are, and several processes append to one file. A line that was cut off by
//! a crash costs itself only: the next one begins with a line break.
//!
//! The pages themselves carry what the index shows of them, and the index can be written anew from them. A process
//! writes first its page, then its line. A process that replaces the file reads the folder again afterwards, and
//! appends the pages whose lines went to the file that was replaced. So no page is lost, without a lock.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};

use super::folder::Folder;
use super::html::{policy, summary_in};
use super::page_name::INDEX_NAME;

const PAGE: &str = include_str!("index.html");
const STYLE: &str = concat!(include_str!("page.css"), include_str!("index.css"));
const SCRIPT: &str = concat!(include_str!("text.js"), include_str!("index.js"));

/// The SHA-256 of the style and of the script, which a test compares.
const STYLE_HASH: &str = "sha256-uba1fiQgF6/8rh82HNn7raT7iRM1X8NCIO54OxynRN8=";
const SCRIPT_HASH: &str = "sha256-94YX9skG4nbdbP/+Je69V0ryrOWGPoZ7PjHQWB7St9I=";

/// A file that begins otherwise is not of this kind, and is left alone.
const MARK: &str = "<!doctype html><!-- enter-span: index of traces -->\n";

/// Lines of a new index. The pages of the oldest traces go first.
const MOST_LINES: usize = 10_000;

/// Bytes that are read of an index or of the first line of a page. What is behind them is read from the pages, or not
/// shown.
const MOST_INDEX: u64 = 64 << 20;
const MOST_SUMMARY: u64 = 16 << 10;

pub(super) enum Appended {
    Yes,
    /// There is none yet, or it was removed.
    NoIndex,
}

/// Adds one page. With a foreign file in place of the index, there is nothing to do.
pub(super) fn append(folder: &Folder, page: &str, summary: &str) -> io::Result<Appended> {
    match open(folder)? {
        IndexFile::Ours(mut file) => {
            file.write_all(line(page, summary).as_bytes())?;
            Ok(Appended::Yes)
        }
        IndexFile::Foreign => Ok(Appended::Yes),
        IndexFile::Missing => Ok(Appended::NoIndex),
    }
}

/// Writes the index of these pages, which are in the order of time.
pub(super) fn rewrite(folder: &Folder, pages: &[String]) -> io::Result<()> {
    let known = match open(folder)? {
        IndexFile::Ours(file) => read(file)?,
        IndexFile::Foreign => return Ok(()),
        IndexFile::Missing => String::new(),
    };
    let pages = newest(pages);
    let mut index = empty();
    index.push_str(&lines(folder, pages, &known));
    folder.write(INDEX_NAME, index.as_bytes())?;
    append_late(folder, pages)
}

/// The pages that came while the index was written.
fn append_late(folder: &Folder, listed: &[String]) -> io::Result<()> {
    let listed: HashSet<&String> = listed.iter().collect();
    let mut late = folder.pages()?;
    late.drain(..late.len().saturating_sub(MOST_LINES));
    late.retain(|page| !listed.contains(page));
    match open(folder)? {
        IndexFile::Ours(mut file) => file.write_all(lines(folder, &late, "").as_bytes()),
        IndexFile::Foreign | IndexFile::Missing => Ok(()),
    }
}

fn newest(pages: &[String]) -> &[String] {
    &pages[pages.len().saturating_sub(MOST_LINES)..]
}

enum IndexFile {
    Ours(File),
    Foreign,
    Missing,
}

/// For reading, and for writing at its end.
fn open(folder: &Folder) -> io::Result<IndexFile> {
    let path = folder.path().join(INDEX_NAME);
    let opened = fs::symlink_metadata(&path).and_then(|found| {
        if found.is_file() {
            OpenOptions::new()
                .read(true)
                .append(true)
                .open(&path)
                .map(Some)
        } else {
            Ok(None)
        }
    });
    match opened {
        Ok(Some(file)) => checked(file),
        Ok(None) => Ok(IndexFile::Foreign),
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound => Ok(IndexFile::Missing),
            // Another user's.
            io::ErrorKind::PermissionDenied => Ok(IndexFile::Foreign),
            _ => Err(error),
        },
    }
}

fn checked(mut file: File) -> io::Result<IndexFile> {
    let mut begin = Vec::new();
    (&mut file)
        .take(MARK.len() as u64)
        .read_to_end(&mut begin)?;
    if begin == MARK.as_bytes() {
        Ok(IndexFile::Ours(file))
    } else {
        Ok(IndexFile::Foreign)
    }
}

fn read(file: File) -> io::Result<String> {
    let mut text = Vec::new();
    file.take(MOST_INDEX).read_to_end(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// Without lines.
fn empty() -> String {
    PAGE.replace("<!--policy-->", &policy(SCRIPT_HASH, STYLE_HASH))
        .replace("<!--style-->", STYLE)
        .replace("<!--script-->", SCRIPT)
}

/// Names of pages need no escapes.
fn line(page: &str, summary: &str) -> String {
    format!("\n[\"{page}\",{summary}]")
}

/// The lines of these pages: as they are known, and else from the pages.
fn lines(folder: &Folder, pages: &[String], known: &str) -> String {
    let known: HashMap<&str, &str> = known.lines().filter_map(page_and_summary).collect();
    let mut lines = String::new();
    for page in pages {
        let known = known.get(page.as_str()).map(|summary| line(page, summary));
        let line = known.unwrap_or_else(|| line(page, &summary_of(folder, page)));
        // A `String` takes all that is written to it.
        let _ = lines.write_str(&line);
    }
    lines
}

fn page_and_summary(line: &str) -> Option<(&str, &str)> {
    let (page, rest) = line.strip_prefix("[\"")?.split_once("\",")?;
    // A line without its end was cut off.
    let is_whole = rest.ends_with("]}]");
    let summary = rest.strip_suffix(']').filter(|_| is_whole)?;
    Some((page, summary))
}

/// `null` for a page that an earlier version wrote, or that was removed meanwhile.
fn summary_of(folder: &Folder, page: &str) -> String {
    let first_line = || {
        let file = File::open(folder.path().join(page)).ok()?;
        let mut line = String::new();
        let mut file = BufReader::new(file).take(MOST_SUMMARY);
        file.read_line(&mut line).ok()?;
        Some(line)
    };
    let line = first_line().unwrap_or_default();
    summary_in(&line).unwrap_or("null").to_owned()
}
