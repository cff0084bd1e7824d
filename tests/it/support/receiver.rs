//! A receiver of OTLP on loopback, for both transports: what arrives is decoded and handed to the test.

use std::convert::Infallible;
use std::future::{Future, pending};
use std::io::{self, Read as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::serve::Listener;
use futures::Stream;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::server::TlsStream;
use tonic::codec::CompressionEncoding;
use tonic::transport::Server;
use tonic::transport::server::{Connected, TcpIncoming};

/// Long enough for every machine; nothing waits for it but what hangs.
const AGES: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Http,
    Grpc,
}

impl Transport {
    /// As `OTEL_EXPORTER_OTLP_PROTOCOL` says it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Transport::Http => "http/protobuf",
            Transport::Grpc => "grpc",
        }
    }
}

/// What a receiver says to what it has received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Taken,
    OneRejected,
    Refused,
    Never,
}

pub(crate) struct Received {
    /// Of HTTP alone.
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) request: ExportTraceServiceRequest,
}

impl Received {
    /// The value of a header, if there is one.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn spans(&self) -> Vec<&Span> {
        let resources = self.request.resource_spans.iter();
        let scopes = resources.flat_map(|resource| &resource.scope_spans);
        scopes.flat_map(|scope| &scope.spans).collect()
    }
}

/// It stops when it is dropped.
pub(crate) struct Receiver {
    pub(crate) transport: Transport,
    /// Of itself alone, in PEM, where it has TLS.
    pub(crate) certificate: Option<String>,
    address: SocketAddr,
    received: mpsc::Receiver<Received>,
    _stops: oneshot::Sender<Infallible>,
}

impl Receiver {
    pub(crate) fn start(transport: Transport, answer: Answer) -> Self {
        Receiver::start_with(transport, answer, None)
    }

    /// With TLS, for `localhost`, and for a name that a proxy knows.
    pub(crate) fn start_secure(transport: Transport) -> Self {
        let names = ["localhost".to_owned(), "collector.test".to_owned()];
        let key = rcgen::generate_simple_self_signed(names).expect("a certificate");
        let identity = Identity { key, clients: None };
        Receiver::start_with(transport, Answer::Taken, Some(identity))
    }

    /// With TLS, for `localhost`, and for clients of this certificate alone, in PEM.
    pub(crate) fn start_mutual(transport: Transport, client: &str) -> Self {
        let names = ["localhost".to_owned()];
        let identity = Identity {
            key: rcgen::generate_simple_self_signed(names).expect("a certificate"),
            clients: Some(client.to_owned()),
        };
        Receiver::start_with(transport, Answer::Taken, Some(identity))
    }

    /// Listens on this Unix domain socket too.
    #[cfg(unix)]
    pub(crate) fn start_at(transport: Transport, path: &std::path::Path) -> Self {
        let receiver = Receiver::start(transport, Answer::Taken);
        let listener = std::os::unix::net::UnixListener::bind(path).expect("a socket");
        let address = receiver.address;
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, to) = (
                    stream.expect("a connection"),
                    std::net::TcpStream::connect(address),
                );
                // The receiver has stopped.
                let Ok(to) = to else { break };
                let (back, from) = (to.try_clone(), stream.try_clone());
                let (back, from) = (back.expect("a socket"), from.expect("a socket"));
                thread::spawn(move || std::io::copy(&mut { from }, &mut { to }));
                thread::spawn(move || std::io::copy(&mut { back }, &mut { stream }));
            }
        });
        receiver
    }

    fn start_with(transport: Transport, answer: Answer, identity: Option<Identity>) -> Self {
        let certificate = identity.as_ref().map(|identity| identity.key.cert.pem());
        let (received, inbox) = mpsc::channel();
        let (stops, stopped) = oneshot::channel();
        let (bound, address) = mpsc::channel();
        let desk = Desk { received, answer };
        thread::spawn(move || {
            // What serves must not be seen where a test looks at the spans of all threads.
            let _quiet = tracing::subscriber::set_default(tracing::subscriber::NoSubscriber::new());
            run(async {
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
                let listener = listener.expect("a port");
                bound.send(listener.local_addr().expect("an address")).ok();
                tokio::select! {
                    () = desk.serve(transport, listener, identity) => {}
                    _ = stopped => {}
                }
            });
        });
        Receiver {
            transport,
            certificate,
            address: address.recv().expect("a receiver"),
            received: inbox,
            _stops: stops,
        }
    }

    pub(crate) fn url(&self) -> String {
        match self.certificate {
            Some(_) => format!("https://localhost:{}", self.address.port()),
            None => format!("http://{}", self.address),
        }
    }

    pub(crate) fn next(&self) -> Received {
        self.received.recv_timeout(AGES).expect("a request")
    }

    /// Whether there is none that was not taken yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.received.try_recv().is_err()
    }
}

fn run(work: impl Future<Output = ()>) {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().expect("a runtime");
    runtime.block_on(work);
}

#[derive(Clone)]
struct Desk {
    received: mpsc::Sender<Received>,
    answer: Answer,
}

impl Desk {
    async fn serve(self, transport: Transport, listener: TcpListener, identity: Option<Identity>) {
        match (transport, identity) {
            (Transport::Http, None) => self.serve_http(listener).await,
            (Transport::Http, Some(identity)) => {
                self.serve_http(Secure::new(listener, identity)).await;
            }
            (Transport::Grpc, None) => self.serve_grpc(TcpIncoming::from(listener)).await,
            (Transport::Grpc, Some(identity)) => {
                self.serve_grpc(Secure::new(listener, identity).incoming())
                    .await;
            }
        }
    }

    async fn serve_http<L: Listener>(self, listener: L)
    where
        L::Addr: std::fmt::Debug,
    {
        let take = move |uri: Uri, headers: HeaderMap, body: Bytes| async move {
            self.take_http(uri, headers, body).await
        };
        let app = Router::new().fallback(take);
        axum::serve(listener, app).await.expect("a server");
    }

    async fn serve_grpc<I>(self, incoming: impl Stream<Item = io::Result<I>>)
    where
        I: AsyncRead + AsyncWrite + Connected + Unpin + Send + 'static,
    {
        let service = TraceServiceServer::new(self);
        let service = service.accept_compressed(CompressionEncoding::Gzip);
        let served = Server::builder().add_service(service);
        let served = served.serve_with_incoming(incoming);
        served.await.expect("a server");
    }

    async fn take_http(self, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
        let body = match headers.get("content-encoding") {
            Some(gzip) if gzip == "gzip" => unzip(&body),
            _ => body.to_vec(),
        };
        let request = ExportTraceServiceRequest::decode(&*body).expect("a request");
        let received = Received {
            path: uri.to_string(),
            headers,
            request,
        };
        match self.answer(received).await {
            Some(response) => response.encode_to_vec().into_response(),
            None => StatusCode::BAD_REQUEST.into_response(),
        }
    }

    /// `None` is a refusal.
    async fn answer(&self, received: Received) -> Option<ExportTraceServiceResponse> {
        self.received.send(received).ok();
        let partial_success = match self.answer {
            Answer::Taken => None,
            Answer::OneRejected => Some(ExportTracePartialSuccess {
                rejected_spans: 1,
                error_message: "one is too old".to_owned(),
            }),
            Answer::Refused => return None,
            Answer::Never => pending().await,
        };
        Some(ExportTraceServiceResponse { partial_success })
    }
}

#[tonic::async_trait]
impl TraceService for Desk {
    async fn export(
        &self,
        request: tonic::Request<ExportTraceServiceRequest>,
    ) -> Result<tonic::Response<ExportTraceServiceResponse>, tonic::Status> {
        let (metadata, _, request) = request.into_parts();
        let received = Received {
            path: String::new(),
            headers: metadata.into_headers(),
            request,
        };
        let answer = self.answer(received).await;
        let answer = answer.ok_or_else(|| tonic::Status::invalid_argument("refused"));
        answer.map(tonic::Response::new)
    }
}

fn unzip(body: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    let mut decoder = flate2::read::GzDecoder::new(body);
    decoder.read_to_end(&mut plain).expect("gzip");
    plain
}

/// Who a receiver is, and who may talk to it: everybody, or clients of these certificates.
struct Identity {
    key: rcgen::CertifiedKey<rcgen::KeyPair>,
    clients: Option<String>,
}

/// A listener with TLS.
struct Secure {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Secure {
    fn new(listener: TcpListener, Identity { key, clients }: Identity) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .expect("versions");
        let config = match clients {
            None => config.with_no_client_auth(),
            Some(pem) => {
                let certificate = CertificateDer::from_pem_slice(pem.as_bytes());
                let mut roots = rustls::RootCertStore::empty();
                roots.add(certificate.expect("PEM")).expect("a certificate");
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                config.with_client_cert_verifier(verifier.build().expect("a verifier"))
            }
        };
        let private = PrivateKeyDer::Pkcs8(key.signing_key.serialize_der().into());
        let mut config = config
            .with_single_cert(vec![key.cert.der().clone()], private)
            .expect("an identity");
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Secure { listener, acceptor }
    }

    fn incoming(self) -> impl Stream<Item = io::Result<TlsStream<TcpStream>>> {
        futures::stream::unfold(self, |mut secure| async {
            let (stream, _) = secure.accept().await;
            Some((Ok(stream), secure))
        })
    }
}

impl Listener for Secure {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, address) = self.listener.accept().await.expect("a connection");
            match self.acceptor.accept(stream).into_fallible().await {
                Ok(stream) => return (stream, address),
                // Who does not trust us goes away, and whom we do not trust. Closed with bytes that
                // nobody has read, the connection would be reset before the alert is seen.
                Err((_, mut stream)) => {
                    tokio::spawn(async move {
                        stream.shutdown().await.ok();
                        tokio::io::copy(&mut stream, &mut tokio::io::sink())
                            .await
                            .ok();
                    });
                }
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}
