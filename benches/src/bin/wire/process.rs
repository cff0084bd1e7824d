//! Processes of this program that answer questions: a line on their stdin, a line of numbers on their
//! stdout.

use std::fmt::Display;
use std::io::{self, BufRead as _, BufReader, Lines, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

pub(crate) struct Process {
    child: Child,
    questions: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// Without the environment: a variable of OpenTelemetry's would be read by some and not by others.
    pub(crate) fn start(arguments: &[&str]) -> io::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(arguments).env_clear();
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let (questions, answers) = (child.stdin.take(), child.stdout.take());
        let no_pipe = || io::Error::other("no pipe to a process");
        Ok(Process {
            child,
            questions: questions.ok_or_else(no_pipe)?,
            answers: BufReader::new(answers.ok_or_else(no_pipe)?).lines(),
        })
    }

    pub(crate) fn ask<const N: usize>(&mut self, question: impl Display) -> io::Result<[u64; N]> {
        writeln!(self.questions, "{question}")?;
        self.read()
    }

    pub(crate) fn read<const N: usize>(&mut self) -> io::Result<[u64; N]> {
        let gone = || io::Error::other("a process has ended before its answer");
        let line = self.answers.next().ok_or_else(gone)??;
        let numbers: Result<Vec<u64>, _> = line.split_whitespace().map(str::parse).collect();
        let numbers = numbers.ok().and_then(|numbers| numbers.try_into().ok());
        numbers.ok_or_else(|| io::Error::other(format!("not {N} numbers: {line:?}")))
    }

    /// Ends the process: it has nothing more to read.
    pub(crate) fn end(self) -> io::Result<()> {
        let Process {
            mut child,
            questions,
            ..
        } = self;
        drop(questions);
        child.wait().map(drop)
    }
}

/// Answers as [`Process::ask`] reads it.
pub(crate) fn answer<const N: usize>(numbers: [u64; N]) {
    println!("{}", numbers.map(|number| number.to_string()).join(" "));
}

/// The logical cores that a process runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cpu {
    All,
    First,
    Last,
}

impl Cpu {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Cpu::All => "all",
            Cpu::First => "first",
            Cpu::Last => "last",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        let all = [Cpu::All, Cpu::First, Cpu::Last];
        all.into_iter().find(|cpu| cpu.name() == name)
    }

    /// For this thread, and those that it starts from now on. Elsewhere than on Linux it does nothing.
    pub(crate) fn pin(self) {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        match self {
            Cpu::All => {}
            Cpu::First => pin(0),
            Cpu::Last => pin(cores - 1),
        }
    }
}

#[cfg(target_os = "linux")]
fn pin(core: usize) {
    let mut cores = rustix::thread::CpuSet::new();
    cores.set(core);
    if let Err(error) = rustix::thread::sched_setaffinity(None, &cores) {
        eprintln!("not pinned to core {core}: {error}");
    }
}

#[cfg(not(target_os = "linux"))]
fn pin(_: usize) {}
