//! How many spans a second a process can offer to a collector: traces of ten spans, by OTLP over
//! HTTP/protobuf, to a receiver on loopback that reads and answers, and looks at nothing.
//!
//! Argument, optional: how many traces are sent.

use std::error::Error;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use enter_span::{enter_span, in_span};
use enter_span_pipeline::Pipeline;

/// Spans in a trace.
const SPANS: u64 = 10;

/// Traces between two flushes: no more than the queue holds.
const BURST: u64 = 1_000;

const AGES: Duration = Duration::from_secs(60);

/// What the receiver has read.
static REQUESTS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);

/// Answers each request with an empty response, which says that all was taken.
fn receive(stream: TcpStream) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            if line == "\r\n" {
                break;
            }
            let (name, value) = line.split_once(':').unwrap_or_default();
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().map_err(io::Error::other)?;
            }
        }
        io::copy(&mut (&mut reader).take(length), &mut io::sink())?;
        REQUESTS.fetch_add(1, Ordering::Relaxed);
        BYTES.fetch_add(length, Ordering::Relaxed);
        writer.write_all(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n",
        )?;
    }
}

#[enter_span(kind = client, attributes(id, http.route = "/orders/{id}", attempt = 1))]
fn call(id: u64) {
    std::hint::black_box(id);
}

fn main() -> Result<(), Box<dyn Error>> {
    let traces: u64 = match std::env::args().nth(1) {
        Some(traces) => traces.parse()?,
        None => 50_000,
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || receive(stream));
        }
    });
    let pipeline = Pipeline::builder()
        .with_environment(move |name| {
            (name == "OTEL_EXPORTER_OTLP_ENDPOINT").then(|| endpoint.clone())
        })
        .with_otlp()
        .install()?;
    let start = Instant::now();
    for trace in 0..traces {
        in_span!("request", kind = server, || (1..SPANS).for_each(call));
        if trace % BURST == BURST - 1 {
            pipeline.flush(AGES)?;
        }
    }
    pipeline.flush(AGES)?;
    let seconds = start.elapsed().as_secs_f64();
    let counts = pipeline.counts();
    let (requests, bytes) = (
        REQUESTS.load(Ordering::Relaxed),
        BYTES.load(Ordering::Relaxed),
    );
    println!(
        "{} spans of {} in {seconds:.2} s: {:.0} a second, in {requests} requests, {:.0} bytes a span",
        counts.exported,
        traces * SPANS,
        counts.exported as f64 / seconds,
        bytes as f64 / counts.exported.max(1) as f64,
    );
    Ok(())
}
