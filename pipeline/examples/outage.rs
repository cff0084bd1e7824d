//! What is lost while a receiver is away, and with an exporter that is slow.
//!
//! ```sh
//! cargo run --release -p enter-span-pipeline --example outage -- away 60 2000 240000
//! cargo run --release -p enter-span-pipeline --example outage -- slow 30 200 2048
//! cargo run --release -p enter-span-pipeline --features spool --example outage -- away 60 2000 16384 /tmp/spool
//! ```
//!
//! The arguments are the seconds, the spans in each of them, and the spans of the queue; with the feature `spool`
//! also the folder of a spool.
#![expect(clippy::print_stdout, reason = "it prints a report")]

use std::error::Error;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use enter_span_pipeline::{Limits, Pipeline, PipelineBuilder};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [way, seconds, rate, queue, folder @ ..] = &arguments[..] else {
        return Err("write `away` or `slow`, seconds, spans a second, spans of the queue".into());
    };
    let (seconds, rate, queue) = (seconds.parse()?, rate.parse()?, queue.parse()?);
    let limits = Limits::default()
        .with_queue_spans(queue)
        .with_queue_bytes(1 << 30);
    let builder = Pipeline::builder().with_limits(limits);
    let builder = with_spool(builder, folder.first());
    match &**way {
        "away" => away(builder, seconds, rate),
        "slow" => slow(builder, seconds, rate),
        _ => Err("write `away` or `slow`".into()),
    }
}

#[cfg(feature = "spool")]
fn with_spool(builder: PipelineBuilder, folder: Option<&String>) -> PipelineBuilder {
    match folder {
        Some(folder) => builder.with_spool(enter_span_pipeline::Spool::in_folder(folder)),
        None => builder,
    }
}

#[cfg(not(feature = "spool"))]
fn with_spool(builder: PipelineBuilder, _: Option<&String>) -> PipelineBuilder {
    builder
}

/// Connections are refused for so many seconds. The receiver takes everything after that.
fn away(builder: PipelineBuilder, seconds: u64, rate: u64) -> Result<(), Box<dyn Error>> {
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let builder = builder.with_environment(move |name| {
        (name == "OTEL_EXPORTER_OTLP_ENDPOINT").then(|| format!("http://{address}"))
    });
    let pipeline = builder.with_otlp().build()?;
    record(&pipeline, seconds, rate);
    println!("before it is back: {:?}", pipeline.counts());
    println!("memory of the process: {}", memory());
    let listener = TcpListener::bind(address)?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || serve(&stream));
        }
    });
    // It is not asked before its pause is over. More is recorded meanwhile.
    let back = Instant::now();
    while pipeline.counts().exported == 0 {
        record(&pipeline, 1, rate);
    }
    println!("the first export after {:?}", back.elapsed());
    while pipeline.counts().spool.waiting > 0 {
        record(&pipeline, 1, rate);
    }
    println!("the spool is empty after {:?}", back.elapsed());
    end(&pipeline)
}

/// Each batch takes 2.2 seconds.
fn slow(builder: PipelineBuilder, seconds: u64, rate: u64) -> Result<(), Box<dyn Error>> {
    let pipeline = builder.with_exporter(Slow).build()?;
    record(&pipeline, seconds, rate);
    end(&pipeline)
}

#[derive(Debug)]
struct Slow;

impl SpanExporter for Slow {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        println!("a batch of {}", batch.len());
        thread::sleep(Duration::from_millis(2_200));
        Ok(())
    }
}

/// In portions of a hundredth of a second.
fn record(pipeline: &Pipeline, seconds: u64, rate: u64) {
    let (tracer, start) = (pipeline.tracer("outage"), Instant::now());
    for portion in 1..=seconds * 100 {
        for _ in 0..rate / 100 {
            tracer.enter_span("work", |span| {
                span.set_attribute("id", 7).set_attribute("name", "a name");
            });
        }
        let next = start + Duration::from_millis(portion * 10);
        thread::sleep(next.saturating_duration_since(Instant::now()));
    }
}

fn end(pipeline: &Pipeline) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    pipeline.shutdown(Duration::from_secs(60))?;
    println!("the shutdown took {:?}", start.elapsed());
    println!("{:?}", pipeline.counts());
    Ok(())
}

/// Peak resident memory, on Linux.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    line.unwrap_or("unknown").to_owned()
}

/// Takes each request of HTTP/1.1.
fn serve(stream: &TcpStream) -> io::Result<()> {
    let (mut reader, mut writer) = (BufReader::new(stream), stream);
    loop {
        let (mut line, mut length) = (String::new(), 0);
        while line != "\r\n" {
            line.clear();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or_default();
            }
        }
        io::copy(&mut reader.by_ref().take(length), &mut io::sink())?;
        writer.write_all(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n",
        )?;
    }
}
