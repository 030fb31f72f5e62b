//! Waits for the signals that end a host.

use tokio::signal::unix::{SignalKind, signal};

/// Returns on SIGINT (Ctrl-C) or SIGTERM (an orchestrator).
pub async fn shutdown() -> std::io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
