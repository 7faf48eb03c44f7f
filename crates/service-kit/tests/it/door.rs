//! A door with something behind it, and clients that speak raw HTTP.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Extension;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use problem::{Path, Query, RawBody, Refusal};
use service_kit::doors::{DoorLimits, Doors, Visitor};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Longer than anything in these tests takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub struct Running {
    pub address: SocketAddr,
    pub stop: CancellationToken,
    pub ended: JoinHandle<std::io::Result<()>>,
}

/// Limits that tests can wait for: 200 ms each.
pub fn quick() -> DoorLimits {
    DoorLimits {
        head_timeout_ms: 200,
        idle_timeout_ms: 200,
        body_pause_ms: 200,
        body_timeout_ms: 200,
        write_stall_ms: 200,
        ..DoorLimits::default()
    }
}

#[derive(serde::Deserialize)]
struct Wanted {
    #[expect(dead_code, reason = "only whether it is read")]
    limit: Option<u8>,
}

fn router() -> Router {
    Router::new()
        .route("/hello", get(|| async { "hello" }))
        .route("/numbers/{number}", get(|_: Path<u64>| async { "ok" }))
        .route(
            "/bare/{number}",
            get(|_: axum::extract::Path<u64>| async { "ok" }),
        )
        .route("/list", get(|_: Query<Wanted>| async { "ok" }))
        .route("/echo", post(|RawBody(body): RawBody| async move { body }))
        .route("/json", post(|_: axum::Json<u8>| async { axum::Json(1) }))
        .route("/slow", get(answer_late))
        .route("/endless", get(answer_without_end))
        .route("/events", get(stream_events))
}

async fn answer_late() -> &'static str {
    tokio::time::sleep(Duration::from_millis(600)).await;
    "late"
}

async fn answer_without_end() -> Response {
    let piece = Bytes::from(vec![b'x'; 64 * 1024]);
    let pieces = futures::stream::repeat_with(move || Ok::<_, Infallible>(piece.clone()));
    Body::from_stream(pieces).into_response()
}

async fn stream_events(Extension(visitor): Extension<Visitor>) -> Result<Response, Refusal> {
    let place = visitor.take_stream()?;
    let events = futures::stream::pending::<Result<Bytes, Infallible>>();
    let held = futures::StreamExt::map(events, move |event| {
        let _ = &place;
        event
    });

    let kind = [(header::CONTENT_TYPE, "text/event-stream")];
    Ok((kind, Body::from_stream(held)).into_response())
}

pub async fn serve(limits: DoorLimits) -> Running {
    let doors = Doors::open("127.0.0.1:0", limits).await.unwrap();
    start(doors)
}

pub fn start(doors: Doors) -> Running {
    let (address, stop) = (doors.local_addr().unwrap(), CancellationToken::new());
    let ended = tokio::spawn(doors.serve(router(), stop.clone()));
    Running {
        address,
        stop,
        ended,
    }
}

/// Says something and keeps the connection.
pub async fn say(address: SocketAddr, words: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(words.as_bytes()).await.unwrap();
    stream
}

/// Everything until the other end closes.
pub async fn hear(stream: &mut TcpStream) -> String {
    let mut heard = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut heard)).await;
    // A reset is a close as well.
    let _ = read.expect("the other end closes");
    String::from_utf8_lossy(&heard).into_owned()
}

/// Everything until something was heard.
pub async fn hear_until(stream: &mut TcpStream, wanted: &str) -> String {
    let mut heard = String::new();
    let mut piece = [0; 4096];
    while !heard.contains(wanted) {
        let read = tokio::time::timeout(PATIENCE, stream.read(&mut piece)).await;
        let count = read.expect("something comes").unwrap();
        assert!(count > 0, "closed after {heard:?}, {wanted:?} is missing");
        heard.push_str(&String::from_utf8_lossy(&piece[..count]));
    }
    heard
}

/// One request on a connection of its own.
pub async fn ask(address: SocketAddr, method: &str, path: &str, more: &str) -> String {
    let request = format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{more}");
    let whole = if more.contains("\r\n\r\n") {
        request
    } else {
        format!("{request}\r\n")
    };
    hear(&mut say(address, &whole).await).await
}

/// Again and again, until it is so.
pub async fn wait_until<F: Future<Output = bool>>(what: &str, mut is_so: impl FnMut() -> F) {
    let waiting = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting)
        .await
        .unwrap_or_else(|_| panic!("never: {what}"));
}
