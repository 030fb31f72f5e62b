//! Bodies on their way through. What is small is collected: a request can then be sent again, and a
//! response leaves together with its head, in one write. What is large streams, a piece at a time, and
//! whoever stops moving is found out.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep};

use super::config::Timeouts;
use super::problem::Problem;
use crate::server::linger;

pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A request's body up to this size is collected before it is sent on.
const COLLECTED_REQUEST_BYTES: u64 = 64 << 10;
/// The same for a response.
const COLLECTED_RESPONSE_BYTES: u64 = 16 << 10;
/// A client has to send something this often.
const CLIENT_PATIENCE: Duration = Duration::from_secs(30);
/// What of a refused request is still read.
pub const LINGER_BYTES: usize = 1 << 20;

/// What the client sends, kept for as many attempts as it allows.
#[derive(Debug)]
pub enum Payload {
    Empty,
    Collected(Bytes),
    Streamed(Arc<Source>),
}

impl Payload {
    /// Collects a small body. One whose length is known is within the limit already.
    pub async fn take(body: Incoming, limit: u64) -> Result<Self, Problem> {
        if body.is_end_stream() {
            return Ok(Self::Empty);
        }
        match body.size_hint().exact() {
            Some(length) if length <= COLLECTED_REQUEST_BYTES => {
                match tokio::time::timeout(CLIENT_PATIENCE, body.collect()).await {
                    Ok(Ok(collected)) => Ok(Self::Collected(collected.to_bytes())),
                    Ok(Err(_)) => Err(Problem::Unreadable),
                    Err(_) => Err(Problem::ClientTooSlow),
                }
            }
            _ => Ok(Self::Streamed(Arc::new(Source::new(body, limit)))),
        }
    }

    /// Whether another attempt has the whole body: nobody has begun to read the stream.
    pub fn is_whole(&self) -> bool {
        match self {
            Self::Empty | Self::Collected(_) => true,
            Self::Streamed(source) => source.lock().body.is_some(),
        }
    }

    /// The body of one attempt.
    pub fn upload(&self) -> Upload {
        match self {
            Self::Empty => Upload::Full(Full::default()),
            Self::Collected(bytes) => Upload::Full(Full::new(bytes.clone())),
            Self::Streamed(source) => {
                let hint = source.lock().body.as_ref().map(Incoming::size_hint).unwrap_or_default();
                Upload::Stream(Stream { source: Arc::clone(source), body: None, hint })
            }
        }
    }

    /// Waits for the target's answer, as long as something moves.
    pub async fn wait<T>(&self, answer: impl Future<Output = T>, timeouts: &Timeouts) -> Result<T, Problem> {
        let mut answer = std::pin::pin!(answer);
        let start = Instant::now();
        loop {
            let (deadline, problem) = self.deadline(start, timeouts);
            match tokio::time::timeout_at(deadline, answer.as_mut()).await {
                Ok(answer) => return Ok(answer),
                Err(_) if self.deadline(start, timeouts).0 > deadline => {}
                Err(_) => return Err(problem),
            }
        }
    }

    fn deadline(&self, start: Instant, timeouts: &Timeouts) -> (Instant, Problem) {
        let Self::Streamed(source) = self else { return (start + timeouts.read, Problem::TimedOut) };
        let progress = source.lock();
        match progress.phase {
            Phase::Client => (progress.since + CLIENT_PATIENCE, Problem::ClientTooSlow),
            Phase::Target => (progress.since + timeouts.write, Problem::TimedOut),
            Phase::Sent => (progress.since + timeouts.read, Problem::TimedOut),
        }
    }

    /// What the client did wrong, if an attempt failed because of it.
    pub fn fault(&self) -> Option<Problem> {
        if let Self::Streamed(source) = self { source.lock().fault } else { None }
    }

    /// Reads on for a while before the client is told what it did wrong.
    pub async fn linger(&self) {
        if let Self::Streamed(source) = self {
            let body = source.lock().body.take();
            if let Some(mut body) = body {
                linger(&mut body, LINGER_BYTES).await;
            }
        }
    }
}

/// A body that the client still sends.
#[derive(Debug)]
pub struct Source {
    limit: u64,
    progress: Mutex<Progress>,
}

#[derive(Debug)]
struct Progress {
    /// Until an attempt takes it.
    body: Option<Incoming>,
    phase: Phase,
    since: Instant,
    fault: Option<Problem>,
}

/// For whom everybody waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// For the next piece.
    Client,
    /// To take the last piece.
    Target,
    /// To answer.
    Sent,
}

impl Source {
    fn new(body: Incoming, limit: u64) -> Self {
        let progress = Progress { body: Some(body), phase: Phase::Target, since: Instant::now(), fault: None };
        Self { limit, progress: Mutex::new(progress) }
    }

    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, phase: Phase) {
        let mut progress = self.lock();
        (progress.phase, progress.since) = (phase, Instant::now());
    }
}

/// The body of one attempt.
#[derive(Debug)]
pub enum Upload {
    Full(Full<Bytes>),
    Stream(Stream),
}

#[derive(Debug)]
pub struct Stream {
    source: Arc<Source>,
    /// From the first poll on: a connection that is refused has not polled.
    body: Option<(Incoming, u64)>,
    hint: SizeHint,
}

impl Stream {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Self { source, body, .. } = self;
        if body.is_none() {
            *body = source.lock().body.take().map(|body| (body, 0));
        }
        let Some((incoming, count)) = body.as_mut() else {
            return Poll::Ready(Some(Err("the body was sent once already".into())));
        };
        let polled = Pin::new(incoming).poll_frame(cx);
        if polled.is_pending() && source.lock().phase != Phase::Client {
            source.enter(Phase::Client);
        }
        match ready!(polled) {
            Some(Ok(frame)) => {
                source.enter(Phase::Target);
                *count += frame.data_ref().map_or(0, |data| data.len() as u64);
                if *count <= source.limit {
                    return Poll::Ready(Some(Ok(frame)));
                }
                let mut progress = source.lock();
                progress.fault = Some(Problem::TooLarge);
                progress.body = body.take().map(|(incoming, _)| incoming);
                Poll::Ready(Some(Err("the body is too large".into())))
            }
            Some(Err(error)) => {
                source.lock().fault = Some(Problem::Unreadable);
                Poll::Ready(Some(Err(error.into())))
            }
            None => {
                source.enter(Phase::Sent);
                Poll::Ready(None)
            }
        }
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.get_mut() {
            Self::Full(full) => Pin::new(full).poll_frame(cx).map_err(|never| match never {}),
            Self::Stream(stream) => stream.poll(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Full(full) => full.is_end_stream(),
            Self::Stream(stream) => stream.body.as_ref().is_some_and(|(body, _)| body.is_end_stream()),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Full(full) => full.size_hint(),
            Self::Stream(stream) => stream.hint,
        }
    }
}

/// What goes back to the client.
#[derive(Debug)]
pub enum Reply {
    Full(Full<Bytes>),
    Stream(Download),
}

impl Reply {
    pub fn full(bytes: Bytes) -> Self {
        Self::Full(Full::new(bytes))
    }

    /// Collects a small body. `None` when the target broke off or stopped.
    pub async fn take(body: Incoming, patience: Duration) -> Result<Self, Problem> {
        if body.is_end_stream() {
            return Ok(Self::full(Bytes::new()));
        }
        if body.size_hint().exact().is_none_or(|length| length > COLLECTED_RESPONSE_BYTES) {
            return Ok(Self::Stream(Download { body, patience, timer: None }));
        }
        match tokio::time::timeout(patience, body.collect()).await {
            Ok(Ok(collected)) => Ok(Self::full(collected.to_bytes())),
            Ok(Err(_)) => Err(Problem::Broken),
            Err(_) => Err(Problem::TimedOut),
        }
    }
}

/// A body that the target still sends, and that ends in an error when nothing comes for too long.
#[derive(Debug)]
pub struct Download {
    body: Incoming,
    patience: Duration,
    /// Made when it is first needed.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Download {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            if let Some(timer) = &mut self.timer {
                timer.as_mut().reset(Instant::now() + self.patience);
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(BoxError::from)));
        }
        let patience = self.patience;
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        timer.as_mut().poll(cx).map(|()| Some(Err("the service stopped sending".into())))
    }
}

impl Body for Reply {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.get_mut() {
            Self::Full(full) => Pin::new(full).poll_frame(cx).map_err(|never| match never {}),
            Self::Stream(download) => download.poll(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Full(full) => full.is_end_stream(),
            Self::Stream(download) => download.body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Full(full) => full.size_hint(),
            Self::Stream(download) => download.body.size_hint(),
        }
    }
}
