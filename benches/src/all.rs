//! `cargo bench -p enter-span-benches`: the programs of `src/bin`, one after the other, or one of them with
//! its arguments. They are programs of their own because some of them count what their process allocates,
//! and some start themselves again.

use std::error::Error;
use std::process::Command;

/// Name, program, and what it measures.
type Bench = (&'static str, &'static str, &'static str);

const BENCHES: [Bench; 8] = [
    (
        "compare",
        env!("CARGO_BIN_EXE_compare"),
        "a span beside the peers: [--rounds N] [--only SCENARIO]",
    ),
    (
        "wire",
        env!("CARGO_BIN_EXE_wire"),
        "a span from its start to a receiver: [ROUNDS] [TRANSPORT]..",
    ),
    (
        "floor",
        env!("CARGO_BIN_EXE_floor"),
        "what no span in OpenTelemetry's context can do without: [ROUNDS] [SPANS]",
    ),
    (
        "memory",
        env!("CARGO_BIN_EXE_memory"),
        "what a pipeline holds while its exporter hangs: [SECONDS]",
    ),
    (
        "off",
        env!("CARGO_BIN_EXE_off"),
        "a call while nothing is installed: [ROUNDS] [CALLS]",
    ),
    (
        "otlp",
        env!("CARGO_BIN_EXE_otlp"),
        "spans a second, by OTLP over HTTP: [TRACES]",
    ),
    (
        "poll",
        env!("CARGO_BIN_EXE_poll"),
        "a poll of a future whose span is recorded: [ROUNDS] [FUTURES]",
    ),
    (
        "propagation",
        env!("CARGO_BIN_EXE_propagation"),
        "from a request to the next: [ROUNDS] [REQUESTS]",
    ),
];

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo adds `--bench`.
    let given: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    match given.split_first() {
        None => BENCHES.iter().try_for_each(|bench| run(bench, &[])),
        Some((first, _)) if first == "--help" || first == "-h" => {
            help();
            Ok(())
        }
        Some((name, arguments)) => {
            let bench = BENCHES.iter().find(|(known, ..)| known == name);
            let bench = bench.ok_or_else(|| format!("no bench `{name}`; try `-- --help`"))?;
            run(bench, arguments)
        }
    }
}

fn help() {
    println!("Measures `enter_span` beside its peers; benches/README.md explains each bench.\n");
    println!("    cargo bench -p enter-span-benches [-- BENCH [ARGUMENTS]]\n");
    println!("Without BENCH, all of them run, which takes many minutes.\n");
    for (name, _, about) in BENCHES {
        println!("    {name:<12} {about}");
    }
}

fn run((name, program, _): &Bench, arguments: &[String]) -> Result<(), Box<dyn Error>> {
    println!("== {name}");
    let status = Command::new(program).args(arguments).status()?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{name}: {status}").into())
    }
}
