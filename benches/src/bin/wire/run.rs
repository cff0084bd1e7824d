//! The whole run: for each transport a receiver, a process for each peer, and their rounds in turns.

use std::io;

use crate::child;
use crate::peer::{KEEPS_NOTHING, NAMES};
use crate::process::{Cpu, Process};
use crate::receiver;
use crate::throughput;
use crate::transport::Transport;
use crate::work::{BURST, Work};

/// Bursts in a round.
const BURSTS: u64 = 10;

/// What one peer took over one transport, for a span.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures {
    /// In nanoseconds, a value for each round.
    pub(crate) process_cpu: Vec<f64>,
    pub(crate) caller_cpu: Vec<f64>,
    pub(crate) receiver_cpu: Vec<f64>,
    /// Of the whole process.
    pub(crate) allocations: f64,
    /// Of the requests' bodies, compressed where the transport does it.
    pub(crate) bytes: f64,
    /// `None` if spans were lost at each rate, or none was tried.
    pub(crate) spans_per_second: Option<f64>,
    /// Spans that did not arrive. With one of them the figures do not count.
    pub(crate) lost: u64,
}

/// In the order of [`NAMES`].
pub(crate) struct OfTransport {
    pub(crate) transport: Transport,
    pub(crate) peers: Vec<Figures>,
}

/// A peer and the receiver that it exports to.
pub(crate) struct Pair<'a> {
    pub(crate) peer: &'a mut Process,
    pub(crate) receiver: &'a mut Receiver,
}

pub(crate) struct Receiver {
    process: Process,
    address: String,
}

/// What has arrived since the receiver was asked before.
pub(crate) struct Arrived {
    pub(crate) spans: u64,
    pub(crate) bytes: u64,
    pub(crate) cpu_ns: u64,
}

impl Receiver {
    pub(crate) fn start() -> io::Result<Self> {
        let mut process = Process::start(&[receiver::MARK])?;
        let [port] = process.read()?;
        Ok(Receiver {
            process,
            address: format!("127.0.0.1:{port}"),
        })
    }

    pub(crate) fn take(&mut self) -> io::Result<Arrived> {
        let [spans, bytes, cpu_ns] = self.process.ask("take")?;
        Ok(Arrived {
            spans,
            bytes,
            cpu_ns,
        })
    }

    /// The process of a peer that exports to this receiver.
    pub(crate) fn peer(&self, name: &str, transport: Transport, cpu: Cpu) -> io::Result<Process> {
        Process::start(&[
            child::MARK,
            name,
            transport.name(),
            &self.address,
            cpu.name(),
        ])
    }

    pub(crate) fn end(self) -> io::Result<()> {
        self.process.end()
    }
}

pub(crate) fn run(transports: &[Transport], rounds: usize) -> io::Result<Vec<OfTransport>> {
    let measured = transports.iter().map(|&transport| {
        eprintln!("{}", transport.name());
        let peers = measure(transport, rounds)?;
        Ok(OfTransport { transport, peers })
    });
    measured.collect()
}

fn measure(transport: Transport, rounds: usize) -> io::Result<Vec<Figures>> {
    let mut receiver = Receiver::start()?;
    let start = |name| receiver.peer(name, transport, Cpu::All);
    let mut processes: Vec<Process> = NAMES.into_iter().map(start).collect::<io::Result<_>>()?;
    let mut all = vec![Figures::default(); NAMES.len()];
    for ((peer, figures), name) in processes.iter_mut().zip(&mut all).zip(NAMES) {
        let pair = Pair {
            peer,
            receiver: &mut receiver,
        };
        warm_up(pair, name, figures)?;
    }
    // Each round begins with another peer, so that none is always the one after a pause.
    for round in 0..rounds {
        for turn in 0..processes.len() {
            let index = (round + turn) % processes.len();
            let pair = Pair {
                peer: &mut processes[index],
                receiver: &mut receiver,
            };
            time(pair, NAMES[index], &mut all[index])?;
        }
    }
    for ((peer, figures), name) in processes.iter_mut().zip(&mut all).zip(NAMES) {
        if name == KEEPS_NOTHING {
            continue;
        }
        eprintln!("  {name}: spans a second");
        let pair = Pair {
            peer,
            receiver: &mut receiver,
        };
        figures.spans_per_second = throughput::search(pair, figures)?;
    }
    processes.into_iter().try_for_each(Process::end)?;
    receiver.end()?;
    Ok(all)
}

/// Not timed: whether all spans arrive, what they weigh, and what they allocate.
fn warm_up(pair: Pair<'_>, name: &str, figures: &mut Figures) -> io::Result<()> {
    let Pair { peer, receiver } = pair;
    peer.ask::<3>(format_args!("bursts {} 1", Work::Trace))?;
    receiver.take()?;
    let [allocations] = peer.ask(format_args!("allocations {} {BURSTS}", Work::Trace))?;
    let arrived = receiver.take()?;
    let spans = BURSTS * BURST * Work::Trace.spans();
    figures.allocations = allocations as f64 / spans as f64;
    figures.bytes = arrived.bytes as f64 / spans as f64;
    figures.lost += expected(name, spans).abs_diff(arrived.spans);
    Ok(())
}

/// Of so many spans, those that arrive.
fn expected(name: &str, spans: u64) -> u64 {
    if name == KEEPS_NOTHING { 0 } else { spans }
}

fn time(pair: Pair<'_>, name: &str, figures: &mut Figures) -> io::Result<()> {
    let Pair { peer, receiver } = pair;
    receiver.take()?;
    let [caller, process, _] = peer.ask(format_args!("bursts {} {BURSTS}", Work::Trace))?;
    let arrived = receiver.take()?;
    let spans = BURSTS * BURST * Work::Trace.spans();
    let a_span = |ns: u64| ns as f64 / spans as f64;
    figures.caller_cpu.push(a_span(caller));
    figures.process_cpu.push(a_span(process));
    figures.receiver_cpu.push(a_span(arrived.cpu_ns));
    figures.lost += expected(name, spans).abs_diff(arrived.spans);
    Ok(())
}
