//! gRPC, by tonic.

use std::convert::Infallible;

use ::http::{HeaderMap, HeaderValue, Request, Response};
use axum::body::{Body, Bytes};
use enter_span::testing::{RecordedSpan, Recorder, Trace};
use enter_span::{Status, enter_span};
use enter_span_http::{ClientLayer, ServerLayer, Traced};
use futures::stream;
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use rstest::rstest;
use tokio::net::TcpListener;
use tonic::Code;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tower::{Layer as _, ServiceExt as _, layer, service_fn};

use super::{Below, all_told, assert_outline, record, text};

const EXPORT: &str = "opentelemetry.proto.collector.trace.v1.TraceService/Export";

type Caller = TraceServiceClient<Traced<ClientLayer, Channel>>;
type Answer = Result<tonic::Response<ExportTraceServiceResponse>, tonic::Status>;

/// What a service does when it is called.
#[derive(Clone)]
enum Service {
    Answers,
    Refuses(Code),
    CallsBack(Caller),
}

#[tonic::async_trait]
impl TraceService for Service {
    async fn export(&self, _: tonic::Request<ExportTraceServiceRequest>) -> Answer {
        handle(self.clone()).await
    }
}

#[enter_span(err = ignore)]
async fn handle(service: Service) -> Answer {
    match service {
        Service::Answers => {}
        Service::Refuses(code) => return Err(tonic::Status::new(code, "refused")),
        Service::CallsBack(caller) => drop(call_back(caller).await?),
    }
    Ok(tonic::Response::new(ExportTraceServiceResponse::default()))
}

#[enter_span]
async fn call_back(caller: Caller) -> Answer {
    call(caller).await
}

async fn call(mut caller: Caller) -> Answer {
    caller.export(ExportTraceServiceRequest::default()).await
}

/// Serves on loopback, and gives a client of it.
async fn serve(recorder: &Recorder, service: Service) -> Caller {
    let (incoming, caller) = listen().await;
    let context = recorder.context();
    let server = Server::builder()
        .layer(layer::layer_fn(move |service| {
            Below(context.clone(), service)
        }))
        .layer(ServerLayer::new())
        .add_service(TraceServiceServer::new(service))
        .serve_with_incoming(incoming);
    tokio::spawn(server);
    caller
}

async fn listen() -> (TcpIncoming, Caller) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address");
    let channel = Endpoint::from_shared(format!("http://{address}")).expect("an address");
    let layer = ClientLayer::new().with_server("collector.internal:4317");
    let caller = TraceServiceClient::new(layer.layer(channel.connect_lazy()));
    (TcpIncoming::from(listener), caller)
}

/// One call is one server span, however many layers are around the service.
#[test]
fn two_layers_around_a_call_are_one_span() {
    let trace = record(async |recorder| {
        let (incoming, caller) = listen().await;
        let context = recorder.context();
        let server = Server::builder()
            .layer(layer::layer_fn(move |service| {
                Below(context.clone(), service)
            }))
            .layer(ServerLayer::new())
            .layer(ServerLayer::new())
            .add_service(TraceServiceServer::new(Service::Answers))
            .serve_with_incoming(incoming);
        tokio::spawn(server);
        call(caller).await.expect("an answer");
    });
    assert_outline(
        &trace,
        &format!("{EXPORT} [client]\n  {EXPORT} [server]\n    handle"),
    );
}

fn side<'a>(trace: &'a Trace, kind: &str) -> &'a RecordedSpan {
    let mut spans = trace.spans().iter();
    let span = spans.find(|span| span.kind() == kind).expect("its span");
    assert!(span.is_ended(), "{}", trace.tree());
    span
}

/// All that a plain call tells, and nothing else.
#[test]
fn a_call_is_told_by_the_conventions() {
    let trace = record(async |recorder| {
        let caller = serve(&recorder, Service::Answers).await;
        call(caller).await.expect("an answer");
    });
    assert_outline(
        &trace,
        &format!("{EXPORT} [client]\n  {EXPORT} [server]\n    handle"),
    );
    let common = [
        ("network.protocol.version", "2".into()),
        ("rpc.method", EXPORT.into()),
        ("rpc.response.status_code", "OK".into()),
        ("rpc.system.name", "grpc".into()),
    ];
    let at = |address: &str, port: u16| {
        let address = ("server.address", address.into());
        let all = common
            .iter()
            .cloned()
            .chain([address, ("server.port", port.into())]);
        all.collect::<Vec<_>>()
    };
    assert_eq!(
        all_told(side(&trace, "client")),
        at("collector.internal", 4317)
    );
    let server = side(&trace, "server");
    let address = server.attribute("server.address");
    assert_eq!(address, text("127.0.0.1"));
    let keys: Vec<_> = all_told(server).into_iter().map(|(key, _)| key).collect();
    assert_eq!(
        keys,
        at("", 0).iter().map(|(key, _)| *key).collect::<Vec<_>>()
    );
}

/// Every code but OK is the client's error; the server's are those that are its fault.
#[rstest]
#[case(Code::InvalidArgument, "INVALID_ARGUMENT", false)]
#[case(Code::NotFound, "NOT_FOUND", false)]
#[case(Code::Internal, "INTERNAL", true)]
#[case(Code::Unavailable, "UNAVAILABLE", true)]
fn a_code_is_an_error(#[case] code: Code, #[case] name: &str, #[case] is_servers: bool) {
    let trace = record(async |recorder| {
        let caller = serve(&recorder, Service::Refuses(code)).await;
        call(caller).await.expect_err("a refusal");
    });
    for (kind, is_error) in [("client", true), ("server", is_servers)] {
        let span = side(&trace, kind);
        assert_eq!(span.attribute("rpc.response.status_code"), text(name));
        let error = span.attribute("error.type");
        assert_eq!(error, text(name).filter(|_| is_error));
        assert_eq!(span.status() == &Status::error(""), is_error);
    }
}

/// What the callee calls back is below the method that calls, and not below the root.
#[test]
fn a_call_back_is_below_its_method() {
    let trace = record(async |recorder| {
        let listens = serve(&recorder, Service::Answers).await;
        let caller = serve(&recorder, Service::CallsBack(listens)).await;
        root(caller).await.expect("an answer");
    });
    assert_outline(
        &trace,
        &format!(
            "
            root
              {EXPORT} [client]
                {EXPORT} [server]
                  handle
                    call_back
                      {EXPORT} [client]
                        {EXPORT} [server]
                          handle
            "
        ),
    );
}

#[enter_span]
async fn root(caller: Caller) -> Answer {
    call(caller).await
}

/// Calls that are under way at the same time, on one connection, each have their own parent.
#[test]
fn calls_at_the_same_time_do_not_mix() {
    let trace = record(async |recorder| {
        let caller = serve(&recorder, Service::Answers).await;
        let calls = (0..3).map(|_| root(caller.clone()));
        futures::future::join_all(calls).await;
    });
    let line = format!("root\n  {EXPORT} [client]\n    {EXPORT} [server]\n      handle\n");
    assert_outline(&trace, &line.repeat(3));
}

/// A gRPC request that a service of HTTP answers.
fn answered(path: &str, content_type: &str, answer: Response<Body>) -> Trace {
    let request = Request::post(path).header("content-type", content_type);
    let request = request.body(Body::empty()).expect("a request");
    record(async |_| {
        let mut answer = Some(answer);
        let service = ServerLayer::new().layer(service_fn(move |_: Request<Body>| {
            let answer = answer.take().expect("one request");
            async { Ok::<_, Infallible>(answer) }
        }));
        let response = service.oneshot(request).await.expect("a response");
        response.into_body().collect().await.expect("a body");
    })
}

fn with_status(status: &'static str) -> Response<Body> {
    let response = Response::builder().header("grpc-status", status);
    response.body(Body::empty()).expect("a response")
}

fn with_trailers(status: &'static str) -> Response<Body> {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static(status));
    let frames = [
        Frame::data(Bytes::from("a body")),
        Frame::trailers(trailers),
    ];
    let frames = stream::iter(frames.map(Ok::<_, Infallible>));
    Response::new(Body::new(StreamBody::new(frames)))
}

/// The code is in the head or in the trailers, and what is no code is unknown.
#[rstest]
#[case(with_status("0"), "OK", "")]
#[case(with_status("5"), "NOT_FOUND", "")]
#[case(with_trailers("0"), "OK", "")]
#[case(with_trailers("13"), "INTERNAL", "INTERNAL")]
#[case(with_trailers("17"), "UNKNOWN", "UNKNOWN")]
#[case(with_trailers("-1 secret"), "UNKNOWN", "UNKNOWN")]
#[case(Response::new(Body::empty()), "", "")]
fn the_code_is_read(#[case] answer: Response<Body>, #[case] code: &str, #[case] error: &str) {
    let trace = answered("/a.B/C", "application/grpc+proto", answer);
    let span = trace.find("a.B/C");
    assert_eq!(span.attribute("rpc.response.status_code"), text(code));
    assert_eq!(span.attribute("error.type"), text(error));
    assert!(span.is_ended());
}

/// Names that anybody can make up are in no name.
#[rstest]
#[case("/made.Up/Name", "12")]
#[case("/a.B/C/D", "0")]
#[case("/%20/C", "0")]
#[case("/", "0")]
#[case(&format!("/a.B/{}", "C".repeat(256)), "0")]
fn a_method_that_there_is_not_is_another(#[case] path: &str, #[case] status: &'static str) {
    let trace = answered(path, "application/grpc", with_status(status));
    let span = trace.find("grpc");
    assert_eq!(span.attribute("rpc.method"), text("_OTHER"));
    assert_eq!(span.attribute("rpc.method_original"), text(path));
}

/// gRPC-Web has its status in the body: it is told as HTTP.
#[rstest]
#[case("application/grpc-web")]
#[case("application/json")]
fn what_is_not_grpc_is_http(#[case] content_type: &str) {
    let trace = answered("/a.B/C", content_type, with_status("13"));
    assert_eq!(trace.find("POST").attribute("rpc.method"), None);
}
