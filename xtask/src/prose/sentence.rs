//! Sentences of plain text.

/// A sentence: how many words it has, and the first five of them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sentence {
    pub(super) words: usize,
    pub(super) begin: String,
}

/// Behind these a dot ends no sentence.
const ABBREVIATIONS: [&str; 5] = ["e.g.", "i.e.", "etc.", "vs.", "cf."];

/// What may stand between the end of a sentence and the space behind it.
const CLOSING: [char; 5] = [')', '"', '\'', '”', '’'];

pub(super) fn sentences(text: &str) -> Vec<Sentence> {
    let mut sentences = Vec::new();
    let mut words: Vec<&str> = Vec::new();
    let mut rest = text.split_whitespace().peekable();
    while let Some(word) = rest.next() {
        if word.contains(char::is_alphanumeric) {
            words.push(word);
        }
        let is_last = rest.peek().is_none_or(|next| ends(word, next));
        if is_last && !words.is_empty() {
            sentences.push(Sentence {
                words: words.len(),
                begin: words[..words.len().min(5)].join(" "),
            });
            words.clear();
        }
    }
    sentences
}

/// A sentence ends with a word that ends in a mark, if the next one does not begin in lower case.
fn ends(word: &str, next: &str) -> bool {
    let is_abbreviation = ABBREVIATIONS.contains(&word.trim_start_matches('('));
    let is_marked = word.trim_end_matches(CLOSING).ends_with(['.', '!', '?']);
    let goes_on = next.starts_with(char::is_lowercase);
    is_marked && !is_abbreviation && !goes_on
}

#[cfg(test)]
mod tests {
    use super::sentences;

    fn lengths(text: &str) -> Vec<usize> {
        sentences(text).iter().map(|one| one.words).collect()
    }

    #[test]
    fn a_mark_and_a_capital_end_a_sentence() {
        assert_eq!(
            lengths("One two. Three! Four five six? Seven"),
            [2, 1, 3, 1]
        );
    }

    #[test]
    fn numbers_versions_and_abbreviations_do_not() {
        assert_eq!(lengths("It takes 0.33 ns, e.g. CODE of 1.2.3 here."), [9]);
        assert_eq!(lengths("See a, b, etc. and c."), [6]);
    }

    #[test]
    fn a_quote_or_a_bracket_may_close_behind_the_mark() {
        assert_eq!(lengths("(One two.) Three. \"Four?\" Five."), [2, 1, 1, 1]);
    }

    #[test]
    fn a_colon_ends_none() {
        assert_eq!(lengths("One: two; three."), [3]);
    }

    #[test]
    fn marks_alone_are_no_words() {
        assert_eq!(lengths("One – two + three."), [3]);
        assert_eq!(lengths(""), [0; 0]);
        assert_eq!(lengths(".. ?"), [0; 0]);
    }

    #[test]
    fn it_shows_how_it_begins() {
        assert_eq!(sentences("a b c d e f g.")[0].begin, "a b c d e");
        assert_eq!(sentences("a b.")[0].begin, "a b.");
    }
}
