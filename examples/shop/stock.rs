//! The service that has the goods, in a database of its own.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use enter_span::{Attributes, Span};
use enter_span_http::ServerLayer;
use serde::{Deserialize, Serialize};

use crate::database::{Database, Statement};
use crate::orders::{Failure, ORDER_ID};
use crate::{Result, service};

#[derive(Attributes, Deserialize, Serialize)]
pub(crate) struct Goods {
    pub(crate) item: String,
    pub(crate) quantity: u32,
}

#[derive(Deserialize, Serialize)]
pub(crate) struct Shipment {
    pub(crate) order: i64,
}

pub(crate) const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS goods (item TEXT PRIMARY KEY, free INTEGER NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS shipments (order_id INTEGER PRIMARY KEY) STRICT;
    INSERT OR IGNORE INTO goods VALUES ('tea', 10), ('cake', 2);
";

const RESERVE: Statement = Statement {
    operation: "UPDATE",
    table: "goods",
    text: "UPDATE goods SET free = free - ?2 WHERE item = ?1 AND free >= ?2",
};

const SHIP: Statement = Statement {
    operation: "INSERT",
    table: "shipments",
    text: "INSERT OR IGNORE INTO shipments (order_id) VALUES (?1)",
};

/// Serves `POST /reservations` and `POST /shipments`.
pub(crate) async fn run(database: Database) -> Result<()> {
    let router = Router::new()
        .route("/reservations", post(reserve))
        .route("/shipments", post(ship))
        .layer(ServerLayer::new())
        .with_state(database);
    service::serve(router).await
}

async fn reserve(
    State(database): State<Database>,
    Json(goods): Json<Goods>,
) -> Result<StatusCode, Failure> {
    Span::current().set_attributes(&goods);
    let Goods { item, quantity } = goods;
    let taken = database.transact(move |shelf| RESERVE.execute(shelf, (item, quantity)));
    match taken.await? {
        0 => Ok(StatusCode::CONFLICT),
        _ => Ok(StatusCode::CREATED),
    }
}

/// Asked twice for one order, it ships once: messages can be delivered more than once.
async fn ship(
    State(database): State<Database>,
    Json(Shipment { order }): Json<Shipment>,
) -> Result<StatusCode, Failure> {
    Span::current().set_attribute(ORDER_ID, order.to_string());
    let shipped = database.transact(move |shelf| SHIP.execute(shelf, [order]));
    shipped.await?;
    Ok(StatusCode::CREATED)
}
