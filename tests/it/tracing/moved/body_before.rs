use tracing::{Instrument as _, Span, debug_span, info_span};

async fn import(rows: usize) {
    debug_span!("check", rows).in_scope(|| ());
    async { /* load */ }.instrument(info_span!("load", rows)).await;
    tokio::spawn(notify().instrument(Span::current()));
}

async fn notify() {}
