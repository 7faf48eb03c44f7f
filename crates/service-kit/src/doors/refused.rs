//! Who does not get in is told so, as cheaply as possible.

use super::counters::{self, Full};
use problem::Problem;
use std::io::Write;
use std::sync::LazyLock;
use tokio::net::TcpStream;

static ALL: LazyLock<String> = LazyLock::new(|| {
    answer_text(
        "Service Unavailable",
        &Problem::new(
            503,
            "too_many_connections",
            "as many connections are open as this service takes; come again later",
        ),
    )
});
static ADDRESS: LazyLock<String> = LazyLock::new(|| {
    answer_text(
        "Too Many Requests",
        &Problem::new(
            429,
            "too_many_connections",
            "this address has as many connections open as it may have; use the open ones",
        ),
    )
});

fn answer_text(reason: &str, problem: &Problem) -> String {
    let body = serde_json::to_string(problem).unwrap_or_default();
    format!(
        "HTTP/1.1 {} {reason}\r\ncontent-type: application/problem+json\r\ncontent-length: {}\r\n\
         cache-control: no-store\r\nx-content-type-options: nosniff\r\nretry-after: 5\r\n\
         connection: close\r\n\r\n{body}",
        problem.status,
        body.len(),
    )
}

/// Writes what fits into the socket's empty buffer, and closes. Nothing is waited for.
pub(super) fn turn_away(stream: TcpStream, full: Full) {
    counters::refused(full);
    let answer = match full {
        Full::All => &ALL,
        Full::Address => &ADDRESS,
    };

    // It is non-blocking still.
    if let Ok(mut stream) = stream.into_std() {
        let _ = stream.write(answer.as_bytes());
    }
}
