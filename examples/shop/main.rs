//! A shop: what becomes of an order in three processes, as traces that are linked.
//!
//! ```sh
//! cargo run --example shop
//! ```
//!
//! `orders` takes an order over HTTP, asks `stock` for its goods, stores it in SQLite, and puts its payment
//! on a queue, which is a table of the same database. `worker` takes the payment from there; if the bank
//! does not answer, it is put back for later; if it does, the shipment is put there. Each delivery of a
//! message is a trace of its own, with links to the span that sent it and to the one that began the order.
//!
//! The command starts the three as processes, sends orders, stops them, and prints the traces, which it
//! receives by OTLP. With `OTEL_EXPORTER_OTLP_ENDPOINT` set they go to that collector instead. The three processes also
//! write pages to one folder, `target/shop`: open its `index.html` in a browser. `SHOP_PAGES` names another folder.
//!
//! | | |
//! |---|---|
//! | `orders.rs`, `stock.rs`, `worker.rs` | the services |
//! | `queue.rs` | the table of messages: all that knows of linked traces |
//! | `database.rs`, `client.rs` | calls of SQLite and over HTTP, as spans |
//! | `service.rs` | a service as a process: its pipeline, its start and its end |
//! | `command.rs`, `collector.rs`, `story.rs` | what is run here: the processes, the receiver, the printing |

mod client;
mod collector;
mod command;
mod database;
mod orders;
mod queue;
mod service;
mod stock;
mod story;
#[cfg(test)]
mod tests;
mod worker;

type Error = Box<dyn std::error::Error + Send + Sync>;
type Result<T, E = Error> = std::result::Result<T, E>;

fn main() -> Result<()> {
    match std::env::args().nth(1) {
        None => command::run(),
        Some(name) => service::run(&name),
    }
}
