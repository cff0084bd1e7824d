//! The process of one peer: it does the rounds that it is told to, and tells what they took.

use std::io::{self, BufRead as _, Write as _};
use std::str::FromStr;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use crate::peer::{Arrived, Peer};
use crate::scenario::{Scenario, THREADS, TREE, Work};
use enter_span_benches::clock::{Process, Taken};

/// The first argument of such a process.
pub(crate) const MARK: &str = "--child";

/// Asked for by the parent, a line each.
pub(crate) const INSTALL: &str = "install";

/// What one round took, in the peer's process.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Round {
    pub(crate) caller_ns: u64,
    pub(crate) process_ns: u64,
    pub(crate) elapsed_ns: u64,
    pub(crate) allocations: u64,
    pub(crate) spans: u64,
    /// Spans that did not arrive, or that should not have.
    pub(crate) wrong: u64,
}

impl std::fmt::Display for Round {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Round {
            caller_ns,
            process_ns,
            elapsed_ns,
            allocations,
            spans,
            wrong,
        } = self;
        write!(
            formatter,
            "{caller_ns} {process_ns} {elapsed_ns} {allocations} {spans} {wrong}"
        )
    }
}

impl FromStr for Round {
    type Err = io::Error;

    fn from_str(line: &str) -> io::Result<Self> {
        let numbers: Result<Vec<u64>, _> = line.split_whitespace().map(str::parse).collect();
        match numbers.as_deref() {
            Ok(&[caller_ns, process_ns, elapsed_ns, allocations, spans, wrong]) => Ok(Round {
                caller_ns,
                process_ns,
                elapsed_ns,
                allocations,
                spans,
                wrong,
            }),
            _ => Err(io::Error::other(format!("not a round: {line:?}"))),
        }
    }
}

/// A round to do: `threads_4 4 measured`. Only that scenario heeds the number of its threads.
struct Order {
    scenario: Scenario,
    threads: u64,
    is_measured: bool,
}

impl Order {
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        Some(Order {
            scenario: Scenario::named(words.next()?)?,
            threads: words.next()?.parse().ok()?,
            is_measured: words.next()? == "measured",
        })
    }
}

pub(crate) fn order(scenario: Scenario, threads: u64, is_measured: bool) -> String {
    let measured = if is_measured { "measured" } else { "warm-up" };
    format!("{} {threads} {measured}", scenario.name())
}

pub(crate) fn serve(mut peer: Box<dyn Peer>) -> io::Result<()> {
    for line in io::stdin().lock().lines() {
        let line = line?;
        let round = match &*line {
            INSTALL => {
                peer.install();
                Round::default()
            }
            line => {
                let order = Order::parse(line);
                let order = order.ok_or_else(|| io::Error::other(format!("{line:?}")))?;
                do_round(&mut *peer, &order)
            }
        };
        writeln!(io::stdout(), "{round}")?;
    }
    Ok(())
}

fn do_round(peer: &mut dyn Peer, order: &Order) -> Round {
    let scenario = order.scenario;
    let work = peer.work(scenario);
    let done = match scenario {
        Scenario::Threads4 => on_threads(peer, order.threads, work),
        _ => on_one(peer, scenario.spans(), work),
    };
    match order.is_measured {
        true => peer.settle(),
        false => peer.settle_and_count(),
    }
    let process_ns = done.process.cpu().as_nanos() as u64;
    let due = match scenario.is_recorded() {
        true => done.spans + done.warm_up,
        false => 0,
    };
    Round {
        caller_ns: done.taken.cpu.as_nanos() as u64,
        process_ns,
        elapsed_ns: done.elapsed.as_nanos() as u64,
        allocations: done.taken.allocations,
        spans: done.spans,
        wrong: match peer.take_arrived() {
            Arrived::Counted(arrived) => arrived.abs_diff(due),
            Arrived::NotCounted => 0,
        },
    }
}

/// Work that is done, and not settled yet.
struct Done {
    process: Process,
    taken: Taken,
    elapsed: Duration,
    spans: u64,
    /// Made before the clocks were started.
    warm_up: u64,
}

fn on_one(peer: &dyn Peer, spans: u64, work: Work) -> Done {
    let mut taken = Taken::default();
    let process = Process::now();
    peer.on_this_thread(&mut || taken = Taken::by(|| work(spans)));
    Done {
        elapsed: process.elapsed(),
        process,
        taken,
        spans,
        warm_up: 0,
    }
}

/// Starting the threads, and what each does only once, is not measured.
fn on_threads(peer: &dyn Peer, threads: u64, work: Work) -> Done {
    let each = Scenario::Threads4.spans() / THREADS;
    let warm_up = TREE;
    let barrier = Barrier::new(threads as usize + 1);
    thread::scope(|scope| {
        let run = || {
            let mut taken = Taken::default();
            peer.on_this_thread(&mut || {
                work(warm_up);
                barrier.wait();
                barrier.wait();
                taken = Taken::by(|| work(each));
            });
            taken
        };
        let all: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        barrier.wait();
        let process = Process::now();
        barrier.wait();
        let taken = all.into_iter().map(|one| one.join().unwrap_or_default());
        let taken = taken.fold(Taken::default(), Taken::and);
        Done {
            elapsed: process.elapsed(),
            process,
            taken,
            spans: threads * each,
            warm_up: threads * warm_up,
        }
    })
}
