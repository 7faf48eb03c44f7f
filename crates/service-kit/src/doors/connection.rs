//! One connection, from its first byte to its last.

use super::body::BoundedBody;
use super::counters::{self, Dropped};
use super::limits::DoorLimits;
use super::places::{ConnectionPlace, Visitor};
use super::pulse::{Pulse, Stage};
use super::watched::WatchedStream;
use axum::Router;
use axum::body::{Body as AxumBody, Bytes};
use axum::extract::ConnectInfo;
use axum::http::{Request, Response};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// A client that has kept us waiting for so long is not waited for when the process stops.
const STOP_PATIENCE: Duration = Duration::from_millis(250);
/// How often a stop looks at a connection.
const STOP_LOOK: Duration = Duration::from_millis(50);
/// Longer than any limit of ours.
const HYPER_HEAD_TIMEOUT: Duration = Duration::from_secs(24 * 3_600);

/// What a connection needs to know.
pub(super) struct Accepted {
    pub(super) stream: TcpStream,
    pub(super) visitor: Visitor,
    pub(super) router: Router,
    pub(super) limits: DoorLimits,
    pub(super) place: ConnectionPlace,
    pub(super) room_wanted: Arc<Notify>,
}

/// Answers requests until the client goes, is too slow, or the process stops.
pub(super) async fn serve_connection(accepted: Accepted, stop: CancellationToken) {
    set_options(&accepted.stream, &accepted.limits);

    if await_first_byte(&accepted, &stop).await {
        // Buffers and all that answers a request are made now: who never says anything costs a few hundred bytes.
        Box::pin(answer_requests(accepted, stop)).await;
    }
}

/// Whether a first byte came, or the client's end, before the connection had to go.
async fn await_first_byte(accepted: &Accepted, stop: &CancellationToken) -> bool {
    let came = timeout(accepted.limits.idle_timeout(), accepted.stream.readable());

    let dropped = tokio::select! {
        came = came => match came {
            Ok(came) => return came.is_ok(),
            Err(_) => Dropped::Idle,
        },
        () = accepted.room_wanted.notified() => Dropped::Room,
        () = stop.cancelled() => Dropped::Stop,
    };
    counters::dropped(dropped);
    false
}

async fn answer_requests(accepted: Accepted, stop: CancellationToken) {
    let Accepted {
        stream,
        visitor,
        router,
        limits,
        place: _place,
        room_wanted,
    } = accepted;

    let pulse = Arc::new(Pulse::starting());
    let io = TokioIo::new(WatchedStream::new(stream, Arc::clone(&pulse), limits));
    let served = Arc::clone(&pulse);
    let service = service_fn(move |request| {
        let request = admit_request(request, &visitor, &served, limits);
        answer_request(router.clone(), request, Arc::clone(&served))
    });

    let mut connection = pin!(builder(&limits).serve_connection(io, service));
    tokio::select! {
        ended = connection.as_mut() => log_end(ended),
        () = give_room(&room_wanted, &pulse) => counters::dropped(Dropped::Room),
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            finish_connection(connection, &pulse, limits.stop_grace()).await;
        }
    }
}

/// Answers are small and wanted at once; a peer that is gone without a word is found out by the kernel, even where its
/// window is closed.
fn set_options(stream: &TcpStream, limits: &DoorLimits) {
    let stall_ms = u32::try_from(limits.write_stall_ms).unwrap_or(u32::MAX);

    let set = stream.set_nodelay(true).and_then(|()| {
        rustix::net::sockopt::set_tcp_user_timeout(stream, stall_ms).map_err(Into::into)
    });
    if let Err(error) = set {
        tracing::debug!(%error, "a connection's options cannot be set");
    }
}

/// hyper's own time limit counts silence between requests as a slow head, so ours is set in its place. It must not be off:
/// only with one does hyper look at a connection again once its answer is out, which is when ours begins.
fn builder(limits: &DoorLimits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HYPER_HEAD_TIMEOUT)
        .max_buf_size(limits.head_bytes_max)
        .max_header_size(limits.head_bytes_max);
    builder
}

fn admit_request(
    request: Request<Incoming>,
    visitor: &Visitor,
    pulse: &Arc<Pulse>,
    limits: DoorLimits,
) -> Request<AxumBody> {
    let (mut parts, body) = request.into_parts();
    let body = BoundedBody::new(body, Arc::clone(pulse), limits);

    parts.extensions.insert(body.bound());
    parts.extensions.insert(ConnectInfo(visitor.address));
    parts.extensions.insert(visitor.clone());
    Request::from_parts(parts, AxumBody::new(body))
}

async fn answer_request(
    router: Router,
    request: Request<AxumBody>,
    pulse: Arc<Pulse>,
) -> Result<Response<AnswerBody>, Infallible> {
    let answer = router.oneshot(request).await?;
    Ok(answer.map(|body| AnswerBody { body, pulse }))
}

/// The body of an answer; once it is gone, a next request may come.
struct AnswerBody {
    body: AxumBody,
    pulse: Arc<Pulse>,
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        self.pulse.enter(Stage::Idle);
    }
}

/// Ends when the place of this connection is wanted while it is idle.
async fn give_room(room_wanted: &Notify, pulse: &Pulse) {
    loop {
        room_wanted.notified().await;
        if pulse.is_idle() {
            return;
        }
    }
}

fn log_end(ended: hyper::Result<()>) {
    if let Err(error) = ended {
        let error = crate::error::in_full(&error);
        tracing::debug!(error, "a connection ended in the middle");
    }
}

/// Waits for the answer under way, as long as it is ours to give and the grace lasts.
async fn finish_connection(
    mut connection: Pin<&mut impl Future<Output = hyper::Result<()>>>,
    pulse: &Pulse,
    grace: Duration,
) {
    let deadline = Instant::now() + grace;
    loop {
        let is_slow = pulse
            .client_lets_wait()
            .is_some_and(|waited| waited >= STOP_PATIENCE);
        if is_slow || Instant::now() >= deadline {
            counters::dropped(Dropped::Stop);
            return;
        }

        tokio::select! {
            ended = connection.as_mut() => return log_end(ended),
            () = tokio::time::sleep(STOP_LOOK) => {}
        }
    }
}
