//! A receiver on a plain socket, which does with each request what a test says.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

/// A request of HTTP/1.1.
pub(crate) struct Request {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

pub(crate) struct Scripted {
    url: String,
    requests: mpsc::Receiver<Request>,
}

/// What becomes of a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    Keep,
    Close,
}

impl Scripted {
    /// Calls this with the number of each request, from 0, and its connection.
    pub(crate) fn start(
        answer: impl Fn(usize, &mut TcpStream) -> Then + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (sends, requests) = mpsc::channel();
        let (answer, number) = (Arc::new(answer), Arc::new(AtomicUsize::new(0)));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.expect("a connection");
                let (answer, number) = (Arc::clone(&answer), Arc::clone(&number));
                let sends = sends.clone();
                thread::spawn(move || serve(stream, &number, &*answer, &sends));
            }
        });
        Scripted { url, requests }
    }

    /// Answers each request with one of these, the last one for ever, and keeps the connection.
    pub(crate) fn answering(answers: Vec<Vec<u8>>) -> Self {
        Scripted::start(move |number, stream| {
            let answer = answers.get(number).or(answers.last()).expect("an answer");
            stream.write_all(answer).ok();
            Then::Keep
        })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Those that came until now.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.try_iter().collect()
    }
}

fn serve(
    mut stream: TcpStream,
    number: &AtomicUsize,
    answer: &dyn Fn(usize, &mut TcpStream) -> Then,
    requests: &mpsc::Sender<Request>,
) {
    let mut reader = BufReader::new(stream.try_clone().expect("a socket"));
    while let Some(request) = read(&mut reader) {
        requests.send(request).ok();
        let number = number.fetch_add(1, Ordering::SeqCst);
        if answer(number, &mut stream) == Then::Close {
            break;
        }
    }
}

/// `None` at the end of the connection.
pub(crate) fn read(reader: &mut impl BufRead) -> Option<Request> {
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line.trim().is_empty() {
            break;
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request { head, body })
}

/// Takes one request, of any kind of connection.
#[cfg(unix)]
pub(crate) fn serve_one(mut stream: std::os::unix::net::UnixStream) {
    let reader = stream.try_clone().expect("a socket");
    read(&mut BufReader::new(reader)).expect("a request");
    stream.write_all(&taken()).expect("an open connection");
}

/// A whole answer of HTTP.
pub(crate) fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\n\r\n");
    let mut answer = head.into_bytes();
    answer.extend_from_slice(body);
    answer
}

/// The answer of a receiver that took all of a request.
pub(crate) fn taken() -> Vec<u8> {
    answer("200 OK", "content-type: application/x-protobuf\r\n", b"")
}

/// Waits until the peer has closed the connection.
pub(crate) fn wait_for_end(stream: &mut TcpStream) {
    while stream.read(&mut [0; 1024]).is_ok_and(|read| read > 0) {}
}
