//! Sends one message to the receiver.

use std::sync::{Mutex, PoisonError};

use bytes::{Buf as _, Bytes};
use http::header::{PROXY_AUTHORIZATION, USER_AGENT};
use http::{HeaderMap, HeaderValue, Request};

use super::answer::{Answer, Failure, Retry};
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
    /// The proxy, as a message names it.
    way: Option<String>,
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
            redaction: Redaction::new(&secrets(settings), &settings.endpoint),
            way: settings
                .proxy
                .as_ref()
                .map(|proxy| format!("through proxy {}", proxy.name())),
        })
    }

    /// Sends it. A kept connection that is gone is replaced immediately, and `on_retry` gets the reason.
    ///
    /// # Errors
    ///
    /// That of the receiver, or of a new connection.
    pub(super) async fn send(&self, message: Bytes, on_retry: impl Fn(&str)) -> Answer {
        let (prefix, message) = self.frame(message)?;
        loop {
            let payload = Payload::new(prefix.clone().chain(message.clone()));
            match self.send_once(payload).await {
                Err(failure) if failure.retry == Retry::Now => on_retry(&failure.reason),
                answer => return answer,
            }
        }
    }

    async fn send_once(&self, payload: Payload) -> Answer {
        let request = self.request.clone().map(|()| payload);
        let exchanged = self.connection.exchange(request).await;
        let mut answer = exchanged.and_then(|reply| self.answer(&reply));
        if let Ok(taken) = &mut answer {
            taken.message = self.redaction.show(&taken.message);
        }
        answer.map_err(|failure| Failure {
            reason: self.with_way(failure.reason),
            ..failure
        })
    }

    /// Says that there is a proxy: what failed may be the proxy's fault.
    pub(super) fn with_way(&self, reason: String) -> String {
        match &self.way {
            Some(way) => format!("{way}: {reason}"),
            None => reason,
        }
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
    let mut request = request.ok_or("the endpoint has no host")?;
    if let Some(proxy) = settings.proxy.as_ref().filter(|_| !settings.needs_tunnel()) {
        // A proxy takes the whole URL.
        *request.uri_mut() = settings.endpoint.clone();
        let authorization = proxy.authorization.clone();
        let headers = request.headers_mut();
        headers.extend(authorization.map(|value| (PROXY_AUTHORIZATION, value)));
    }
    Ok(request)
}

/// The headers, and what a proxy gets.
fn secrets(settings: &OtlpSettings) -> HeaderMap {
    let mut headers = settings.headers.clone();
    let proxy = settings.proxy.as_ref();
    let authorization = proxy.and_then(|proxy| proxy.authorization.clone());
    headers.extend(authorization.map(|value| (PROXY_AUTHORIZATION, value)));
    headers
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
