//! One signal that reaches every task.

use std::io::Read;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// A token that is cancelled by Ctrl-C or SIGTERM and, if asked for, when standard input closes.
pub fn token(stop_on_stdin_close: bool) -> std::io::Result<CancellationToken> {
    let token = CancellationToken::new();
    for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
        let mut stream = signal(kind)?;
        let token = token.clone();
        tokio::spawn(async move {
            stream.recv().await;
            token.cancel();
        });
    }
    if stop_on_stdin_close {
        let token = token.clone();
        // A thread of its own: a runtime that ends would wait for a read of its own for ever.
        std::thread::spawn(move || {
            let mut sink = [0u8; 64];
            while std::io::stdin().read(&mut sink).is_ok_and(|read| read > 0) {}
            token.cancel();
        });
    }
    Ok(token)
}
