//! A client of one service, which tells it of the span that calls.

use std::borrow::Cow;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{Request, Response};
use enter_span_http::{ClientLayer, UrlTemplate};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Serialize;
use tower::{Layer as _, ServiceExt as _};

use crate::Result;

type Http = legacy::Client<HttpConnector, Body>;

/// More is not read of an answer.
const MOST_BYTES: usize = 1 << 16;

#[derive(Clone)]
pub(crate) struct Client {
    http: enter_span_http::Traced<enter_span_http::ClientLayer, Http>,
    url: String,
}

impl Client {
    pub(crate) fn new(url: String) -> Self {
        let http = legacy::Client::builder(TokioExecutor::new()).build_http();
        let http = ClientLayer::new().layer(http);
        Client { http, url }
    }

    /// The answer to this body, sent as JSON.
    pub(crate) async fn post(
        &self,
        path: &'static str,
        body: &impl Serialize,
    ) -> Result<Response<Bytes>> {
        let request = Request::post(format!("{}{path}", self.url))
            .header(CONTENT_TYPE, "application/json")
            // The name of the span: a path of this program's, without ids.
            .extension(UrlTemplate(Cow::Borrowed(path)))
            .body(Body::from(serde_json::to_vec(body)?))?;
        let response = self.http.clone().oneshot(request).await?;
        let (head, body) = response.into_parts();
        // The span ends with the body.
        let body = to_bytes(Body::new(body), MOST_BYTES).await?;
        Ok(Response::from_parts(head, body))
    }
}
