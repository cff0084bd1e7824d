use enter_span::in_span;
use enter_span::prelude::*;

async fn import(rows: usize) {
    in_span!("check", attributes(rows), || ());
    in_span!("load", attributes(rows), async || { /* load */ }).await;
    tokio::spawn(notify().in_current_span());
}

async fn notify() {}
