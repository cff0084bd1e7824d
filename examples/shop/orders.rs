//! The service that takes orders.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use enter_span::{Attributes, Key, Span};
use enter_span_http::ServerLayer;
use rusqlite::Transaction;
use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::database::{Database, Statement};
use crate::stock::Goods;
use crate::{Error, Result, queue, service};

/// Of all spans that know it, the ids of runs among them.
pub(crate) const ORDER_ID: Key<str> = Key::new("order.id");

/// What a customer sends.
#[derive(Attributes, Deserialize, Serialize)]
pub(crate) struct Order {
    #[attributes(prefix = "order")]
    #[serde(flatten)]
    pub(crate) goods: Goods,
    /// No span tells it.
    #[attributes(skip)]
    pub(crate) card: String,
}

/// What a customer gets.
#[derive(Deserialize, Serialize)]
pub(crate) struct Answer {
    pub(crate) order: i64,
    pub(crate) state: String,
}

pub(crate) const TABLE: &str = "
    CREATE TABLE IF NOT EXISTS orders (
        id INTEGER PRIMARY KEY,
        item TEXT NOT NULL,
        quantity INTEGER NOT NULL,
        card TEXT NOT NULL,
        state TEXT NOT NULL
    ) STRICT;
";

const INSERT: Statement = Statement {
    operation: "INSERT",
    table: "orders",
    text: "INSERT INTO orders (item, quantity, card, state) VALUES (?1, ?2, ?3, ?4)",
};

const SELECT_CARD: Statement = Statement {
    operation: "SELECT",
    table: "orders",
    text: "SELECT card FROM orders WHERE id = ?1",
};

const UPDATE_STATE: Statement = Statement {
    operation: "UPDATE",
    table: "orders",
    text: "UPDATE orders SET state = ?2 WHERE id = ?1",
};

/// Serves `POST /orders`.
pub(crate) async fn run(database: Database, stock: Client) -> Result<()> {
    let router = Router::new()
        .route("/orders", post(place))
        .layer(ServerLayer::new())
        .with_state(Desk { database, stock });
    service::serve(router).await
}

#[derive(Clone)]
struct Desk {
    database: Database,
    stock: Client,
}

/// It has a span already, of the layer's, and tells it what it knows.
async fn place(
    State(Desk { database, stock }): State<Desk>,
    Json(order): Json<Order>,
) -> Result<(StatusCode, Json<Answer>), Failure> {
    let span = Span::current();
    span.set_attributes(&order);
    let reserved = stock.post("/reservations", &order.goods).await?;
    let (status, state) = match reserved.status() {
        StatusCode::CREATED => (StatusCode::ACCEPTED, "accepted"),
        _ => (StatusCode::CONFLICT, "refused"),
    };
    let store = move |transaction: &Transaction<'_>| {
        let id = insert(transaction, &order, state)?;
        if status == StatusCode::ACCEPTED {
            queue::start(transaction, queue::PAYMENTS, id)?;
        }
        Ok(id)
    };
    let id = database.transact(store).await?;
    span.set_attribute(ORDER_ID, id.to_string());
    let state = state.to_owned();
    Ok((status, Json(Answer { order: id, state })))
}

fn insert(transaction: &Transaction<'_>, order: &Order, state: &str) -> Result<i64> {
    let Order { goods, card } = order;
    let values = (&goods.item, goods.quantity, card, state);
    INSERT.execute(transaction, values)?;
    Ok(transaction.last_insert_rowid())
}

pub(crate) fn card(transaction: &Transaction<'_>, order: i64) -> Result<String> {
    let card = SELECT_CARD.first(transaction, [order], |row| row.get(0))?;
    card.ok_or_else(|| format!("there is no order {order}").into())
}

pub(crate) fn set_state(transaction: &Transaction<'_>, order: i64, state: &str) -> Result<()> {
    UPDATE_STATE.execute(transaction, (order, state))?;
    Ok(())
}

/// What a handler could not do. Its span tells why, and the customer is not told.
pub(crate) struct Failure;

impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Span::current().record_error(&*error.into());
        Failure
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}
