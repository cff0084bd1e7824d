//! The end of a real process, by a signal and otherwise: what a receiver has got then. The programs are those
//! of `docs/shutdown.md`.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rstest::rstest;

use crate::support::receiver::{Answer, Receiver, Transport};

const WITH_TOKIO: &str = env!("CARGO_BIN_EXE_stops_with_tokio");
const WITHOUT_TOKIO: &str = env!("CARGO_BIN_EXE_stops_without_tokio");
const ENDS: &str = env!("CARGO_BIN_EXE_ends");

/// The documentation shows the programs that are tested here.
#[test]
fn the_programs_are_as_shown() {
    let page = include_str!("../../../docs/shutdown.md");
    for program in [
        include_str!("../../src/bin/stops_with_tokio.rs"),
        include_str!("../../src/bin/stops_without_tokio.rs"),
    ] {
        assert!(page.contains(&format!("```rust\n{program}```\n")));
    }
}

fn start(program: &str, arguments: &[&str], receiver: &Receiver) -> Child {
    Command::new(program)
        .args(arguments)
        .env_clear()
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a process")
}

fn terminate(process: &Child) {
    let id = i32::try_from(process.id()).expect("an id");
    kill(Pid::from_raw(id), Signal::SIGTERM).expect("a process that runs");
}

/// Starts a service, and terminates it when it is at work. It is at its end then.
fn terminated(program: &str, receiver: &Receiver) -> (Child, BufReader<std::process::ChildStderr>) {
    let mut process = start(program, &[], receiver);
    let mut output = BufReader::new(process.stdout.take().expect("its output"));
    let mut errors = BufReader::new(process.stderr.take().expect("its errors"));
    let mut line = String::new();
    output.read_line(&mut line).expect("a line");
    assert_eq!(line, "serving\n");
    terminate(&process);
    line.clear();
    errors.read_line(&mut line).expect("a line");
    assert_eq!(line, "stopping\n");
    (process, errors)
}

fn names(receiver: &Receiver) -> Vec<String> {
    let received = receiver.next();
    let names = received.spans().into_iter().map(|span| span.name.clone());
    names.collect()
}

/// What has ended arrives, also the span of a task that the end has cancelled; and the process has done what
/// it was asked to.
#[rstest]
#[case(WITH_TOKIO, &["handle", "serve"])]
#[case(WITHOUT_TOKIO, &["handle"])]
fn a_terminated_service_loses_nothing(#[case] program: &str, #[case] expected: &[&str]) {
    let receiver = Receiver::start(Transport::Http, Answer::Taken);
    let (mut process, mut errors) = terminated(program, &receiver);
    assert_eq!(process.wait().expect("its end").code(), Some(0));
    let mut rest = String::new();
    errors.read_to_string(&mut rest).expect("text");
    assert_eq!(rest, "");
    let mut arrived = names(&receiver);
    while arrived.len() < expected.len() {
        arrived.extend(names(&receiver));
    }
    assert_eq!(arrived, expected);
}

/// A receiver that hangs holds up the end for five seconds at most, however often the process is terminated,
/// and what is lost is told.
#[test]
fn a_second_signal_changes_nothing_with_tokio() {
    let receiver = Receiver::start(Transport::Http, Answer::Never);
    let (mut process, mut errors) = terminated(WITH_TOKIO, &receiver);
    terminate(&process);
    assert_eq!(process.wait().expect("its end").code(), Some(0));
    let mut rest = String::new();
    errors.read_to_string(&mut rest).expect("text");
    let lost = "spans were dropped: 2 because the time of the shutdown was over";
    assert!(rest.contains(lost), "{rest}");
    assert!(rest.contains("telemetry: timed out after 5s"), "{rest}");
}

/// Or the second one ends the process, as it does where nobody handles it.
#[test]
fn a_second_signal_ends_the_process_without_tokio() {
    use std::os::unix::process::ExitStatusExt as _;
    let receiver = Receiver::start(Transport::Http, Answer::Never);
    let (mut process, _errors) = terminated(WITHOUT_TOKIO, &receiver);
    terminate(&process);
    let status = process.wait().expect("its end");
    assert_eq!(status.signal(), Some(Signal::SIGTERM as i32));
}

/// `main` ends early: by `exit` after a shutdown, by an error, and by a panic, which drops the handle.
#[rstest]
#[case("exit", 3)]
#[case("error", 1)]
#[case("panic", 101)]
fn the_last_spans_arrive_however_main_ends(#[case] way: &str, #[case] code: i32) {
    let receiver = Receiver::start(Transport::Http, Answer::Taken);
    let mut process = start(ENDS, &[way], &receiver);
    assert_eq!(process.wait().expect("its end").code(), Some(code));
    assert_eq!(names(&receiver), ["handle"]);
}
