//! Sends one message to the receiver, as often as OTLP asks.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::{Buf as _, Bytes};
use http::header::USER_AGENT;
use http::{HeaderValue, Request};
use tokio::sync::Notify;

use super::answer::{Answer, Failure, Retry};
use super::backoff::Backoff;
use super::connection::{Connection, Payload, Reply};
use super::connector::Connector;
#[cfg(feature = "otlp-grpc")]
use super::grpc;
use super::gzip::Gzip;
#[cfg(feature = "otlp-http")]
use super::http as otlp_http;
use super::redaction::Redaction;
use crate::environment::{OtlpSettings, Protocol};

pub(super) struct Client {
    connection: Connection,
    protocol: Protocol,
    /// Without its message.
    request: Request<()>,
    gzip: Option<Mutex<Gzip>>,
    redaction: Redaction,
    is_hurried: AtomicBool,
    hurried: Notify,
}

/// As the specification of the exporter asks.
const AGENT: &str = concat!(
    "enter-span-pipeline/",
    env!("CARGO_PKG_VERSION"),
    " OTel-OTLP-Exporter-Rust/",
    env!("CARGO_PKG_VERSION")
);

impl Client {
    /// # Errors
    ///
    /// What is missing, or wrong with the settings for TLS.
    pub(super) fn new(settings: &OtlpSettings) -> Result<Self, String> {
        Ok(Client {
            connection: Connection::new(Connector::new(settings)?, settings.protocol),
            protocol: settings.protocol,
            request: request(settings)?,
            gzip: settings.gzip.then(|| Mutex::new(Gzip::new())),
            redaction: Redaction::new(&settings.headers, &settings.endpoint),
            is_hurried: AtomicBool::new(false),
            hurried: Notify::new(),
        })
    }

    /// Ends a pause now. From here on, each message is tried once more at most.
    pub(super) fn hurry(&self) {
        self.is_hurried.store(true, Ordering::Relaxed);
        self.hurried.notify_one();
    }

    /// Sends it until the receiver has answered for good, or no other try ends before the deadline.
    /// `on_retry` gets each failure that is followed by another try.
    ///
    /// # Errors
    ///
    /// The last failure. Where another try might have helped, its time was over.
    pub(super) async fn send(
        &self,
        message: Bytes,
        deadline: Option<Instant>,
        on_retry: impl Fn(&str),
    ) -> Answer {
        let (prefix, message) = self.frame(message)?;
        let mut backoff = Backoff::default();
        loop {
            let payload = Payload::new(prefix.clone().chain(message.clone()));
            let failure = match self.send_once(payload).await {
                Ok(taken) => return Ok(taken),
                Err(failure) => failure,
            };
            let Some(pause) = backoff.next(failure.retry) else {
                return Err(failure);
            };
            // What a kept connection cost was no try.
            let is_last = self.is_hurried.load(Ordering::Relaxed) && failure.retry != Retry::Now;
            if is_last || is_late(pause, deadline) {
                return Err(given_up(failure, backoff.tries()));
            }
            on_retry(&failure.reason);
            // Over earlier, if there is no time.
            let _ = tokio::time::timeout(pause, self.hurried.notified()).await;
        }
    }

    async fn send_once(&self, payload: Payload) -> Answer {
        let request = self.request.clone().map(|()| payload);
        let reply = self.connection.exchange(request).await?;
        let mut answer = self.answer(&reply);
        if let Ok(taken) = &mut answer {
            taken.message = self.redaction.show(&taken.message);
        }
        answer
    }

    fn answer(&self, reply: &Reply) -> Answer {
        match self.protocol {
            #[cfg(feature = "otlp-http")]
            Protocol::Http => otlp_http::answer(reply, &self.redaction),
            #[cfg(feature = "otlp-grpc")]
            Protocol::Grpc => grpc::answer(reply, &self.redaction),
            #[cfg(not(all(feature = "otlp-http", feature = "otlp-grpc")))]
            _ => Err(Failure::lasting(missing())),
        }
    }

    /// Compressed, if that is asked for, and with what the protocol puts before it.
    fn frame(&self, message: Bytes) -> Result<(Bytes, Bytes), Failure> {
        let message = match &self.gzip {
            None => message,
            Some(gzip) => {
                let mut gzip = gzip.lock().unwrap_or_else(PoisonError::into_inner);
                let compressed = gzip.compress(&message);
                compressed.ok_or_else(|| Failure::lasting("the message cannot be compressed"))?
            }
        };
        let prefix = match self.protocol {
            #[cfg(feature = "otlp-grpc")]
            Protocol::Grpc => grpc::prefix(&message, self.gzip.is_some())
                .ok_or_else(|| Failure::lasting("the message is longer than gRPC allows"))?,
            _ => Bytes::new(),
        };
        Ok((prefix, message))
    }
}

fn request(settings: &OtlpSettings) -> Result<Request<()>, String> {
    let mut headers = settings.headers.clone();
    headers
        .entry(USER_AGENT)
        .or_insert(HeaderValue::from_static(AGENT));
    let request = match settings.protocol {
        #[cfg(feature = "otlp-http")]
        Protocol::Http => otlp_http::request(&settings.endpoint, headers, settings.gzip),
        #[cfg(feature = "otlp-grpc")]
        Protocol::Grpc => grpc::request(&settings.endpoint, headers, settings.gzip),
        #[cfg(not(all(feature = "otlp-http", feature = "otlp-grpc")))]
        _ => return Err(missing()),
    };
    request.ok_or_else(|| "the endpoint has no host".to_owned())
}

/// The name of the feature that is not there.
#[cfg(not(all(feature = "otlp-http", feature = "otlp-grpc")))]
fn missing() -> String {
    let feature = if cfg!(feature = "otlp-http") {
        "otlp-grpc"
    } else {
        "otlp-http"
    };
    format!("this protocol needs the feature `{feature}` of `enter-span-pipeline`")
}

/// Whether nothing can be sent any more after this pause.
fn is_late(pause: Duration, deadline: Option<Instant>) -> bool {
    let next = Instant::now().checked_add(pause);
    next.is_none_or(|next| deadline.is_some_and(|deadline| deadline <= next))
}

fn given_up(failure: Failure, tries: u32) -> Failure {
    let Failure { reason, retry } = failure;
    let tries = match tries {
        1 => "1 try".to_owned(),
        tries => format!("{tries} tries"),
    };
    let reason = format!("{reason} (given up after {tries})");
    Failure { reason, retry }
}
