//! Ends as its argument says, with one span.

use std::time::Duration;

use enter_span::enter_span;
use enter_span_pipeline::Pipeline;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pipeline = Pipeline::builder().install()?;
    handle();
    match std::env::args().nth(1).as_deref() {
        Some("exit") => {
            if let Err(error) = pipeline.shutdown(Duration::from_secs(5)) {
                eprintln!("telemetry: {error}");
            }
            std::process::exit(3)
        }
        Some("error") => Err("an error".into()),
        _ => panic!("a panic in main"),
    }
}

#[enter_span]
fn handle() {}
