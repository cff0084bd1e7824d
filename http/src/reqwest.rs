//! The client's side for reqwest: the same layer, as a middleware of `reqwest-middleware`.

use std::error::Error as _;

use async_trait::async_trait;
use enter_span::{Failure, Outcome, is_enabled};
use http::Extensions;
use reqwest::{Body, Request, Response, ResponseBuilderExt as _, Url};
use reqwest_middleware::{Error, Middleware, Next};

use crate::client::{ClientLayer, ClientRequest};
use crate::request_span::RequestSpan;
use crate::response::{end_failed, follow_body};
use crate::response_wait::ResponseWait;
use crate::target::Target;

/// Each request that passes is a span. Redirects do not pass: reqwest follows them below, with the
/// headers of the first request, also to a host that is no destination; where that must not be, turn
/// them off in reqwest. What repeats requests belongs before this; then each attempt is a span, and tells
/// which one it is (`http.request.resend_count`).
///
/// ```
/// use enter_span_http::{ClientLayer, UrlTemplate};
/// use reqwest_middleware::ClientBuilder;
///
/// # async fn order(id: u64) -> reqwest_middleware::Result<()> {
/// let client = ClientBuilder::new(reqwest::Client::new()).with(ClientLayer::new()).build();
/// let order = client
///     .get(format!("http://orders.internal/orders/{id}"))
///     .with_extension(UrlTemplate("/orders/{id}".into()))
///     .send()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[async_trait]
impl Middleware for ClientLayer {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        if !is_enabled() {
            return next.run(request, extensions).await;
        }
        let request_span = self.send_by_reqwest(&mut request, extensions);
        let (request_span, result) =
            ResponseWait::new(Some(request_span), next.run(request, extensions)).await;
        match result {
            Ok(response) => Ok(in_span(request_span, response)),
            Err(error) => {
                end_failed(request_span, &SendError(&error));
                Err(error)
            }
        }
    }
}

/// How often a request was sent. It travels with what repeats it.
#[derive(Clone, Copy)]
struct SendCount(u32);

impl ClientLayer {
    fn send_by_reqwest(
        &self,
        request: &mut Request,
        extensions: &mut Extensions,
    ) -> Box<RequestSpan> {
        let SendCount(sends) = extensions.get().copied().unwrap_or(SendCount(0));
        extensions.insert(SendCount(sends.saturating_add(1)));
        let request_span = self.start_http(&ClientRequest {
            method: request.method(),
            target: Target::of_url(request.url()),
            template: extensions.get(),
            resent: Some(sends).filter(|&sends| sends > 0),
        });
        let host = request.url().host_str().map(str::to_owned);
        self.inject(&request_span, host.as_deref(), request.headers_mut());
        request_span
    }
}

impl<'a> Target<'a> {
    fn of_url(url: &'a Url) -> Self {
        Target {
            scheme: Some(url.scheme()),
            host: url.host_str(),
            port: url.port(),
            path: url.path(),
            query: url.query(),
        }
    }
}

/// The same response, with a body that ends the span.
fn in_span(request_span: Option<Box<RequestSpan>>, response: Response) -> Response {
    let url = response.url().clone();
    let response = follow_body(request_span, http::Response::<Body>::from(response));
    // Its URL is not among the parts, and a builder is the one way to put it back.
    let at_url = http::Response::builder().url(url).body(());
    let (mut parts, body) = response.into_parts();
    if let Ok(at_url) = at_url {
        parts.extensions.extend(at_url.into_parts().0.extensions);
    }
    Response::from(http::Response::from_parts(parts, Body::wrap(body)))
}

/// An error of reqwest's own names the URL, and so the query: its source is recorded instead.
struct SendError<'a>(&'a Error);

impl Outcome for SendError<'_> {
    fn failure(&self) -> Option<Failure<'_>> {
        let kind = match self.0 {
            Error::Middleware(_) => "reqwest_middleware::Error",
            Error::Reqwest(error) if error.is_timeout() => "timeout",
            Error::Reqwest(_) => "reqwest::Error",
        };
        let failure = Failure::new(kind);
        Some(match self.0 {
            Error::Middleware(error) => failure.message(error),
            Error::Reqwest(_) => match self.0.source() {
                Some(source) => failure.message(source),
                None => failure,
            },
        })
    }
}
