//! One service as a process: its pipeline, its start and its end.

use std::env;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use axum::Router;
use enter_span_pipeline::{HtmlFiles, Pipeline};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use crate::client::Client;
use crate::database::Database;
use crate::{Result, orders, queue, stock, worker};

/// The folder of the databases.
pub(crate) const FOLDER: &str = "SHOP_FOLDER";
/// The folder of the pages. Without it, none are written.
pub(crate) const PAGES: &str = "SHOP_PAGES";
/// Where `stock` is.
pub(crate) const STOCK: &str = "SHOP_STOCK";

/// Runs the service of this name until it is asked to stop.
pub(crate) fn run(name: &str) -> Result<()> {
    // The environment configures OTLP and the service's name.
    let mut builder = Pipeline::builder().with_otlp();
    if let Some(folder) = env::var_os(PAGES) {
        builder = builder.with_exporter(HtmlFiles::in_folder(folder));
    }
    let pipeline = builder.install()?;
    let runtime = Runtime::new()?;
    let served = runtime.block_on(start(name));
    // First what makes spans, then what takes them.
    runtime.shutdown_timeout(Duration::from_secs(3));
    if let Err(error) = pipeline.shutdown(Duration::from_secs(5)) {
        writeln!(io::stderr(), "telemetry of {name}: {error}")?;
    }
    served
}

async fn start(name: &str) -> Result<()> {
    match name {
        "orders" => orders::run(shop()?, stock()?).await,
        "stock" => stock::run(Database::open(&folder()?.join("stock.db"), stock::TABLES)?).await,
        "worker" => worker::run(shop()?, stock()?).await,
        other => Err(format!("{other:?} is no service of the shop").into()),
    }
}

fn shop() -> Result<Database> {
    let tables = [orders::TABLE, queue::TABLE].concat();
    Database::open(&folder()?.join("shop.db"), &tables)
}

fn stock() -> Result<Client> {
    let url = env::var(STOCK).map_err(|_| format!("{STOCK} is not set"))?;
    Ok(Client::new(url))
}

fn folder() -> Result<PathBuf> {
    let folder = env::var_os(FOLDER).ok_or_else(|| format!("{FOLDER} is not set"))?;
    Ok(PathBuf::from(folder))
}

/// Serves until the process is asked to stop, on a free port, which it prints on stdout.
pub(crate) async fn serve(router: Router) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    writeln!(io::stdout(), "listening on {}", listener.local_addr()?)?;
    let server = axum::serve(listener, router);
    server.with_graceful_shutdown(stopped()).await?;
    Ok(())
}

/// Ready when stdin ends: the command closes it, and so does its death. A service that is not started by its
/// like waits for SIGTERM here.
pub(crate) async fn stopped() {
    let (tell, told) = oneshot::channel();
    thread::spawn(move || {
        io::copy(&mut io::stdin(), &mut io::sink()).ok();
        tell.send(()).ok();
    });
    told.await.ok();
}
