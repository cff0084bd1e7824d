//! README and the book show what is true: the first tree, and every page is compiled.

use std::fs;
use std::path::Path;

use enter_span_tests::PAGES;

include!("readme_example.rs");

use crate::support::check::check_async;

const README: &str = include_str!("../../README.md");

/// The programs of the first page are compared with those that a test runs. The second is compiled in the
/// package `tests/from-fastrace`.
const TESTED_ELSEWHERE: [&str; 2] = ["docs/shutdown.md", "docs/from-fastrace.md"];

const TREE: &str = "checkout order=40+80
  price return=120
  charge [client] total=120
checkout order=40+x !ParseIntError
  price !ParseIntError
";

#[test]
fn the_first_example_is_as_shown() {
    assert!(README.contains(include_str!("readme_example.rs")));
    assert!(README.contains(TREE));
    check_async(
        async {
            (
                checkout("40+80").await.is_ok(),
                checkout("40+x").await.is_err(),
            )
        },
        TREE,
    );
}

/// A page that nobody compiles could show anything.
#[test]
fn the_examples_of_every_page_are_compiled() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    for entry in fs::read_dir(docs).expect("the book") {
        let name = entry.expect("a file").file_name();
        let page = format!("docs/{}", name.to_string_lossy());
        let is_known = PAGES.contains(&&*page) || TESTED_ELSEWHERE.contains(&&*page);
        assert!(
            is_known || !page.ends_with(".md"),
            "{page} is not in tests/src/lib.rs"
        );
    }
}
