use std::error::Error;
use std::future::pending;
use std::time::Duration;

use enter_span::enter_span;
use enter_span_pipeline::Pipeline;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

fn main() -> Result<(), Box<dyn Error>> {
    let pipeline = Pipeline::builder().install()?;
    let runtime = Runtime::new()?;
    let result = runtime.block_on(run());
    eprintln!("stopping");
    // Cancels the tasks that are left, which ends their spans.
    runtime.shutdown_timeout(Duration::from_secs(3));
    if let Err(error) = pipeline.shutdown(Duration::from_secs(5)) {
        eprintln!("telemetry: {error}");
    }
    result
}

async fn run() -> Result<(), Box<dyn Error>> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        result = serve() => result,
        _ = terminate.recv() => Ok(()),
    }
}

/// In place of your service.
#[enter_span]
async fn serve() -> Result<(), Box<dyn Error>> {
    handle();
    println!("serving");
    pending().await
}

#[enter_span]
fn handle() {}
