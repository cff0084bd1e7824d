//! The binary over `corpus/*.in.rs`, each of which becomes the `.out.rs` beside it and says the
//! `.err`. Those with `.keep` in their name are run with `--keep-arguments`.

use std::fs;
use std::path::Path;

use crate::kit::{Folder, patched, run};

struct Case {
    name: String,
    before: String,
    after: String,
    said: String,
}

fn cases() -> Vec<Case> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let entries = fs::read_dir(&corpus).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|file| file.strip_suffix(".in.rs").map(str::to_owned))
        .collect();
    names.sort();
    assert!(names.len() >= 10, "the corpus is not there: {names:?}");
    let read =
        |name: &str, ending: &str| fs::read_to_string(corpus.join(format!("{name}.{ending}")));
    let case = |name: String| Case {
        before: read(&name, "in.rs").unwrap(),
        after: read(&name, "out.rs").unwrap(),
        said: read(&name, "err").unwrap_or_default(),
        name,
    };
    names.into_iter().map(case).collect()
}

impl Case {
    fn arguments(&self) -> &'static [&'static str] {
        if self.name.ends_with(".keep") {
            &["--keep-arguments"]
        } else {
            &[]
        }
    }

    fn status(&self) -> i32 {
        i32::from(self.said.contains("left: "))
    }

    /// The same file in another form.
    fn map(self, form: impl Fn(&str) -> String) -> Self {
        let (before, after) = (form(&self.before), form(&self.after));
        Case {
            before,
            after,
            ..self
        }
    }

    fn check_written(&self) {
        let folder = Folder::new();
        let path = folder.write("case.rs", &self.before);
        let ran = run(self.arguments().iter().chain(&["--write"]), &path);
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            self.after,
            "{}",
            self.name
        );
        assert_eq!(remarks(&ran.said, &path), self.said, "{}", self.name);
        assert_eq!(ran.status, self.status(), "{}", self.name);
        assert_eq!(ran.printed, "", "{}", self.name);
    }
}

/// The remarks with a place in a file, without the counts that follow.
fn remarks(said: &str, path: &Path) -> String {
    let lines = said
        .lines()
        .filter(|line| line.starts_with("left: ") || line.starts_with("note: "));
    let lines = lines.map(|line| line.replace(path.to_str().unwrap(), "PATH") + "\n");
    lines.collect()
}

#[test]
fn each_file_becomes_what_is_expected() {
    cases().iter().for_each(Case::check_written);
}

#[test]
fn line_ends_of_windows_stay() {
    for case in cases() {
        case.map(|text| text.replace('\n', "\r\n")).check_written();
    }
}

#[test]
fn a_byte_order_mark_stays() {
    for case in cases() {
        case.map(|text| format!("\u{feff}{text}")).check_written();
    }
}

#[test]
fn a_second_run_changes_nothing() {
    for case in cases() {
        let folder = Folder::new();
        let path = folder.write("case.rs", &case.after);
        run(["--write"].iter(), &path);
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            case.after,
            "{}",
            case.name
        );
    }
}

#[test]
fn the_diff_says_what_writing_does() {
    for case in cases() {
        let folder = Folder::new();
        let path = folder.write("case.rs", &case.before);
        let ran = run(case.arguments().iter(), &path);
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            case.before,
            "{}",
            case.name
        );
        assert_eq!(
            patched(&case.before, &ran.printed),
            case.after,
            "{}",
            case.name
        );
        assert_eq!(ran.status, case.status(), "{}", case.name);
    }
}
