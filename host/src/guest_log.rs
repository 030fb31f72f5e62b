//! Turns what a guest writes to its standard output and error into log lines, whole lines only and
//! bounded, so that no guest can forge or flood the host's log structure.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};

/// A longer line is cut into several.
const MAX_LINE_BYTES: usize = 8 << 10;

#[derive(Clone, Copy, Debug)]
pub enum Stream {
    Stdout,
    Stderr,
}

#[derive(Clone, Debug)]
pub struct LogStream {
    service: Arc<str>,
    stream: Stream,
    line: Vec<u8>,
}

impl LogStream {
    pub fn new(service: Arc<str>, stream: Stream) -> Self {
        Self { service, stream, line: Vec::new() }
    }

    fn push(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if byte == b'\n' || self.line.len() >= MAX_LINE_BYTES {
                self.emit();
            }
            if byte != b'\n' {
                self.line.push(byte);
            }
        }
    }

    fn emit(&mut self) {
        if self.line.is_empty() {
            return;
        }
        let line = String::from_utf8_lossy(&self.line);
        let line = line.trim_end();
        match self.stream {
            Stream::Stdout => tracing::info!(target: "guest", service = &*self.service, line, "guest wrote"),
            Stream::Stderr => tracing::warn!(target: "guest", service = &*self.service, line, "guest wrote"),
        }
        self.line.clear();
    }
}

impl Drop for LogStream {
    fn drop(&mut self) {
        self.emit();
    }
}

impl IsTerminal for LogStream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for LogStream {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(Self::new(self.service.clone(), self.stream))
    }
}

impl AsyncWrite for LogStream {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.push(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.emit();
        Poll::Ready(Ok(()))
    }
}
