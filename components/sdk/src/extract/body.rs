//! Reading a request's body, with a limit.

use crate::Problem;
use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode, header};
use http_body::Body as _;
use std::future::poll_fn;
use std::pin::Pin;

/// The whole body. One that came in one piece is not copied.
pub(super) async fn read(headers: &HeaderMap, mut body: Body, bytes_max: usize) -> Result<Bytes, Problem> {
    if content_length(headers).is_some_and(|length| length > bytes_max as u64) {
        return Err(too_large(bytes_max));
    }
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(chunk) = next_chunk(&mut body).await? {
        if first.len() + rest.len() + chunk.len() > bytes_max {
            return Err(too_large(bytes_max));
        }
        if first.is_empty() {
            first = chunk;
        } else {
            rest.extend_from_slice(&chunk);
        }
    }
    if rest.is_empty() {
        return Ok(first);
    }
    let mut whole = BytesMut::with_capacity(first.len() + rest.len());
    whole.extend_from_slice(&first);
    whole.extend_from_slice(&rest);
    Ok(whole.freeze())
}

/// The next piece that has something in it; nothing at the end.
pub(super) async fn next_chunk(body: &mut Body) -> Result<Option<Bytes>, Problem> {
    loop {
        if body.is_end_stream() {
            return Ok(None);
        }
        let Some(frame) = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await else {
            return Ok(None);
        };
        let frame = frame.map_err(|err| {
            Problem::bad_request("body-incomplete").detail("the body ended before it was complete").cause(err)
        })?;
        match frame.into_data() {
            Ok(chunk) if !chunk.is_empty() => return Ok(Some(chunk)),
            // Nothing, or trailers, which none of our interfaces uses.
            Ok(_) | Err(_) => {}
        }
    }
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

pub(super) fn too_large(bytes_max: usize) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "content-too-large")
        .detail(format!("at most {bytes_max} bytes are accepted"))
        .with("bytes_max", bytes_max)
}
