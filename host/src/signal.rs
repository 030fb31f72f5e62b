//! The signals that end a host: SIGINT (Ctrl-C) and SIGTERM (an orchestrator). The first asks it to
//! finish what it has begun; the next one, not to.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

#[derive(Debug)]
pub struct Shutdown {
    interrupt: Signal,
    terminate: Signal,
}

impl Shutdown {
    /// From now on, the signals no longer end the process by themselves.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for a signal.
    pub async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    /// Cancelled by the next signal: whoever sent it does not want to wait.
    pub fn hurry(mut self) -> CancellationToken {
        let hurry = CancellationToken::new();
        let token = hurry.clone();
        tokio::spawn(async move {
            self.asked().await;
            token.cancel();
        });
        hurry
    }
}
