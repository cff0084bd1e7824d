//! The first example of the README gives the tree that the README shows.

include!("readme_example.rs");

use crate::support::check::check_async;

const README: &str = include_str!("../../README.md");

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
