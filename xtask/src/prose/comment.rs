//! The comments of a source file.

/// The file with comments alone, as Markdown: a line of code is an empty line, so that lines keep their numbers.
/// A comment behind code is not read.
pub(super) fn comments(source: &str) -> String {
    source.lines().map(|line| comment(line) + "\n").collect()
}

fn comment(line: &str) -> String {
    let text = line.trim_start().strip_prefix("//");
    let text = text.map(|text| text.strip_prefix(['/', '!']).unwrap_or(text));
    text.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::comments;

    #[test]
    fn lines_keep_their_numbers() {
        let source = "//! Module.\nfn f() {\n    // Plain.\n    g(); // Behind.\n}\n/// Item.\n";
        assert_eq!(comments(source), " Module.\n\n Plain.\n\n\n Item.\n");
    }
}
