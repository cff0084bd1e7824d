//! Phrases that make a reader stop. Each has a plain verb in its place.

const STOP: [&str; 16] = [
    "is told",
    "are told",
    "is said",
    "was said",
    "says nothing",
    "hangs on",
    "stands in",
    "whoever",
    "what is so",
    "nor ever",
    "of use",
    "at once",
    "prevail",
    "prevails",
    "here and now",
    "no way out",
];

/// Once in a paragraph it is a plain word.
const ONCE: &str = "by itself";

/// Those that stand in the text, as words.
pub(super) fn stop_phrases(text: &str) -> Vec<&'static str> {
    let text = words(text);
    let count = |phrase: &str| text.matches(&format!(" {phrase} ")).count();
    let mut found: Vec<&str> = STOP.into_iter().filter(|one| count(one) > 0).collect();
    if count(ONCE) > 1 {
        found.push(ONCE);
    }
    found
}

/// In lower case, with a space before and behind each word, and without marks.
fn words(text: &str) -> String {
    let lower = text.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric() && c != '\'');
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    format!(" {} ", words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::stop_phrases;

    #[test]
    fn a_phrase_is_found_in_any_case_and_over_marks() {
        assert_eq!(stop_phrases("Nobody IS TOLD."), ["is told"]);
        assert_eq!(stop_phrases("At once, at last"), ["at once"]);
    }

    #[test]
    fn a_part_of_a_word_is_none() {
        assert!(stop_phrases("of useful things; this told us").is_empty());
    }

    #[test]
    fn by_itself_may_stand_once() {
        assert!(stop_phrases("It ends by itself.").is_empty());
        assert_eq!(
            stop_phrases("By itself it starts by itself."),
            ["by itself"]
        );
    }
}
