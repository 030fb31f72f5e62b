//! A TCP proxy before Postgres, which a test can cut or stall: what networks and servers do.

use std::net::SocketAddr;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Everything goes through.
    Up,
    /// Connections stay, and nothing moves on them.
    Stalled,
    /// Connections end, also those that come.
    Down,
}

/// Away at first: the port is taken and refuses connections until `connect`.
pub struct Proxy {
    pub address: SocketAddr,
    socket: Option<Socket>,
    target: String,
    state: watch::Sender<State>,
}

impl Proxy {
    /// Before `target`, host and port.
    pub fn new(target: String) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP)).expect("a socket");
        socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).expect("a port");
        let address = socket.local_addr().expect("an address").as_socket().expect("an IP address");
        Self { address, socket: Some(socket), target, state: watch::Sender::new(State::Down) }
    }

    /// Lets everything through.
    pub fn connect(&mut self) {
        self.state.send_replace(State::Up);
        if let Some(socket) = self.socket.take() {
            socket.listen(128).expect("a listener");
            socket.set_nonblocking(true).expect("a listener");
            let listener = TcpListener::from_std(socket.into()).expect("a listener");
            tokio::spawn(accept(listener, self.target.clone(), self.state.subscribe()));
        }
    }

    /// Holds everything back until `connect`.
    pub fn stall(&self) {
        self.state.send_replace(State::Stalled);
    }

    /// Ends every connection, and from now on those that come, until `connect`.
    pub fn cut(&self) {
        self.state.send_replace(State::Down);
    }
}

async fn accept(listener: TcpListener, target: String, state: watch::Receiver<State>) {
    while let Ok((client, _)) = listener.accept().await {
        if *state.borrow() != State::Down {
            tokio::spawn(forward(client, target.clone(), state.clone()));
        }
    }
}

async fn forward(client: TcpStream, target: String, mut state: watch::Receiver<State>) {
    let Ok(server) = TcpStream::connect(target).await else { return };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        () = pump(from_client, to_server, state.clone()) => {}
        () = pump(from_server, to_client, state.clone()) => {}
        _ = state.wait_for(|state| *state == State::Down) => {}
    }
}

/// Until one side is gone.
async fn pump(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, mut state: watch::Receiver<State>) {
    let mut buffer = vec![0; 16 << 10];
    loop {
        let Ok(bytes @ 1..) = from.read(&mut buffer).await else { return };
        let moving = state.wait_for(|state| *state != State::Stalled).await.is_ok();
        if !moving || to.write_all(&buffer[..bytes]).await.is_err() {
            return;
        }
    }
}
