//! README, the book in `docs/`, the READMEs of crates, their documentation and comments read easily: short sentences,
//! and none of the phrases that make a reader stop.

mod comment;
mod markdown;
mod phrase;
mod sentence;

use std::fs;
use std::path::{Path, PathBuf};

use markdown::{Block, Kind};
use sentence::Sentence;

use crate::modules;

/// Words in one sentence.
const MOST_WORDS: usize = 40;

/// The median of a page's sentences, in words. Cells of tables are not sentences.
const MOST_MEDIAN: usize = 16;

/// Bytes of the README.
const MOST_README: usize = 8 * 1024;

/// Where comments are read, those of documentation among them. The tests are not: their names are the prose.
const SOURCES: [&str; 12] = [
    "core/src",
    "examples",
    "http/src",
    "macros/src",
    "migrate/src",
    "pipeline/examples",
    "pipeline/src",
    "runtime/src",
    "semconv/src",
    "tracing/src",
    "waterfall/src",
    "xtask/src",
];

/// It is about numbers, and not part of the book.
const NOT_CHECKED: &str = "benches";

pub(crate) fn check(root: &Path) -> Result<String, String> {
    let mut faults = Vec::new();
    let mut lengths = Vec::new();
    let pages = pages(root)?;
    for page in &pages {
        let text = read(page)?;
        let shown = page.strip_prefix(root).unwrap_or(page).display();
        let found = Page::of(&text);
        faults.extend(found.faults.iter().map(|fault| format!("{shown}{fault}")));
        lengths.extend(found.lengths);
    }
    let mut sources = 0;
    for folder in SOURCES {
        for source in rust_files(&root.join(folder))? {
            sources += 1;
            let comments = comment::comments(&read(&source)?);
            let shown = source.strip_prefix(root).unwrap_or(&source).display();
            let found = Page::of_lines(&comments);
            faults.extend(found.faults.iter().map(|fault| format!("{shown}{fault}")));
        }
    }
    let readme = read(&root.join("README.md"))?.len();
    if readme > MOST_README {
        faults.push(format!(
            "README.md: {readme} bytes; move some to docs/, {MOST_README} are allowed"
        ));
    }
    if faults.is_empty() {
        let pages = summary(pages.len(), readme, lengths);
        Ok(format!(
            "{pages}\nno stop phrases in the comments of {sources} source files"
        ))
    } else {
        Err(faults.join("\n"))
    }
}

fn summary(pages: usize, readme: usize, lengths: Vec<usize>) -> String {
    let (sentences, longest) = (lengths.len(), lengths.iter().max().copied());
    format!(
        "{pages} pages, {sentences} sentences: median {} words, longest {}; README.md has {readme} bytes",
        median(lengths),
        longest.unwrap_or_default()
    )
}

/// README.md, docs/*.md and the READMEs of crates.
fn pages(root: &Path) -> Result<Vec<PathBuf>, String> {
    let mut pages = vec![root.join("README.md")];
    for entry in entries(&root.join("docs"))? {
        if entry.extension().is_some_and(|extension| extension == "md") {
            pages.push(entry);
        }
    }
    for folder in entries(root)? {
        let readme = folder.join("README.md");
        if readme.is_file() && !folder.ends_with(NOT_CHECKED) && !folder.ends_with("docs") {
            pages.push(readme);
        }
    }
    Ok(pages)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let fault = |error| format!("{}: {error}", folder.display());
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(fault)? {
        paths.push(entry.map_err(fault)?.path());
    }
    paths.sort();
    Ok(paths)
}

fn rust_files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    modules::rust_files(folder).map_err(|error| format!("{}: {error}", folder.display()))
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// What is wrong with a page, and how long its sentences are.
struct Page {
    faults: Vec<String>,
    lengths: Vec<usize>,
}

impl Page {
    fn of(text: &str) -> Self {
        let mut page = Page::of_lines(text);
        let median = median(page.lengths.clone());
        if median > MOST_MEDIAN {
            page.faults.push(format!(
                ": the median sentence has {median} words; shorten some, {MOST_MEDIAN} are allowed"
            ));
        }
        page
    }

    /// Without the median, which says little of a few comments.
    fn of_lines(text: &str) -> Self {
        let mut page = Page {
            faults: Vec::new(),
            lengths: Vec::new(),
        };
        for block in markdown::blocks(text) {
            page.add(&block);
        }
        page
    }

    fn add(&mut self, block: &Block) {
        let line = block.line;
        for phrase in phrase::stop_phrases(&block.text) {
            self.faults.push(format!(
                ":{line}: \"{phrase}\" makes a reader stop; use a plain verb"
            ));
        }
        for Sentence { words, begin } in sentence::sentences(&block.text) {
            if words > MOST_WORDS {
                self.faults.push(format!(
                    ":{line}: {words} words in \"{begin} ..\"; split it, {MOST_WORDS} are allowed"
                ));
            }
            if block.kind == Kind::Prose {
                self.lengths.push(words);
            }
        }
    }
}

/// The middle one, or the lower of two.
fn median(mut lengths: Vec<usize>) -> usize {
    lengths.sort_unstable();
    let middle = lengths.len().saturating_sub(1) / 2;
    lengths.get(middle).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Page, comment, median};

    fn words(count: usize) -> String {
        vec!["Word"; count].join(" ")
    }

    #[test]
    fn a_long_sentence_is_a_fault_at_its_line() {
        let text = format!("# Title\n\nShort. {}.\n", words(41));
        assert_eq!(
            Page::of(&text).faults,
            [":3: 41 words in \"Word Word Word Word Word ..\"; split it, 40 are allowed"]
        );
        assert!(
            Page::of(&format!("{}. Short.", words(40)))
                .faults
                .is_empty()
        );
    }

    #[test]
    fn a_page_of_long_sentences_is_a_fault() {
        let long = format!("{}. ", words(17));
        let text = format!("{long}{long}{long}Short. Short.");
        assert_eq!(
            Page::of(&text).faults,
            [": the median sentence has 17 words; shorten some, 16 are allowed"]
        );
    }

    #[test]
    fn cells_are_bounded_and_do_not_lower_the_median() {
        let long = words(41);
        let page = Page::of(&format!("| a | {long} |\n|---|---|\n| b | c |\n"));
        assert_eq!(page.faults.len(), 1);
        assert!(page.lengths.is_empty());
    }

    #[test]
    fn code_is_no_prose() {
        let text = "Before.\n\n```text\nwhat is so, at once\n```\n\nThe `at once` argument.\n";
        let page = Page::of(text);
        assert!(page.faults.is_empty(), "{:?}", page.faults);
        assert_eq!(page.lengths, [1, 3]);
    }

    #[test]
    fn comments_are_prose_at_their_lines() {
        let source = "let a = 1;\n/// It is\n/// told. `at once`\nlet b = \"at once\";\n";
        assert_eq!(
            Page::of_lines(&comment::comments(source)).faults,
            [":2: \"is told\" makes a reader stop; use a plain verb"]
        );
    }

    #[test]
    fn the_median_is_the_middle_or_the_lower_of_two() {
        assert_eq!(median(vec![3, 1, 2]), 2);
        assert_eq!(median(vec![4, 1, 2, 3]), 2);
        assert_eq!(median(Vec::new()), 0);
    }
}
