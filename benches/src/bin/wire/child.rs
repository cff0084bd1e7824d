//! The process of one peer: it does what it is asked to, and answers what that took.

use std::error::Error;
use std::io;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use enter_span_benches::allocations_of_process;
use enter_span_benches::clock::{Process, Taken};

use crate::peer::{self, Installed};
use crate::process::{self, Cpu};
use crate::transport::Endpoint;
use crate::work::{BURST, Work};

/// The first argument of such a process. The peer, the transport, the receiver's address and the cores
/// follow it.
pub(crate) const MARK: &str = "--peer";

/// The least time between two sleeps of a producer.
const SLICE: Duration = Duration::from_millis(1);

/// Answers, until its stdin ends:
///
/// - `bursts WORK N`: CPU of the caller, of the process, and the time it took, in nanoseconds;
/// - `allocations WORK N`: allocations of the process;
/// - `pace WORK SPANS_A_SECOND SECONDS THREADS`: what was made, CPU of the process, the most of it in a
///   second, and the time that the threads took, in nanoseconds.
pub(crate) fn serve(
    peer: &str,
    transport: &str,
    address: &str,
    cpu: &str,
) -> Result<(), Box<dyn Error>> {
    let endpoint = Endpoint::new(transport, address)?;
    Cpu::named(cpu).ok_or("no such cores")?.pin();
    let installed = peer::install(peer, &endpoint)?;
    for line in io::stdin().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let unknown = || format!("unknown order `{line}`");
        match &words[..] {
            ["bursts", work, bursts] => {
                let work = Work::named(work).ok_or_else(unknown)?;
                process::answer(timed(&installed, work, bursts.parse()?)?);
            }
            ["allocations", work, bursts] => {
                let work = Work::named(work).ok_or_else(unknown)?;
                let bursts = bursts.parse()?;
                let (done, count) = allocations_of_process(|| timed(&installed, work, bursts));
                done?;
                process::answer([count]);
            }
            ["pace", work, rate, seconds, threads] => {
                let pace = Pace {
                    work: Work::named(work).ok_or_else(unknown)?,
                    spans_a_second: rate.parse()?,
                    seconds: seconds.parse()?,
                    threads: threads.parse()?,
                };
                process::answer(paced(&installed, pace)?);
            }
            _ => return Err(unknown().into()),
        }
    }
    Ok(())
}

fn timed(installed: &Installed, work: Work, bursts: u64) -> Result<[u64; 3], Box<dyn Error>> {
    let make = installed.work(work);
    let process = Process::now();
    let mut caller = Duration::ZERO;
    for _ in 0..bursts {
        caller += Taken::by(|| (0..BURST).for_each(make)).cpu;
        settle(installed)?;
    }
    let all = [caller, process.cpu(), process.elapsed()];
    Ok(all.map(|time| time.as_nanos() as u64))
}

/// The SDK refuses a flush while the orders of its full queue wait.
fn settle(installed: &Installed) -> Result<(), Box<dyn Error>> {
    const TRIES: usize = 100;
    for _ in 1..TRIES {
        if (installed.flush)().is_ok() {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(20));
    }
    (installed.flush)()
}

#[derive(Clone, Copy)]
struct Pace {
    work: Work,
    spans_a_second: u64,
    seconds: u64,
    threads: u64,
}

fn paced(installed: &Installed, pace: Pace) -> Result<[u64; 4], Box<dyn Error>> {
    let Pace { work, threads, .. } = pace;
    let pieces = pace.spans_a_second * pace.seconds / work.spans() / threads;
    let every = Duration::from_secs(pace.seconds).div_f64(pieces as f64);
    let make = installed.work(work);
    let process = Process::now();
    let peak = thread::scope(|scope| {
        let (producing, done) = mpsc::channel::<()>();
        for _ in 0..threads {
            let producing = producing.clone();
            scope.spawn(move || {
                produce(make, pieces, every);
                drop(producing);
            });
        }
        drop(producing);
        most_in_a_second(&done)
    });
    let elapsed = process.elapsed();
    settle(installed)?;
    let spans = pieces * threads * work.spans();
    let [cpu, peak, elapsed] = [process.cpu(), peak, elapsed].map(|time| time.as_nanos() as u64);
    Ok([spans, cpu, peak, elapsed])
}

/// Sleeps when it is ahead by fifty pieces, or by a slice of time if that is longer: to wake up is not
/// what is measured.
fn produce(make: fn(u64), pieces: u64, every: Duration) {
    let slice = SLICE.max(every * 50);
    let start = Instant::now();
    for number in 0..pieces {
        make(number);
        let due = start + every.mul_f64((number + 1) as f64);
        let ahead = due.saturating_duration_since(Instant::now());
        if ahead > slice {
            thread::sleep(ahead);
        }
    }
}

/// The process's CPU in the busiest second, until the producers are done.
fn most_in_a_second(done: &mpsc::Receiver<()>) -> Duration {
    let mut most = Duration::ZERO;
    loop {
        let process = Process::now();
        match done.recv_timeout(Duration::from_secs(1)) {
            Err(RecvTimeoutError::Timeout) => most = most.max(process.cpu()),
            _ => return most,
        }
    }
}
