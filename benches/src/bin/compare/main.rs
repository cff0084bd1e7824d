//! What spans cost with `enter_span` and with its peers, side by side in one run.
//!
//! Each peer has a process of its own, because each takes the globals of its process. All of them
//! live for the whole run and take turns, round by round; who waits does nothing.
//!
//! It prints tables, and writes `compare.json` and `compare.svg` into the workspace's `target`.
//! Arguments, both optional: `--rounds N`, `--only SCENARIO`.

mod chart;
mod child;
mod exporter;
mod peer;
mod report;
mod run;
mod scenario;

use std::error::Error;
use std::fs;
use std::path::Path;

use enter_span_benches::Counting;

use crate::scenario::Scenario;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What was asked for on the command line.
struct Arguments {
    rounds: usize,
    scenarios: Vec<Scenario>,
}

impl Arguments {
    fn parse(mut given: impl Iterator<Item = String>) -> Result<Self, Box<dyn Error>> {
        let mut arguments = Arguments {
            rounds: 101,
            scenarios: Scenario::ALL.to_vec(),
        };
        while let Some(option) = given.next() {
            let value = given
                .next()
                .ok_or_else(|| format!("`{option}` needs a value"))?;
            match &*option {
                "--rounds" => arguments.rounds = value.parse::<usize>()?.max(1),
                "--only" => {
                    let scenario = Scenario::named(&value);
                    arguments.scenarios =
                        vec![scenario.ok_or_else(|| format!("no scenario `{value}`"))?];
                }
                _ => return Err(format!("unknown option `{option}`").into()),
            }
        }
        Ok(arguments)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut given = std::env::args().skip(1).peekable();
    if given.next_if(|first| first == child::MARK).is_some() {
        let name = given.next().unwrap_or_default();
        let peer = peer::named(&name).ok_or_else(|| format!("no peer `{name}`"))?;
        return Ok(child::serve(peer)?);
    }
    let arguments = Arguments::parse(given)?;
    let measured = run::run(&arguments.scenarios, arguments.rounds)?;
    report::print(&measured);
    let target = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../target"));
    fs::create_dir_all(target)?;
    fs::write(target.join("compare.json"), report::json(&measured))?;
    fs::write(target.join("compare.svg"), chart::draw(&measured))?;
    Ok(())
}
