//! The lines that a guest has in the log: whose they are, and what it writes to its standard output
//! and error, whole lines only and bounded, so that no guest can forge or flood the log.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};

use crate::log_budget::LogBudget;
use crate::state::Capabilities;
use crate::telemetry::{MAX_TEXT_BYTES, printable};

/// Whose lines they are: the host says so, in every one of them.
#[derive(Clone, Debug)]
pub struct Author {
    pub service: Arc<str>,
    pub generation: u64,
    pub budget: Arc<LogBudget>,
}

impl Author {
    pub fn new(capabilities: &Capabilities, generation: u64) -> Self {
        let Capabilities { service, log_budget, .. } = capabilities;
        Self { service: service.clone(), generation, budget: log_budget.clone() }
    }
}

/// A line because of what a guest did, unless nobody reads that level or it has had too many.
macro_rules! guest_line {
    ($author:expr, $level:ident, $($rest:tt)+) => {
        if tracing::enabled!(target: "guest", tracing::Level::$level) && $author.budget.take() {
            tracing::event!(
                target: "guest",
                tracing::Level::$level,
                service = &*$author.service,
                generation = $author.generation,
                $($rest)+
            );
        }
    };
}
pub(crate) use guest_line;

#[derive(Clone, Copy, Debug)]
pub enum Stream {
    Stdout,
    Stderr,
}

#[derive(Clone, Debug)]
pub struct LogStream {
    author: Author,
    stream: Stream,
    line: Vec<u8>,
}

impl LogStream {
    pub fn new(author: Author, stream: Stream) -> Self {
        Self { author, stream, line: Vec::new() }
    }

    /// A line that is too long becomes several.
    fn push(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if byte == b'\n' || self.line.len() >= MAX_TEXT_BYTES {
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
            Stream::Stdout => guest_line!(self.author, INFO, line = &*printable(line), "guest wrote"),
            Stream::Stderr => guest_line!(self.author, WARN, line = &*printable(line), "guest wrote"),
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
        Box::new(Self::new(self.author.clone(), self.stream))
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
