//! Requests to other services through `wasi:http/client`. The host knows where a name leads, and
//! whether this component may go there.

use crate::ClientError;
use crate::backend::{Outgoing, sleep};
use crate::client::RESPONSE_BYTES_MAX;
use crate::guest::headers;
use bytes::Bytes;
use futures_util::future::{Either, select};
use http::Response;
use send_wrapper::SendWrapper;
use std::pin::pin;
use wasip3::http::types::{self as wasi, ErrorCode, Scheme};
use wasip3::wit_bindgen::{self, StreamResult};
use wasip3::{wit_future, wit_stream};

/// What one read asks for when the length of a body is not known.
const READ_BYTES: usize = 32 << 10;

#[derive(Clone, Debug)]
pub struct Http(());

impl Http {
    pub fn from_host() -> Self {
        Http(())
    }

    pub fn send(
        &self,
        outgoing: Outgoing,
    ) -> impl Future<Output = Result<Response<Bytes>, ClientError>> + Send + use<> {
        SendWrapper::new(async move {
            let deadline = sleep(outgoing.deadline);
            let exchange = exchange(outgoing);
            match select(pin!(exchange), pin!(deadline)).await {
                Either::Left((result, _)) => result,
                Either::Right(((), _)) => Err(ClientError::Timeout),
            }
        })
    }
}

async fn exchange(outgoing: Outgoing) -> Result<Response<Bytes>, ClientError> {
    let request = request(outgoing)?;
    let response = wasip3::http::client::send(request).await.map_err(client_error)?;
    let (mut parts, ()) = Response::new(()).into_parts();
    parts.status =
        http::StatusCode::from_u16(response.get_status_code()).map_err(|err| ClientError::Protocol(err.to_string()))?;
    parts.headers = headers::from_wasi(response.get_headers());
    let body = receive(response).await?;
    Ok(Response::from_parts(parts, body))
}

fn request(outgoing: Outgoing) -> Result<wasi::Request, ClientError> {
    let refused = |()| ClientError::Refused("the request cannot be put into words".to_owned());
    let Outgoing { method, uri, headers, body, .. } = outgoing;
    let fields = headers::to_wasi(&headers).map_err(|err| ClientError::Refused(err.to_string()))?;
    let (trailers_writer, trailers) = wit_future::new(|| Ok(None));
    drop(trailers_writer);
    let contents = (!body.is_empty()).then(|| {
        let (mut writer, reader) = wit_stream::new();
        wit_bindgen::spawn_local(async move {
            writer.write_all(body.into()).await;
        });
        reader
    });
    let (request, transmitted) = wasi::Request::new(fields, contents, trailers, None);
    drop(transmitted);
    request.set_method(&headers::method_to_wasi(&method)).map_err(refused)?;
    request.set_scheme(Some(&Scheme::Http)).map_err(refused)?;
    request.set_authority(uri.authority().map(http::uri::Authority::as_str)).map_err(refused)?;
    let path = uri.path_and_query().map(http::uri::PathAndQuery::as_str);
    request.set_path_with_query(path).map_err(refused)?;
    Ok(request)
}

async fn receive(response: wasi::Response) -> Result<Bytes, ClientError> {
    let (result_writer, result) = wit_future::new(|| Ok(()));
    let (mut stream, trailers) = wasi::Response::consume_body(response, result);
    drop(result_writer);
    let mut body = Vec::with_capacity(READ_BYTES);
    loop {
        body.reserve(READ_BYTES);
        let (result, buffer) = stream.read(body).await;
        body = buffer;
        if body.len() > RESPONSE_BYTES_MAX {
            return Err(ClientError::Protocol("the response is too large".to_owned()));
        }
        if !matches!(result, StreamResult::Complete(_)) {
            break;
        }
    }
    drop(stream);
    // The end of the stream alone does not tell a whole body from one that was cut off.
    match trailers.await {
        Ok(_) => Ok(body.into()),
        Err(err) => Err(client_error(err)),
    }
}

fn client_error(err: ErrorCode) -> ClientError {
    let text = err.to_string();
    match err {
        ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionReadTimeout
        | ErrorCode::ConnectionWriteTimeout
        | ErrorCode::HttpResponseTimeout => ClientError::Timeout,
        ErrorCode::HttpRequestDenied | ErrorCode::DestinationIpProhibited => ClientError::Refused(text),
        ErrorCode::DnsTimeout
        | ErrorCode::DnsError(_)
        | ErrorCode::DestinationNotFound
        | ErrorCode::DestinationUnavailable
        | ErrorCode::DestinationIpUnroutable
        | ErrorCode::ConnectionRefused
        | ErrorCode::ConnectionTerminated
        | ErrorCode::ConnectionLimitReached => ClientError::Unavailable(text),
        _ => ClientError::Protocol(text),
    }
}
