//! Calls of SQLite: off the threads that must not block, each statement in a span of kind client.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use enter_span::{Attributes, enter_span, task};
use enter_span_semconv::{
    DB_COLLECTION_NAME, DB_OPERATION_NAME, DB_QUERY_TEXT, DB_RESPONSE_STATUS_CODE, DB_SYSTEM_NAME,
    DbSystemName,
};
use rusqlite::{Connection, OptionalExtension as _, Params, Row, Transaction, TransactionBehavior};

use crate::Result;

#[derive(Clone)]
pub(crate) struct Database(Arc<Mutex<Connection>>);

impl Database {
    /// Opens the file, and makes the tables that are not there.
    pub(crate) fn open(file: &Path, tables: &str) -> Result<Self> {
        let connection = Connection::open(file)?;
        connection.execute_batch(tables)?;
        Ok(Database(Arc::new(Mutex::new(connection))))
    }

    /// Does `work` in a transaction, on a thread that may block. Its spans are below the current one, which
    /// `spawn_blocking` alone would leave behind.
    pub(crate) async fn transact<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let Database(connection) = self.clone();
        let work = move || {
            let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            // The only writer from the start, so that no other process comes in between.
            let immediate = TransactionBehavior::Immediate;
            let transaction = connection.transaction_with_behavior(immediate)?;
            let done = work(&transaction)?;
            transaction.commit()?;
            Ok(done)
        };
        task::spawn_blocking_in_current_span(work).await?
    }
}

/// A statement, and what its span records. Values are no part of it: they are bound.
#[derive(Attributes)]
pub(crate) struct Statement {
    #[attributes(key = DB_OPERATION_NAME)]
    pub(crate) operation: &'static str,
    #[attributes(key = DB_COLLECTION_NAME)]
    pub(crate) table: &'static str,
    #[attributes(key = DB_QUERY_TEXT)]
    pub(crate) text: &'static str,
}

impl Statement {
    /// How many rows it has changed.
    pub(crate) fn execute(&self, connection: &Connection, values: impl Params) -> Result<usize> {
        Ok(self.in_span(|| connection.execute(self.text, values))?)
    }

    /// Its first row.
    pub(crate) fn first<T>(
        &self,
        connection: &Connection,
        values: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>> {
        let first = || connection.query_row(self.text, values, read).optional();
        Ok(self.in_span(first)?)
    }

    /// Named and told as the semantic conventions for databases say.
    #[enter_span(
        |span|,
        name = format!("{} {}", self.operation, self.table),
        kind = client,
        attributes(DB_SYSTEM_NAME = DbSystemName::SQLITE, ..self)
    )]
    fn in_span<T>(&self, call: impl FnOnce() -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        call().inspect_err(|error| {
            let code = error.sqlite_error().map(|error| error.extended_code);
            span.set_attribute(DB_RESPONSE_STATUS_CODE, code.map(|code| code.to_string()));
        })
    }
}
