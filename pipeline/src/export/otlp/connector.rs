//! Opens a stream to the receiver: over TCP or a Unix domain socket, with or without TLS.
//!
//! A tunnel through a proxy has its place between the stream that is dialled and TLS.

use std::error::Error;
use std::iter::successors;
use std::path::PathBuf;

use http::Uri;
use http::uri::Scheme;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tower_service::Service as _;

use super::answer::Failure;
use super::{tls, tunnel};
use crate::environment::{OtlpSettings, Protocol, Proxy};

pub(super) struct Connector {
    endpoint: Uri,
    /// Instead of the host and the port.
    socket: Option<PathBuf>,
    proxy: Option<Proxy>,
    needs_tunnel: bool,
    tcp: HttpConnector,
    tls: Option<TlsConnector>,
    protocol: Protocol,
}

/// What a stream has to be.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Duplex for S {}

pub(super) type Stream = TokioIo<Box<dyn Duplex>>;

impl Connector {
    /// # Errors
    ///
    /// What is wrong with the settings for TLS. An endpoint without TLS needs no certificates.
    pub(super) fn new(settings: &OtlpSettings) -> Result<Self, String> {
        let is_secure = settings.endpoint.scheme() == Some(&Scheme::HTTPS);
        let tls = if is_secure {
            Some(tls::config(&settings.files, alpn(settings.protocol))?.into())
        } else {
            None
        };
        // It tries the addresses of IPv6 and IPv4 side by side.
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        Ok(Connector {
            endpoint: settings.endpoint.clone(),
            socket: settings.socket.clone(),
            proxy: settings.proxy.clone(),
            needs_tunnel: settings.needs_tunnel(),
            tcp,
            tls,
            protocol: settings.protocol,
        })
    }

    pub(super) async fn connect(&self) -> Result<Stream, Failure> {
        let mut stream = self.dial().await?;
        if let Some(proxy) = self.proxy.as_ref().filter(|_| self.needs_tunnel) {
            let authorization = proxy.authorization.as_ref();
            tunnel::open(&mut stream, &self.endpoint, authorization).await?;
        }
        let stream = match &self.tls {
            Some(tls) => self.secure(tls, stream).await?,
            None => stream,
        };
        Ok(TokioIo::new(stream))
    }

    async fn dial(&self) -> Result<Box<dyn Duplex>, Failure> {
        if let Some(socket) = &self.socket {
            return dial_socket(socket).await;
        }
        let mut tcp = self.tcp.clone();
        // It is always ready: names are resolved on threads of the runtime.
        let next = self
            .proxy
            .as_ref()
            .map_or(&self.endpoint, |proxy| &proxy.url);
        let connected = tcp.call(next.clone()).await;
        match connected {
            Ok(stream) => Ok(Box::new(stream.into_inner())),
            Err(error) => Err(Failure::passing(chain(&error))),
        }
    }

    async fn secure(
        &self,
        tls: &TlsConnector,
        stream: Box<dyn Duplex>,
    ) -> Result<Box<dyn Duplex>, Failure> {
        let host = self.endpoint.host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(host.to_owned());
        let name = name.map_err(|error| Failure::lasting(error.to_string()))?;
        let stream = match tls.connect(name, stream).await {
            Ok(stream) => stream,
            // What Rustls itself refuses stays so: a certificate, or what is no TLS.
            Err(error)
                if error
                    .get_ref()
                    .is_some_and(|inner| inner.is::<rustls::Error>()) =>
            {
                return Err(Failure::lasting(format!("TLS: {}", chain(&error))));
            }
            Err(error) => return Err(Failure::passing(format!("TLS: {}", chain(&error)))),
        };
        let (_, connection) = stream.get_ref();
        let is_agreed = connection.alpn_protocol() == Some(alpn(self.protocol));
        if self.protocol == Protocol::Grpc && !is_agreed {
            let reason = "TLS: the receiver does not agree to HTTP/2, which gRPC needs";
            return Err(Failure::lasting(reason));
        }
        Ok(Box::new(stream))
    }
}

fn alpn(protocol: Protocol) -> &'static [u8] {
    match protocol {
        Protocol::Http => b"http/1.1",
        Protocol::Grpc => b"h2",
    }
}

#[cfg(unix)]
async fn dial_socket(path: &PathBuf) -> Result<Box<dyn Duplex>, Failure> {
    match tokio::net::UnixStream::connect(path).await {
        Ok(stream) => Ok(Box::new(stream)),
        Err(error) => Err(Failure::passing(chain(&error))),
    }
}

/// The environment takes no such endpoint here.
#[cfg(not(unix))]
async fn dial_socket(_: &PathBuf) -> Result<Box<dyn Duplex>, Failure> {
    Err(Failure::lasting("this platform has no Unix domain sockets"))
}

/// What an error says, with its sources, each once.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut chain = String::new();
    for error in successors(Some(error), |&error| error.source()) {
        let text = error.to_string();
        // Some repeat their source.
        if chain.ends_with(&text) {
            continue;
        }
        if !chain.is_empty() {
            chain.push_str(": ");
        }
        chain.push_str(&text);
    }
    chain
}
