//! A receiver on a real socket that behaves badly, and knows which of its answers may be lost.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use prost::Message as _;
use rand::Rng as _;
use rand::rngs::SmallRng;

use crate::book::{Answer, Book};

/// How it behaves for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Well,
    /// Nobody listens, and all connections are closed.
    Away,
    /// Takes the spans, and answers late: perhaps too late.
    Slow(Duration),
    /// 503, with no pause.
    Refusing,
    /// 429, with a pause of a second.
    Busy,
    /// 400: for good.
    Rejecting,
    /// Reads half of a request, and closes.
    ResettingEarly,
    /// Takes the spans, and closes without an answer.
    ResettingLate,
}

pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    random: SmallRng,
}

struct Shared {
    mood: Mutex<Mood>,
    connections: Mutex<Vec<TcpStream>>,
    book: Arc<Book>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Receiver {
    pub(crate) fn start(book: Arc<Book>, random: SmallRng) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            mood: Mutex::new(Mood::Well),
            connections: Mutex::default(),
            book,
        });
        let own = Arc::clone(&shared);
        thread::spawn(move || own.listen(listener, address));
        Ok(Receiver {
            address,
            shared,
            random,
        })
    }

    /// Changes it at random.
    pub(crate) fn change(&mut self) {
        let mood = match self.random.random_range(0..12) {
            0 | 1 => Mood::Away,
            2 => Mood::Slow(Duration::from_millis(self.random.random_range(50..2_000))),
            // Longer than the exporter waits.
            3 => Mood::Slow(Duration::from_millis(4_000)),
            4 => Mood::Refusing,
            5 => Mood::Busy,
            6 => Mood::Rejecting,
            7 => Mood::ResettingEarly,
            8 => Mood::ResettingLate,
            _ => Mood::Well,
        };
        self.set(mood);
    }

    pub(crate) fn set(&self, mood: Mood) {
        *lock(&self.shared.mood) = mood;
        if mood == Mood::Away {
            for connection in lock(&self.shared.connections).drain(..) {
                connection.shutdown(Shutdown::Both).ok();
            }
        }
    }
}

impl Shared {
    fn mood(&self) -> Mood {
        *lock(&self.mood)
    }

    /// The port is closed while it is away.
    fn listen(self: Arc<Self>, listener: TcpListener, address: SocketAddr) {
        const PAUSE: Duration = Duration::from_millis(5);
        let mut listener = Some(listener);
        loop {
            if self.mood() == Mood::Away {
                listener = None;
            } else if listener.is_none() {
                listener = TcpListener::bind(address).ok();
            }
            let accepted = listener.as_ref().map(|listener| {
                listener.set_nonblocking(true)?;
                listener.accept()
            });
            match accepted {
                Some(Ok((stream, _))) => {
                    let shared = Arc::clone(&self);
                    thread::spawn(move || shared.serve(stream));
                }
                _ => thread::sleep(PAUSE),
            }
        }
    }

    fn serve(&self, stream: TcpStream) {
        stream.set_nonblocking(false).ok();
        if let Ok(own) = stream.try_clone() {
            let mut connections = lock(&self.connections);
            connections.retain(|connection| connection.peer_addr().is_ok());
            connections.push(own);
        }
        let mut reader = BufReader::new(&stream);
        while let Ok(Some(body)) = self.read(&mut reader) {
            if !self.answer(&stream, &body) {
                break;
            }
        }
        stream.shutdown(Shutdown::Both).ok();
    }

    /// `None` at the end.
    fn read(&self, reader: &mut BufReader<&TcpStream>) -> io::Result<Option<Vec<u8>>> {
        let (mut line, mut length) = (String::new(), 0);
        while line != "\r\n" {
            line.clear();
            if reader.read_line(&mut line)? == 0 {
                return Ok(None);
            }
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or_default();
            }
        }
        if self.mood() == Mood::ResettingEarly {
            io::copy(&mut reader.by_ref().take(length / 2), &mut io::sink())?;
            return Ok(None);
        }
        let mut body = Vec::new();
        reader.by_ref().take(length).read_to_end(&mut body)?;
        Ok(Some(body))
    }

    /// Returns whether the connection stays.
    fn answer(&self, stream: &TcpStream, body: &[u8]) -> bool {
        let start = Instant::now();
        match self.mood() {
            Mood::Well => {
                let is_written = write(stream, "200 OK", "");
                // A machine that stood still may have let the sender wait too long.
                let is_prompt = is_written && start.elapsed() < Duration::from_millis(500);
                let answer = if is_prompt {
                    Answer::InTime
                } else {
                    Answer::Unsure
                };
                self.take(body, answer);
                is_written
            }
            Mood::Slow(pause) => {
                self.take(body, Answer::Unsure);
                thread::sleep(pause);
                write(stream, "200 OK", "")
            }
            Mood::Refusing => write(stream, "503 Service Unavailable", ""),
            Mood::Busy => write(stream, "429 Too Many Requests", "retry-after: 1\r\n"),
            Mood::Rejecting => write(stream, "400 Bad Request", ""),
            Mood::ResettingLate => {
                self.take(body, Answer::Unsure);
                false
            }
            Mood::ResettingEarly | Mood::Away => false,
        }
    }

    fn take(&self, body: &[u8], answer: Answer) {
        let request = ExportTraceServiceRequest::decode(body).unwrap_or_default();
        let resources = request.resource_spans.iter();
        let scopes = resources.flat_map(|resource| &resource.scope_spans);
        for span in scopes.flat_map(|scope| &scope.spans) {
            let number = span.attributes.iter().find(|pair| pair.key == "number");
            let value = number.and_then(|number| number.value.as_ref()?.value.as_ref());
            if let Some(Value::IntValue(number)) = value {
                self.book.arrive(number.unsigned_abs(), answer);
            }
        }
    }
}

fn write(mut stream: &TcpStream, status: &str, headers: &str) -> bool {
    let kind = "content-type: application/x-protobuf\r\ncontent-length: 0\r\n";
    let head = format!("HTTP/1.1 {status}\r\n{headers}{kind}\r\n");
    stream.write_all(head.as_bytes()).is_ok()
}
