//! Exports one trace by OTLP, to the receiver that `OTEL_EXPORTER_OTLP_ENDPOINT` names:
//! `cargo run --example otlp`. It prints the id of the trace.

use std::error::Error;
use std::fmt;
use std::io::{self, Write as _};
use std::time::Duration;

use enter_span::{TraceId, enter_span};
use enter_span_pipeline::Pipeline;

#[derive(Debug)]
struct Declined;

impl fmt::Display for Declined {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the card was declined")
    }
}

#[enter_span(|span|, kind = server, attributes(items, "shop.name" = "Käse & Söhne"))]
fn checkout(items: u32, trace: &mut Option<TraceId>) -> Result<(), Declined> {
    *trace = span.trace_id();
    for item in 0..items {
        pick(item);
    }
    span.add_event("picked", [("count", i64::from(items))]);
    charge(12.5)
}

#[enter_span(attributes(item))]
fn pick(item: u32) {}

#[enter_span(kind = client, attributes(amount, currencies = ["EUR", "CHF"]))]
fn charge(amount: f64) -> Result<(), Declined> {
    Err(Declined)
}

fn main() -> Result<(), Box<dyn Error>> {
    let pipeline = Pipeline::builder().with_otlp().install()?;
    let mut trace = None;
    let bought = checkout(2, &mut trace);
    pipeline.shutdown(Duration::from_secs(30))?;
    if let Some(error) = pipeline.last_export_error() {
        return Err(format!("{error}: {:?}", pipeline.counts()).into());
    }
    let mut out = io::stdout();
    if let Some(trace) = trace {
        writeln!(out, "{trace}")?;
    }
    if let Err(error) = bought {
        writeln!(out, "nothing was bought: {error}")?;
    }
    Ok(())
}
