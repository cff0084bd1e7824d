//! Prints traces, and writes pages that show them in a browser.
//!
//! ```sh
//! cargo run --example waterfall -- [FOLDER]
//! ```
//!
//! Then open `index.html` in the folder, `target/waterfall` if none is named: an order whose payment is
//! tried again and whose receipt is given up, and an import of thousands of rows. One of the customers
//! has a name that would like to be markup.

use std::error::Error;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use enter_span::{enter_span, in_span};
use enter_span_pipeline::{Console, HtmlFiles, Pipeline};
use tokio::time::{sleep, timeout};

const ROWS: u64 = 3_000;

const CUSTOMER: &str = "Robert</script><img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>\u{202e}\u{1b}[31m";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| "target/waterfall".into());
    let pipeline = Pipeline::builder()
        .with_exporter(Console::new())
        .with_exporter(HtmlFiles::in_folder(&folder))
        .install()?;
    drop(order(1042, CUSTOMER).await);
    import();
    pipeline.shutdown(Duration::from_secs(5))?;
    if let Some(error) = pipeline.last_export_error() {
        return Err(error.into());
    }
    let index = folder.join("index.html");
    writeln!(io::stdout(), "\nThe same in a browser: {}", index.display())?;
    Ok(())
}

#[enter_span("POST /orders", kind = server, attributes(order.id = id, customer.name = customer))]
async fn order(id: u64, customer: &str) -> Result<(), io::Error> {
    authenticate().await;
    in_span!("validate order", |_span| {
        std::thread::sleep(Duration::from_micros(800));
    });
    futures::future::join_all((1..=4).map(reserve)).await;
    pay(id).await?;
    // What is given up is cancelled, and says so.
    let _ = timeout(Duration::from_millis(15), send_receipt(id)).await;
    publish(id).await
}

#[enter_span]
async fn authenticate() {
    query("SELECT * FROM sessions WHERE token = $1", 3).await;
}

#[enter_span("reserve item", attributes(item))]
async fn reserve(item: u64) {
    query("SELECT stock FROM items WHERE id = $1", 2 + item).await;
    query("UPDATE items SET stock = stock - 1 WHERE id = $1", 4).await;
}

#[enter_span("query", kind = client, attributes(db.query.text = text))]
async fn query(text: &str, millis: u64) {
    sleep(Duration::from_millis(millis)).await;
}

/// The first answer comes too late for the bank, and the second one is right.
#[enter_span(attributes(order.id = id), |span|)]
async fn pay(id: u64) -> Result<(), io::Error> {
    for attempt in 1..=3 {
        match charge(attempt).await {
            Ok(()) => return Ok(()),
            Err(error) => {
                span.add_event("retry", [("reason", error.to_string())]);
            }
        }
    }
    Err(io::Error::other("the bank does not answer"))
}

#[enter_span("POST /charge", kind = client, attributes(attempt))]
async fn charge(attempt: u64) -> Result<(), io::Error> {
    sleep(Duration::from_millis(12)).await;
    match attempt {
        1 => Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "no answer of bank.example within 12 ms",
        )),
        _ => Ok(()),
    }
}

#[enter_span("send receipt", kind = client, attributes(order.id = id))]
async fn send_receipt(id: u64) {
    sleep(Duration::from_secs(60)).await;
}

#[enter_span("publish order", kind = producer, attributes(order.id = id))]
async fn publish(id: u64) -> Result<(), io::Error> {
    sleep(Duration::from_millis(2)).await;
    Err(io::Error::other("the queue is full"))
}

#[enter_span("import prices", attributes(rows = ROWS))]
fn import() {
    for row in 0..ROWS {
        // What is wrong with one row is on its span.
        let _ = import_row(row);
    }
}

#[enter_span("import row", attributes(row))]
fn import_row(row: u64) -> Result<(), io::Error> {
    in_span!("parse", |span| {
        span.add_event("parsed", [("bytes", 17)]);
    });
    match row % 700 {
        699 => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "a price cannot be negative",
        )),
        _ => Ok(()),
    }
}
