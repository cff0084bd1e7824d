//! Why does nothing arrive? `cargo run --example diagnose` asks before a pipeline is installed, while it
//! runs, and when it is down.

use std::error::Error;
use std::io::{self, Write as _};
use std::time::Duration;

use enter_span::{diagnose, enter_span};
use enter_span_pipeline::Pipeline;

#[enter_span]
fn work() {}

fn main() -> Result<(), Box<dyn Error>> {
    const AT_MOST: Duration = Duration::from_secs(5);
    let mut output = io::stdout();
    writeln!(output, "{}\n", diagnose())?;
    // By OTLP, unless the environment says otherwise: is somebody there?
    let pipeline = Pipeline::builder().install()?;
    work();
    pipeline.flush(AT_MOST)?;
    writeln!(output, "{}\n", diagnose())?;
    pipeline.shutdown(AT_MOST)?;
    writeln!(output, "{}", diagnose())?;
    Ok(())
}
