//! What stands before a service and lets its calls through, or holds one at a moment that a test
//! chooses: before the service has heard of it, or when it has answered and the caller does not know.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::client::{self, Body, Client, whole};
use super::in_time;

/// When a call is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    Before,
    After,
}

pub struct Gate {
    pub address: SocketAddr,
    state: Arc<State>,
}

struct State {
    target: Mutex<SocketAddr>,
    client: Client,
    trap: Mutex<Option<Trap>>,
}

struct Trap {
    /// Of the path.
    part: &'static str,
    moment: Moment,
    reached: oneshot::Sender<()>,
    go_on: oneshot::Receiver<()>,
}

/// A call that is to be held, once. When this is dropped, the connection of the call is closed.
pub struct Meeting {
    reached: Option<oneshot::Receiver<()>>,
    go_on: oneshot::Sender<()>,
}

impl Meeting {
    /// Waits until the call is there.
    pub async fn reached(&mut self) {
        let reached = self.reached.take().expect("one meeting");
        in_time("the call that is to be held", reached).await.expect("a gate");
    }

    /// Lets the call go on.
    pub fn let_go(self) {
        self.go_on.send(()).expect("the call still waits");
    }
}

impl Gate {
    /// Before the service at `target`.
    pub async fn new(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let state = State { target: Mutex::new(target), client: Client::keep_alive(), trap: Mutex::default() };
        let state = Arc::new(state);
        tokio::spawn(serve(listener, state.clone()));
        Self { address, state }
    }

    /// The service is elsewhere now.
    pub fn lead_to(&self, target: SocketAddr) {
        *self.state.target.lock().expect("no panic") = target;
    }

    /// Holds the next call with this in its path.
    pub fn hold(&self, part: &'static str, moment: Moment) -> Meeting {
        let (reached, was_reached) = oneshot::channel();
        let (go_on, may_go_on) = oneshot::channel();
        let trap = Trap { part, moment, reached, go_on: may_go_on };
        *self.state.trap.lock().expect("no panic") = Some(trap);
        Meeting { reached: Some(was_reached), go_on }
    }
}

async fn serve(listener: TcpListener, state: Arc<State>) {
    while let Ok((stream, _)) = listener.accept().await {
        let state = state.clone();
        let service = service_fn(move |request| pass(request, state.clone()));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

/// An error closes the caller's connection without an answer.
async fn pass(request: Request<Incoming>, state: Arc<State>) -> Result<Response<Body>, client::Error> {
    let (mut parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let path = parts.uri.path().to_owned();
    state.meet(&path, Moment::Before).await?;
    let target = *state.target.lock().expect("no panic");
    let path_and_query = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    parts.uri = format!("http://{target}{path_and_query}").parse()?;
    let answer = state.client.try_send(Request::from_parts(parts, whole(body))).await?;
    state.meet(&path, Moment::After).await?;
    let mut response = Response::new(whole(answer.body));
    (*response.status_mut(), *response.headers_mut()) = (answer.status, answer.headers);
    // It is of the connection behind.
    response.headers_mut().remove(http::header::TRANSFER_ENCODING);
    Ok(response)
}

impl State {
    async fn meet(&self, path: &str, moment: Moment) -> Result<(), client::Error> {
        let is_it = |trap: &mut Trap| path.contains(trap.part) && trap.moment == moment;
        let Some(trap) = self.trap.lock().expect("no panic").take_if(is_it) else { return Ok(()) };
        // Whoever set the trap may not wait for it.
        _ = trap.reached.send(());
        Ok(trap.go_on.await?)
    }
}
