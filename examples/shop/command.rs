//! What the command does: it starts the services, sends orders, stops the services, and tells what came of it.

use std::env;
use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::client::Client;
use crate::collector::Collector;
use crate::orders::{Answer, Order};
use crate::stock::Goods;
use crate::worker::CARD_OF_SLOW_BANK;
use crate::{Result, service, story};

/// Where the user may have said that spans go.
const ENDPOINTS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
];

/// Where pages go, unless `SHOP_PAGES` names another folder.
const PAGES: &str = "target/shop";

/// How long a service may take to stop.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::main]
pub(crate) async fn run() -> Result<()> {
    let program = env::current_exe()?;
    let pages = env::var_os(service::PAGES).map_or_else(|| PAGES.into(), PathBuf::from);
    let start = |name: &str| {
        let mut command = Command::new(&program);
        command.arg(name).env(service::PAGES, &pages);
        command
    };
    let is_set = |name: &&str| env::var_os(name).is_some_and(|value| !value.is_empty());
    let told = match ENDPOINTS.into_iter().find(is_set) {
        Some(name) => format!(
            "{}\nThe traces went to the collector of {name}.\n",
            sell(start).await?
        ),
        None => sell_and_tell(start).await?,
    };
    let index = pages.join("index.html");
    let told = format!("{told}\nThe same in a browser: {}\n", index.display());
    Ok(io::stdout().write_all(told.as_bytes())?)
}

/// The same with a collector of its own, whose traces are printed.
pub(crate) async fn sell_and_tell(start: impl Fn(&str) -> Command) -> Result<String> {
    let collector = Collector::start().await?;
    let start = |name: &str| {
        let mut command = start(name);
        command.envs(collector.variables());
        command
    };
    let sold = sell(start).await?;
    Ok(format!("{sold}{}", story::tell(&collector.received())))
}

/// Starts the services, sends the orders and stops the services when all is done; tells the answers.
pub(crate) async fn sell(start: impl Fn(&str) -> Command) -> Result<String> {
    let folder = Folder::new()?;
    let start = |name: &str| {
        let mut command = start(name);
        command.env("OTEL_SERVICE_NAME", name);
        command.env(service::FOLDER, &folder.0);
        command
    };
    let mut stock = Process::start(&mut start("stock"))?;
    let stock_url = stock.url().await?;
    let mut orders = Process::start(start("orders").env(service::STOCK, &stock_url))?;
    let client = Client::new(orders.url().await?);
    let worker = Process::start(start("worker").env(service::STOCK, &stock_url))?;
    let mut told = String::new();
    for order in day() {
        let answer = client.post("/orders", &order).await?;
        let Answer { order, state } = serde_json::from_slice(answer.body())?;
        told += &format!("order {order}: {state}, with status {}\n", answer.status());
    }
    orders.stop().await?;
    // It ends when the queue is empty, and needs the stock until then.
    worker.stop().await?;
    stock.stop().await?;
    Ok(told)
}

/// One that succeeds, one whose payment is tried twice, and one of which there is not enough.
fn day() -> [Order; 3] {
    [
        order("tea", 1, "4000 0000 0000 0001"),
        order("cake", 2, CARD_OF_SLOW_BANK),
        order("cake", 1, "4000 0000 0000 0001"),
    ]
}

fn order(item: &str, quantity: u32, card: &str) -> Order {
    let (item, card) = (item.to_owned(), card.to_owned());
    let goods = Goods { item, quantity };
    Order { goods, card }
}

/// A process, which is killed where this is dropped before it has stopped.
struct Process(Child);

impl Process {
    fn start(command: &mut Command) -> Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        Ok(Process(command.kill_on_drop(true).spawn()?))
    }

    /// Where it listens, as soon as it does.
    async fn url(&mut self) -> Result<String> {
        let stdout = self.0.stdout.as_mut().ok_or("no stdout")?;
        let mut lines = BufReader::new(stdout).lines();
        while let Some(line) = lines.next_line().await? {
            if let Some((_, address)) = line.split_once("listening on ") {
                return Ok(format!("http://{address}"));
            }
        }
        Err("a service did not start".into())
    }

    /// Closes its stdin, and waits until it has done what it has begun.
    async fn stop(mut self) -> Result<()> {
        drop(self.0.stdin.take());
        let status = timeout(PATIENCE, self.0.wait()).await??;
        if status.success() {
            Ok(())
        } else {
            Err(format!("a service ended with {status}").into())
        }
    }
}

/// For the databases. It goes away with all that is in it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
        let name = format!(
            "enter-span-shop-{}-{}",
            std::process::id(),
            since.as_nanos()
        );
        let folder = Folder(env::temp_dir().join(name));
        fs::create_dir(&folder.0)?;
        Ok(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}
