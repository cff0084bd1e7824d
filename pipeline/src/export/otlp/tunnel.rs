//! A tunnel through a proxy: `CONNECT`, as RFC 9110 has it. All of its answer is read, and no byte more.

use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::pin::Pin;

use http::{HeaderValue, StatusCode, Uri};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::answer::{Failure, Status};

/// Bytes of the answer that are read.
const MOST: usize = 8 * 1024;

/// Has the proxy at the other end of this stream connect it to the host of this URL.
pub(super) async fn open<S>(
    stream: &mut S,
    endpoint: &Uri,
    authorization: Option<&HeaderValue>,
) -> Result<(), Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let lost = |error: io::Error| Failure::passing(format!("the tunnel was not opened: {error}"));
    write(stream, &request(endpoint, authorization))
        .await
        .map_err(lost)?;
    let head = read_head(stream).await.map_err(lost)?;
    match status(&head) {
        Some(status) if status.is_success() => Ok(()),
        Some(status) => Err(Status::Http(status).failure("no tunnel to the receiver", None)),
        None => Err(Failure::lasting("the answer is none of HTTP")),
    }
}

fn request(endpoint: &Uri, authorization: Option<&HeaderValue>) -> Vec<u8> {
    let host = endpoint.host().unwrap_or_default();
    let default = match endpoint.scheme_str() {
        Some("https") => 443,
        _ => 80,
    };
    let port = endpoint.port_u16().unwrap_or(default);
    let head = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n");
    let mut request = head.into_bytes();
    if let Some(authorization) = authorization {
        request.extend_from_slice(b"Proxy-Authorization: ");
        request.extend_from_slice(authorization.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    request
}

async fn write<S: AsyncWrite + Unpin>(stream: &mut S, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = poll_fn(|context| Pin::new(&mut *stream).poll_write(context, bytes)).await?;
        if written == 0 {
            return Err(ErrorKind::WriteZero.into());
        }
        bytes = &bytes[written..];
    }
    poll_fn(|context| Pin::new(&mut *stream).poll_flush(context)).await
}

/// Byte by byte: what follows is the receiver's, which may speak first.
async fn read_head<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() == MOST {
            return Err(io::Error::other("the answer is longer than 8 KiB"));
        }
        let mut byte = [0];
        let mut buffer = ReadBuf::new(&mut byte);
        poll_fn(|context| Pin::new(&mut *stream).poll_read(context, &mut buffer)).await?;
        if buffer.filled().is_empty() {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        head.extend_from_slice(buffer.filled());
    }
    Ok(head)
}

fn status(head: &[u8]) -> Option<StatusCode> {
    let rest = head.strip_prefix(b"HTTP/1.")?;
    let (_, rest) = rest.split_first()?;
    let code = rest.strip_prefix(b" ")?.get(..3)?;
    StatusCode::from_bytes(code).ok()
}
