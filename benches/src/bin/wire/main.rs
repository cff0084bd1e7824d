//! What spans cost with `enter_span` and with its peers, from their start to the wire: OTLP to a receiver
//! in another process.
//!
//! Each peer has a process of its own, because each takes the globals of its process, and they take
//! turns, round by round.
//!
//! `--help` lists the arguments.

mod chart;
mod child;
mod peer;
mod process;
mod protobuf;
mod receiver;
mod report;
mod run;
mod specification;
mod throughput;
mod transport;
mod work;

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use enter_span_benches::Counting;

use crate::transport::Transport;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const HELP: &str = "\
What spans cost from their start to the wire, beside the peers.

    wire [ROUNDS] [TRANSPORT]..     traces of ten spans: CPU, allocations, bytes, spans a second
    wire specification [ROUNDS]     the two scenarios of OpenTelemetry's performance benchmark

ROUNDS is 11 unless you set it. TRANSPORT is `http`, `http_gzip` or `grpc`; without one, all of them.
It prints tables. `wire` writes `target/wire.json` and `target/wire.svg`, and `wire specification`
writes `target/wire-specification.json`.
";

/// What the command line asks for.
struct Arguments {
    rounds: usize,
    transports: Vec<Transport>,
    is_specification: bool,
}

impl Arguments {
    fn parse(given: impl Iterator<Item = String>) -> Result<Self, Box<dyn Error>> {
        let mut arguments = Arguments {
            rounds: 11,
            transports: Vec::new(),
            is_specification: false,
        };
        for word in given {
            if word == "specification" {
                arguments.is_specification = true;
            } else if let Some(transport) = Transport::named(&word) {
                arguments.transports.push(transport);
            } else {
                let rounds: Result<usize, _> = word.parse();
                let rounds =
                    rounds.map_err(|_| format!("unknown argument `{word}`; try `--help`"))?;
                arguments.rounds = rounds.max(1);
            }
        }
        if arguments.transports.is_empty() {
            arguments.transports = Transport::ALL.to_vec();
        }
        Ok(arguments)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = given.iter().map(String::as_str).collect();
    match &words[..] {
        ["--help" | "-h", ..] => print!("{HELP}"),
        [receiver::MARK] => receiver::serve()?,
        [child::MARK, peer, transport, address, cpu] => {
            child::serve(peer, transport, address, cpu)?;
        }
        _ => measure(Arguments::parse(given.into_iter())?)?,
    }
    Ok(())
}

fn measure(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    if arguments.is_specification {
        let measured = specification::run(arguments.rounds)?;
        specification::print(&measured);
        return write("wire-specification.json", specification::json(&measured));
    }
    let measured = run::run(&arguments.transports, arguments.rounds)?;
    report::print(&measured, arguments.rounds);
    write("wire.json", report::json(&measured))?;
    write("wire.svg", chart::draw(&measured))
}

fn write(file: &str, text: String) -> Result<(), Box<dyn Error>> {
    let target = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target"));
    fs::create_dir_all(&target)?;
    Ok(fs::write(target.join(file), text)?)
}
