//! The whole run: a process for each peer, and their rounds in turns.

use std::io::{self, BufRead as _, BufReader, Lines, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::child::{self, Round};
use crate::peer::NAMES;
use crate::scenario::{Scenario, THREADS};

/// Everything that was measured.
pub(crate) struct Measured {
    pub(crate) rounds: usize,
    pub(crate) scenarios: Vec<OfScenario>,
    /// One thread and [`THREADS`] of them, for each peer.
    pub(crate) scaling: Vec<Scaling>,
}

pub(crate) struct OfScenario {
    pub(crate) scenario: Scenario,
    /// In the order of [`NAMES`].
    pub(crate) peers: Vec<Vec<Round>>,
}

/// The same work on one thread alone and on several at once, round by round.
pub(crate) struct Scaling {
    pub(crate) one: Vec<Round>,
    pub(crate) several: Vec<Round>,
}

struct Process {
    child: Child,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// Without the environment: a variable of OpenTelemetry's would be read by some and not by others.
    fn start(peer: &str) -> io::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args([child::MARK, peer]).env_clear();
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let (orders, answers) = (child.stdin.take(), child.stdout.take());
        let no_pipe = || io::Error::other("no pipe to a peer's process");
        Ok(Process {
            child,
            orders: orders.ok_or_else(no_pipe)?,
            answers: BufReader::new(answers.ok_or_else(no_pipe)?).lines(),
        })
    }

    fn ask(&mut self, order: &str) -> io::Result<Round> {
        writeln!(self.orders, "{order}")?;
        let gone = || io::Error::other("a peer's process is gone");
        self.answers.next().ok_or_else(gone)??.parse()
    }

    fn end(self) -> io::Result<()> {
        let Process {
            mut child, orders, ..
        } = self;
        drop(orders);
        child.wait().map(drop)
    }
}

pub(crate) fn run(scenarios: &[Scenario], rounds: usize) -> io::Result<Measured> {
    let started: io::Result<Vec<Process>> = NAMES.into_iter().map(Process::start).collect();
    let mut processes = started?;
    let mut measured = Measured {
        rounds,
        scenarios: Vec::new(),
        scaling: Vec::new(),
    };
    let mut is_installed = false;
    for &scenario in scenarios {
        if scenario != Scenario::Off && !is_installed {
            for process in &mut processes {
                process.ask(child::INSTALL)?;
            }
            is_installed = true;
        }
        eprintln!("{}", scenario.name());
        let threads = match scenario {
            Scenario::Threads4 => THREADS,
            _ => 1,
        };
        let peers = measure(&mut processes, scenario, threads, rounds)?;
        if scenario == Scenario::Threads4 {
            let alone = measure(&mut processes, scenario, 1, rounds)?;
            let both = alone.into_iter().zip(peers.clone());
            let scaling = both.map(|(one, several)| Scaling { one, several });
            measured.scaling = scaling.collect();
        }
        measured.scenarios.push(OfScenario { scenario, peers });
    }
    processes.into_iter().try_for_each(Process::end)?;
    Ok(measured)
}

/// Each round begins with another peer, so that none is always the one after a pause.
fn measure(
    processes: &mut [Process],
    scenario: Scenario,
    threads: u64,
    rounds: usize,
) -> io::Result<Vec<Vec<Round>>> {
    let mut all = Vec::new();
    for process in processes.iter_mut() {
        // What it lost then counts too.
        all.push(vec![process.ask(&child::order(scenario, threads, false))?]);
    }
    for round in 0..rounds {
        for turn in 0..processes.len() {
            let index = (round + turn) % processes.len();
            let order = child::order(scenario, threads, true);
            all[index].push(processes[index].ask(&order)?);
        }
    }
    Ok(all)
}
