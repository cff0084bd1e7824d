//! Where traces begin: entry points, which are never children of what lies on the thread.

use std::future::pending;
use std::time::Duration;

use enter_span::prelude::*;
use enter_span::testing::{Recorder, Trace};
use enter_span::{Context, Envelope, Span, SpanContext, enter_span, in_span, start_span};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{interval, timeout};

use crate::support::check::{block_on, check, check_async};

/// A request of the caller's, answered in another part of the program: its context comes with it.
#[enter_span("GET /price", parent = caller, kind = server, attributes(id))]
async fn price(caller: Context, id: u32) -> u32 {
    load(id).await
}

#[enter_span]
async fn load(id: u32) -> u32 {
    tokio::task::yield_now().await;
    id * 100
}

/// An HTTP-like call between two services.
#[enter_span("POST /order", root, kind = server)]
async fn order(queue: mpsc::Sender<Envelope<u32>>) {
    let caller = in_span!("call price", kind = client, async |_| {
        price(Context::current(), 3).await
    });
    assert_eq!(caller.await, 300);
    for n in 0..5 {
        in_span!("publish", kind = producer, async |_| {
            queue.send(Envelope::new(n)).await.expect("a consumer");
        })
        .await;
    }
}

/// A queue, of which each message is a trace of its own.
async fn consume(mut queue: mpsc::Receiver<Envelope<u32>>) {
    while let Some(message) = queue.recv().await {
        message.open_linked_async(deliver).await;
    }
}

#[enter_span(kind = consumer, attributes(n))]
async fn deliver(n: u32) {}

#[enter_span(root)]
fn tick(n: u32) -> Result<(), std::fmt::Error> {
    match n {
        0 => Ok(()),
        _ => Err(std::fmt::Error),
    }
}

/// A connection with two messages that come later.
async fn connection() {
    let accepted = in_span!("accept", root, kind = server, async |span| span
        .span_context());
    let accepted: SpanContext = accepted.await;
    for text in ["hello", "bye"] {
        in_span!(
            "message",
            root,
            links(accepted),
            attributes(text),
            async |_| ()
        )
        .await;
    }
}

/// A call that hangs, and is given up.
#[enter_span(root)]
async fn gives_up() {
    let call = in_span!("hangs", kind = client, async |_| pending::<()>().await);
    assert!(timeout(Duration::from_secs(1), call).await.is_err());
}

const FOREST: &str = "
    POST /order [server]
      call price [client]
        GET /price [server] id=3
          load
      publish [producer]
      publish [producer]
      publish [producer]
      publish [producer]
      publish [producer]
    deliver [consumer] n=0 ^publish
    deliver [consumer] n=1 ^publish
    deliver [consumer] n=2 ^publish
    deliver [consumer] n=3 ^publish
    deliver [consumer] n=4 ^publish
    tick
    tick !Error
    accept [server]
    message text=hello ^accept
    message text=bye ^accept
    gives_up
      hangs [client] ~cancelled
";

async fn forest() {
    let (sender, queue) = mpsc::channel(5);
    order(sender).await;
    consume(queue).await;
    let mut ticks = interval(Duration::from_secs(1));
    for n in 0..2 {
        ticks.tick().await;
        tick(n).ok();
    }
    connection().await;
    gives_up().await;
}

/// The forest of a whole program: each entry is a root, joined by what it was sent.
#[test]
fn a_program_is_a_forest_of_its_entries() {
    let trace = check_async(forest(), FOREST);
    assert_rules(&trace);
}

/// The rules for each span: it has ended, and its parent began before it, in the same trace.
fn assert_rules(trace: &Trace) {
    for (index, span) in trace.spans().iter().enumerate() {
        assert!(span.is_ended() && span.span_context().is_valid());
        let Some(parent) = span.parent_id() else {
            continue;
        };
        let earlier = &trace.spans()[..index];
        let parent = earlier.iter().find(|above| above.span_id() == parent);
        let parent = parent.expect("a parent that began before");
        let trace_id = |span: &SpanContext| span.trace_id();
        assert_eq!(
            trace_id(parent.span_context()),
            trace_id(span.span_context())
        );
        assert!(parent.start_time() <= span.start_time());
    }
}

/// The same while another span lies on the thread: no entry is its child, and all keep their
/// recorder.
#[test]
fn no_entry_is_a_child_of_what_lies_on_the_thread() {
    let recorder = Recorder::new();
    recorder.enter(|| {
        enter_span("lies there", |_| {
            block_on(forest());
            enter_span("child", |_| {});
        });
    });
    let tree = recorder.trace().tree();
    let forest: Vec<&str> = FOREST.lines().filter_map(|line| line.get(4..)).collect();
    assert_eq!(tree, format!("lies there\n  child\n{}", forest.join("\n")));
}

/// A TCP accept loop over real connections: each has a trace, whose span lasts as long as it.
#[test]
fn each_connection_is_a_trace() {
    #[enter_span("connection", root, kind = server)]
    async fn serve(mut socket: TcpStream) {
        let mut bytes = Vec::new();
        let read = socket.read_to_end(&mut bytes).await.expect("what was sent");
        Span::current().set_attribute("bytes", read);
    }
    async fn send(address: std::net::SocketAddr, text: &str) {
        let mut socket = TcpStream::connect(address).await.expect("a connection");
        socket.write_all(text.as_bytes()).await.expect("sent");
    }
    check_async(
        async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let address = listener.local_addr().expect("its address");
            let mut served = tokio::task::JoinSet::new();
            for text in ["one", "three"] {
                let (_, accepted) = tokio::join!(send(address, text), listener.accept());
                served.spawn_in_current_span(serve(accepted.expect("a connection").0));
                served.join_next().await;
            }
        },
        "
        connection [server] bytes=3
        connection [server] bytes=5
        ",
    );
}

/// A batch, a callback of foreign code, a block and a span with an owner are roots by `root`.
#[test]
fn a_root_can_begin_anywhere() {
    #[enter_span(root, kind = consumer, links(senders), attributes(messages = senders.len()))]
    fn batch(senders: &[Context]) {}
    #[enter_span(root)]
    extern "C" fn callback(n: u32) -> u32 {
        n
    }
    check(
        || {
            let mut senders = Vec::new();
            enter_span("lies there", |_| {
                senders.extend([Envelope::new(1).into_parts().1, Context::current()]);
                batch(&senders);
                assert_eq!(callback(1), 1);
                in_span!("block", root, |_| {});
                start_span!("owned", root).end();
            });
        },
        "
        lies there
        batch [consumer] messages=2 ^lies there
        callback
        block
        owned
        ",
    );
}
