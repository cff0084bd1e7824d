//! The recipe of `docs/tracing.md` that makes client spans of sqlx's query events.

use std::collections::HashMap;
use std::fmt::Debug;
use std::time::{Duration, SystemTime};

use enter_span_pipeline::Pipeline;
use opentelemetry::global;
use opentelemetry::trace::{Span as _, SpanKind, Tracer as _};
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{Row as _, SqlitePool};
use tracing::field::Field;
use tracing::{Event, Instrument as _, Subscriber, info_span, instrument};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry;

use super::layer;
use crate::http::run;
use crate::pipeline::{AGES, finished, in_memory};
use crate::support::child::is_child;

/// The recipe: a span for each query that sqlx logs, from its start to its end.
struct SqlSpans;

impl<S: Subscriber> Layer<S> for SqlSpans {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = HashMap::new();
        event.record(&mut |key: &Field, value: &dyn Debug| {
            fields.insert(key.name(), format!("{value:?}"));
        });
        let seconds = fields
            .get("elapsed_secs")
            .and_then(|text| text.parse().ok());
        let query = fields.remove("summary").unwrap_or_default();
        let (tracer, end) = (global::tracer("sqlx"), SystemTime::now());
        let span = tracer.span_builder(query.trim_matches('"').to_owned());
        let start = end - Duration::from_secs_f64(seconds.unwrap_or_default());
        let span = span.with_kind(SpanKind::Client).with_start_time(start);
        span.start(&tracer).end_with_timestamp(end);
    }
}

#[instrument(skip_all)]
async fn find(pool: &SqlitePool) -> i64 {
    let query = sqlx::query("SELECT 1 + 2 AS total, 'more than four words'");
    let row = query.fetch_one(pool).await.expect("a row");
    row.get("total")
}

/// A query is a span below the one that asked for it, though a thread of sqlx's own runs it.
#[test]
fn queries_are_client_spans_of_their_caller() {
    if !is_child("tracing::sql::queries_are_client_spans_of_their_caller") {
        return;
    }
    let exporter = in_memory();
    let builder = Pipeline::builder().with_exporter(exporter.clone());
    let pipeline = builder.install().expect("no other one");
    let others = layer().with_filter(LevelFilter::INFO);
    let queries = Targets::new().with_target("sqlx::query", LevelFilter::DEBUG);
    let queries = SqlSpans.with_filter(queries);
    let subscriber = registry().with(others).with(queries);
    tracing::subscriber::set_global_default(subscriber).expect("no other one");
    let total = run(async {
        let pool = SqlitePoolOptions::new().max_connections(1);
        let pool = pool.connect("sqlite::memory:").await.expect("a database");
        let total = find(&pool).instrument(info_span!("request")).await;
        // sqlx's thread holds the spans of what it runs for a moment longer.
        pool.close().await;
        total
    });
    assert_eq!(total, 3);
    pipeline.flush(AGES).expect("flushed in time");
    let spans = finished(&exporter);
    let find = |name: &str| {
        let found = spans.iter().find(|span| span.name.starts_with(name));
        found.unwrap_or_else(|| panic!("{name} is not among {spans:?}"))
    };
    let (query, caller, request) = (find("SELECT"), find("find"), find("request"));
    assert_eq!(query.name, "SELECT 1 + 2 …");
    assert_eq!(query.span_kind, SpanKind::Client);
    assert_eq!(query.instrumentation_scope.name(), "sqlx");
    assert_eq!(query.parent_span_id, caller.span_context.span_id());
    assert_eq!(caller.parent_span_id, request.span_context.span_id());
    assert!(caller.start_time <= query.start_time && query.start_time <= query.end_time);
}
