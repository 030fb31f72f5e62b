//! Responses on their way out: a body that is known in full is one write.

use super::headers;
use crate::log;
use axum::body::Body;
use axum::response::Response;
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, StatusCode};
use http_body::Body as _;
use std::future::poll_fn;
use std::pin::Pin;
use wasip3::http::types::{self as wasi, ErrorCode, Trailers};
use wasip3::wit_bindgen::{self, FutureWriter, StreamWriter};
use wasip3::{wit_future, wit_stream};

type BodyResult = Result<Option<Trailers>, ErrorCode>;

pub(super) fn outgoing(response: Response) -> Result<wasi::Response, ErrorCode> {
    let (mut parts, body) = response.into_parts();
    // axum does so for its routes, and not for its fallback.
    if let Some(length) = body.size_hint().exact().filter(|length| *length > 0) {
        parts.headers.entry(CONTENT_LENGTH).or_insert_with(|| HeaderValue::from(length));
    }
    let fields = headers::to_wasi(&parts.headers).map_err(|err| ErrorCode::InternalError(Some(err.to_string())))?;
    // The default is what is sent for a body that broke off, and for one that there is none of.
    let (response, transmitted) = if body.is_end_stream() {
        let (_, result) = wit_future::new(|| Ok(None));
        wasi::Response::new(fields, None, result)
    } else {
        let (writer, contents) = wit_stream::new();
        let (result_writer, result) = wit_future::new(cut_off);
        // The host reads only what it has been given, so this outlives `handle`.
        wit_bindgen::spawn_local(send(body, writer, result_writer));
        wasi::Response::new(fields, Some(contents), result)
    };
    drop(transmitted);
    if parts.status != StatusCode::OK {
        response
            .set_status_code(parts.status.as_u16())
            .map_err(|()| ErrorCode::InternalError(Some("the status is none".to_owned())))?;
    }
    Ok(response)
}

fn cut_off() -> BodyResult {
    Err(ErrorCode::InternalError(Some("the body broke off".to_owned())))
}

async fn send(mut body: Body, mut writer: StreamWriter<u8>, result: FutureWriter<BodyResult>) {
    while !body.is_end_stream() {
        let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await else {
            break;
        };
        match frame.map(http_body::Frame::into_data) {
            Ok(Ok(chunk)) => {
                let unread = writer.write_all(chunk.into()).await;
                if !unread.is_empty() {
                    // The client has gone.
                    return;
                }
            }
            // Trailers, which none of our interfaces uses.
            Ok(Err(_)) => {}
            Err(err) => {
                log::error!("the body of a response broke off", cause = err);
                return;
            }
        }
    }
    drop(writer);
    // Nobody has to be interested in how it ended.
    let _ = result.write(Ok(None)).await;
}
