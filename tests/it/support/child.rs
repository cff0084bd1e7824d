//! Tests of what a process has only one of: each runs alone, in a process of its own.

use std::env;
use std::ffi::OsStr;
use std::process::{Child, Command};

const MARK: &str = "ENTER_SPAN_TESTS_CHILD";

/// Runs the test of this name (`module::test`) again in a child process, and checks that it passes
/// there. Gives `true` in the child, where the test then does its work.
#[track_caller]
pub(crate) fn is_child(test: &str) -> bool {
    is_child_with::<&str>(test, &[])
}

/// The same, with variables for the child's environment.
#[track_caller]
pub(crate) fn is_child_with<V>(test: &str, variables: &[(&str, V)]) -> bool
where
    V: AsRef<OsStr>,
{
    errors_of_child(test, variables).is_none()
}

/// The same, for what the child writes to stderr. `None` in the child.
#[track_caller]
pub(crate) fn errors_of_child<V>(test: &str, variables: &[(&str, V)]) -> Option<String>
where
    V: AsRef<OsStr>,
{
    if env::var_os(MARK).is_some() {
        return None;
    }
    let output = command(test, variables).output().expect("a child process");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{test} failed in its own process\n{text}\n{errors}"
    );
    Some(errors.into_owned())
}

/// Starts this test in a child process, for one that does not pass: it is killed. `None` in the child.
pub(crate) fn start_child<V>(test: &str, variables: &[(&str, V)]) -> Option<Child>
where
    V: AsRef<OsStr>,
{
    if env::var_os(MARK).is_some() {
        return None;
    }
    let mut command = command(test, variables);
    Some(command.spawn().expect("a child process"))
}

fn command<V: AsRef<OsStr>>(test: &str, variables: &[(&str, V)]) -> Command {
    let mut command = Command::new(env::current_exe().expect("the path of this binary"));
    command
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(MARK, "1")
        .envs(variables.iter().map(|(name, value)| (name, value)));
    command
}
