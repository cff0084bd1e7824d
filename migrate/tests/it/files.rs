//! What the binary does with folders, with files that are not as they should be, and with its
//! command line.

use std::fs;

use crate::kit::{Folder, command, finish, run};

const BEFORE: &str = "#[tracing::instrument(skip_all)]\nfn f(a: u8) {}\n";
const AFTER: &str = "#[enter_span::enter_span]\nfn f(a: u8) {}\n";
const WRITE: [&str; 1] = ["--write"];

#[test]
fn without_a_path_it_says_how_it_is_used() {
    for arguments in [&[][..], &["--write"], &["--unknown", "src"]] {
        let ran = finish(command().args(arguments));
        assert_eq!(ran.status, 2, "{arguments:?}");
        assert!(
            ran.said.contains("usage: enter-span-migrate "),
            "{}",
            ran.said
        );
        assert_eq!(ran.printed, "");
    }
}

#[test]
fn help_goes_to_stdout() {
    let ran = finish(command().arg("--help"));
    assert_eq!((ran.status, ran.said.as_str()), (0, ""));
    assert!(ran.printed.starts_with("usage: enter-span-migrate "));
}

#[test]
fn folders_are_walked_without_target_and_hidden_ones() {
    let folder = Folder::new();
    let read = ["lib.rs", "a/b/c.rs"].map(|name| folder.write(name, BEFORE));
    let skipped = ["target/d.rs", "a/target/e.rs", ".git/f.rs", "a/notes.txt"];
    let skipped = skipped.map(|name| folder.write(name, BEFORE));
    let ran = run(WRITE.iter(), folder.path());
    for path in read {
        assert_eq!(fs::read_to_string(path).unwrap(), AFTER);
    }
    for path in skipped {
        assert_eq!(fs::read_to_string(path).unwrap(), BEFORE);
    }
    assert_eq!(ran.status, 0);
    assert!(
        ran.said
            .contains("rewrote 2 attributes in 2 of 2 files; left 0"),
        "{}",
        ran.said
    );
    assert!(
        ran.said.contains("Cargo.toml needs `enter-span = "),
        "{}",
        ran.said
    );
}

#[test]
fn the_diff_has_three_lines_around_each_change() {
    let folder = Folder::new();
    let before = "use tracing::{info, instrument};\n\n\n\n\n\n\n\n\n#[instrument]\nfn f() {}\n";
    let path = folder.write("lib.rs", before);
    let ran = run([].iter(), &path);
    // A line more after the first change, so the second one begins a line later.
    let path = path.display();
    let diff = format!(
        "--- {path}\n+++ {path}\n\
         @@ -1,4 +1,5 @@\n\
         -use tracing::{{info, instrument}};\n\
         +use enter_span::enter_span;\n\
         +use tracing::info;\n \n \n \n\
         @@ -7,5 +8,5 @@\n \n \n \n\
         -#[instrument]\n\
         +#[enter_span]\n fn f() {{}}\n"
    );
    assert_eq!(ran.printed, diff);
}

#[test]
fn a_file_that_is_given_twice_is_read_once() {
    let folder = Folder::new();
    let path = folder.write("lib.rs", BEFORE);
    let ran = finish(command().arg(folder.path()).arg(&path));
    assert!(
        ran.said
            .contains("would rewrite 1 attributes in 1 of 1 files"),
        "{}",
        ran.said
    );
}

#[test]
fn a_missing_path_is_named() {
    let folder = Folder::new();
    let ran = run(WRITE.iter(), &folder.path().join("absent"));
    assert_eq!(ran.status, 1);
    assert!(ran.said.starts_with("left: "), "{}", ran.said);
}

#[test]
fn what_does_not_parse_is_left_with_its_place_and_the_others_are_rewritten() {
    let folder = Folder::new();
    let wrong = "#[tracing::instrument]\nfn f() {}\n\nfn g() { = }\n";
    let broken = folder.write("broken.rs", wrong);
    let latin = folder.write("latin.rs", b"// instrument caf\xe9\n");
    let unclosed = folder.write("unclosed.rs", "// instrument\nfn f() { \"\n");
    let whole = folder.write("whole.rs", BEFORE);
    let ran = run(WRITE.iter(), folder.path());
    assert_eq!(ran.status, 1);
    assert_eq!(fs::read_to_string(&broken).unwrap(), wrong);
    assert_eq!(fs::read_to_string(whole).unwrap(), AFTER);
    assert!(
        ran.said
            .contains(&format!("left: {}:4:10: does not parse", broken.display())),
        "{}",
        ran.said
    );
    assert!(
        ran.said
            .contains(&format!("left: {}: is not UTF-8", latin.display())),
        "{}",
        ran.said
    );
    assert!(
        ran.said.contains(&format!("left: {}:", unclosed.display())),
        "{}",
        ran.said
    );
    assert!(ran.said.contains("left 3"), "{}", ran.said);
}

#[test]
fn a_script_keeps_its_first_line() {
    let folder = Folder::new();
    let path = folder.write("script.rs", format!("#!/usr/bin/env rust-script\n{BEFORE}"));
    run(WRITE.iter(), &path);
    assert_eq!(
        fs::read_to_string(path).unwrap(),
        format!("#!/usr/bin/env rust-script\n{AFTER}")
    );
}

#[test]
fn a_file_without_a_last_line_end_keeps_having_none() {
    let folder = Folder::new();
    let before = "fn g() {}\n#[tracing::instrument] fn f() {}";
    let path = folder.write("lib.rs", before);
    let ran = run([].iter(), &path);
    assert_eq!(
        ran.printed
            .matches("\\ No newline at end of file\n")
            .count(),
        2,
        "{}",
        ran.printed
    );
    run(WRITE.iter(), &path);
    assert_eq!(
        fs::read_to_string(path).unwrap(),
        "fn g() {}\n#[enter_span::enter_span] fn f() {}"
    );
}

fn nested(depth: usize) -> String {
    let (open, close) = ("(".repeat(depth), ")".repeat(depth));
    format!("fn g() {{ {open}1{close} }}\n")
}

#[test]
fn deep_nesting_is_parsed() {
    let folder = Folder::new();
    let deep = nested(3000);
    let path = folder.write("deep.rs", format!("{BEFORE}{deep}"));
    run(WRITE.iter(), &path);
    assert_eq!(fs::read_to_string(path).unwrap(), format!("{AFTER}{deep}"));
}

#[test]
fn nesting_that_would_overflow_the_stack_is_left() {
    let folder = Folder::new();
    let path = folder.write("deep.rs", format!("{BEFORE}{}", nested(1_000_000)));
    let ran = run(WRITE.iter(), &path);
    assert_eq!(ran.status, 1);
    assert!(ran.said.contains("nests too deep"), "{}", ran.said);
}

#[cfg(unix)]
mod unix {
    use std::fs::Permissions;
    use std::io::Read as _;
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::process::Stdio;

    use super::*;

    #[test]
    fn a_read_only_file_is_left() {
        let folder = Folder::new();
        let path = folder.write("lib.rs", BEFORE);
        fs::set_permissions(&path, Permissions::from_mode(0o444)).unwrap();
        let ran = run(WRITE.iter(), &path);
        assert_eq!(fs::read_to_string(&path).unwrap(), BEFORE);
        assert_eq!(ran.status, 1);
        assert!(ran.said.contains("is read-only"), "{}", ran.said);
    }

    #[test]
    fn permissions_stay_and_nothing_else_is_in_the_folder() {
        let folder = Folder::new();
        let path = folder.write("lib.rs", BEFORE);
        fs::set_permissions(&path, Permissions::from_mode(0o750)).unwrap();
        run(WRITE.iter(), &path);
        assert_eq!(fs::read_to_string(&path).unwrap(), AFTER);
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o7777,
            0o750
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_symbolic_link_stays_one() {
        let (folder, elsewhere) = (Folder::new(), Folder::new());
        let real = elsewhere.write("real.rs", BEFORE);
        let link = folder.path().join("link.rs");
        symlink(&real, &link).unwrap();
        // A circle of folders.
        symlink(folder.path(), folder.path().join("again")).unwrap();
        let ran = run(WRITE.iter(), folder.path());
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&real).unwrap(), BEFORE);
        assert_eq!(ran.status, 1);
        assert!(
            ran.said.contains("link.rs: is a symbolic link"),
            "{}",
            ran.said
        );
    }

    #[test]
    fn a_reader_that_goes_away_is_no_panic() {
        let folder = Folder::new();
        for number in 0..400 {
            folder.write(&format!("{number}.rs"), BEFORE);
        }
        let mut child = command()
            .arg(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let mut said = String::new();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0), "{said}");
        assert!(said.contains("would rewrite 400 attributes"), "{said}");
    }
}
