//! A request's body, read when a handler asks for it, and not at all when there can be none.

use bytes::Bytes;
use futures_util::future::LocalBoxFuture;
use http::{HeaderMap, Method, header};
use http_body::{Body, Frame, SizeHint};
use send_wrapper::SendWrapper;
use std::pin::Pin;
use std::task::{Context, Poll};
use wasip3::http::types::{ErrorCode, Request, Trailers};
use wasip3::wit_bindgen::{FutureReader, StreamReader, StreamResult};
use wasip3::wit_future;

/// What one read asks for.
const READ_BYTES: usize = 64 << 10;

/// How long a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    Known(u64),
    Unknown,
}

/// Nothing when there can be no body. Without a length there is one only if the method is one that
/// sends something: `Transfer-Encoding` concerns the connection, and stays with the host.
pub(super) fn length(method: &Method, headers: &HeaderMap) -> Option<Length> {
    if let Some(length) = headers.get(header::CONTENT_LENGTH) {
        let length = length.to_str().ok().and_then(|length| length.parse().ok());
        return match length {
            Some(0) => None,
            Some(length) => Some(Length::Known(length)),
            None => Some(Length::Unknown),
        };
    }
    match *method {
        Method::GET | Method::HEAD | Method::DELETE | Method::OPTIONS | Method::TRACE => None,
        _ => Some(Length::Unknown),
    }
}

type TrailersReader = FutureReader<Result<Option<Trailers>, ErrorCode>>;

enum State {
    /// Nobody has asked for the body.
    Untouched(Request),
    Waiting(Open),
    Reading(LocalBoxFuture<'static, Read>),
    Ended,
}

struct Open {
    stream: StreamReader<u8>,
    trailers: TrailersReader,
}

enum Read {
    Chunk(Vec<u8>, Open),
    End(Result<(), ErrorCode>),
}

/// An HTTP body over the host's stream.
pub(super) struct Incoming {
    state: SendWrapper<State>,
    /// What is still to come, when that is known.
    left: Option<u64>,
}

impl Incoming {
    pub(super) fn new(request: Request, length: Length) -> Self {
        let left = match length {
            Length::Known(length) => Some(length),
            Length::Unknown => None,
        };
        Incoming { state: SendWrapper::new(State::Untouched(request)), left }
    }

    fn open(request: Request) -> Open {
        // Dropped, the writer says that all went well.
        let (_, result) = wit_future::new(|| Ok(()));
        let (stream, trailers) = Request::consume_body(request, result);
        Open { stream, trailers }
    }
}

async fn read(mut open: Open, capacity: usize) -> Read {
    let (result, chunk) = open.stream.read(Vec::with_capacity(capacity)).await;
    match result {
        StreamResult::Complete(_) => Read::Chunk(chunk, open),
        StreamResult::Cancelled | StreamResult::Dropped if !chunk.is_empty() => Read::Chunk(chunk, open),
        // Only the trailers tell a whole body from one that was cut off.
        StreamResult::Cancelled | StreamResult::Dropped => Read::End(open.trailers.await.map(drop)),
    }
}

impl Body for Incoming {
    type Data = Bytes;
    type Error = ErrorCode;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, ErrorCode>>> {
        loop {
            let left = self.left;
            match std::mem::replace(&mut *self.state, State::Ended) {
                State::Untouched(request) => {
                    *self.state = State::Waiting(Incoming::open(request));
                }
                State::Waiting(open) => {
                    let capacity = left.and_then(|left| usize::try_from(left).ok());
                    let capacity = capacity.map_or(READ_BYTES, |left| left.clamp(1, READ_BYTES));
                    *self.state = State::Reading(Box::pin(read(open, capacity)));
                }
                State::Reading(mut future) => {
                    let Poll::Ready(result) = future.as_mut().poll(cx) else {
                        *self.state = State::Reading(future);
                        return Poll::Pending;
                    };
                    let (chunk, open) = match result {
                        Read::Chunk(chunk, open) => (chunk, open),
                        Read::End(Ok(())) => return Poll::Ready(None),
                        Read::End(Err(err)) => return Poll::Ready(Some(Err(err))),
                    };
                    self.left = left.map(|left| left.saturating_sub(chunk.len() as u64));
                    if self.left != Some(0) {
                        *self.state = State::Waiting(open);
                    }
                    return Poll::Ready(Some(Ok(Frame::data(chunk.into()))));
                }
                State::Ended => return Poll::Ready(None),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(*self.state, State::Ended)
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
