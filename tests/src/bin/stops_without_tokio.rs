use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use enter_span::enter_span;
use enter_span_pipeline::Pipeline;
use signal_hook::consts::SIGTERM;
use signal_hook::flag;
use signal_hook::iterator::Signals;

fn main() -> Result<(), Box<dyn Error>> {
    let pipeline = Pipeline::builder().install()?;
    // The second signal ends the process immediately. Register this before what sets the switch.
    let is_stopping = Arc::new(AtomicBool::new(false));
    flag::register_conditional_default(SIGTERM, Arc::clone(&is_stopping))?;
    flag::register(SIGTERM, is_stopping)?;
    let mut signals = Signals::new([SIGTERM])?;
    thread::spawn(serve);
    signals.forever().next();
    eprintln!("stopping");
    if let Err(error) = pipeline.shutdown(Duration::from_secs(5)) {
        eprintln!("telemetry: {error}");
    }
    Ok(())
}

/// In place of your service.
fn serve() {
    handle();
    println!("serving");
}

#[enter_span]
fn handle() {}
