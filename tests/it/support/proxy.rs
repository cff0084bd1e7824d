//! A proxy on a plain socket: tunnels by `CONNECT`, and requests with a whole URL. Every name leads to this host.

use std::io::{BufReader, Write as _, copy};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, mpsc};
use std::thread;

use crate::support::scripted::{Request, answer, read, wait_for_end};

/// What it does with a request, by its number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Forward,
    /// Answers with this status.
    Refuse(&'static str),
    /// Never answers.
    Hang,
}

pub(crate) struct Proxy {
    address: String,
    heads: mpsc::Receiver<String>,
}

impl Proxy {
    pub(crate) fn start() -> Self {
        Proxy::start_with(|_, _| Way::Forward)
    }

    /// Asks for the way of each request, with its number from 0 and its head.
    pub(crate) fn start_with(way: impl Fn(usize, &str) -> Way + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let (sends, heads) = mpsc::channel();
        let way = Arc::new(way);
        thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let (stream, sends) = (stream.expect("a connection"), sends.clone());
                let way = Arc::clone(&way);
                thread::spawn(move || serve(stream, |head| way(number, head), &sends));
            }
        });
        Proxy { address, heads }
    }

    /// Its host and port.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The heads of the requests that came until now.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.try_iter().collect()
    }
}

/// One request of each connection.
fn serve(mut stream: TcpStream, way: impl Fn(&str) -> Way, heads: &mpsc::Sender<String>) {
    let mut reader = BufReader::new(stream.try_clone().expect("a socket"));
    let Some(request) = read(&mut reader) else {
        return;
    };
    heads.send(request.head.clone()).ok();
    match way(&request.head) {
        Way::Hang => wait_for_end(&mut stream),
        Way::Refuse(status) => {
            let headers = "connection: close\r\ncontent-type: text/plain\r\n";
            let refusal = answer(status, headers, b"refused by the proxy");
            stream.write_all(&refusal).ok();
        }
        Way::Forward => forward(&stream, &request),
    }
}

fn forward(mut stream: &TcpStream, request: &Request) {
    let mut words = request.head.split(' ');
    let (method, target) = (words.next(), words.next().expect("a target"));
    if method == Some("CONNECT") {
        let receiver = connect(target);
        stream.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").ok();
        join(stream, &receiver);
        return;
    }
    let (_, rest) = target.split_once("://").expect("a whole URL");
    let (authority, path) = rest.split_once('/').expect("a path");
    let mut receiver = connect(authority);
    let (_, headers) = request.head.split_once("\r\n").expect("headers");
    let kept = |line: &&str| !line.to_lowercase().starts_with("proxy-");
    let headers: Vec<&str> = headers.lines().filter(kept).collect();
    let headers = headers.join("\r\n");
    let head = format!("POST /{path} HTTP/1.1\r\nconnection: close\r\n{headers}\r\n\r\n");
    receiver.write_all(head.as_bytes()).ok();
    receiver.write_all(&request.body).ok();
    copy(&mut receiver, &mut stream).ok();
}

fn connect(authority: &str) -> TcpStream {
    let (_, port) = authority.rsplit_once(':').expect("a port");
    let port: u16 = port.parse().expect("a port");
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("a receiver")
}

fn join(stream: &TcpStream, receiver: &TcpStream) {
    thread::scope(|threads| {
        threads.spawn(|| pass(stream, receiver));
        pass(receiver, stream);
    });
}

fn pass(mut from: &TcpStream, mut to: &TcpStream) {
    copy(&mut from, &mut to).ok();
    to.shutdown(Shutdown::Write).ok();
}
