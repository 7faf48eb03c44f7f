//! The body of a request: bounded in size, in its pauses and in whole.

use super::alarm::Alarm;
use super::counters::{self, Dropped};
use super::limits::DoorLimits;
use super::pulse::{Pulse, Stage};
use axum::BoxError;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use problem::{Problem, Refusal};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use tokio::time::Instant;

/// How much of a body that is too large is read and thrown away, so that its client, who is still sending, gets an answer
/// rather than a broken connection.
const BYTES_DRAINED_MAX: usize = 32 * 1024 * 1024;

/// Why a body was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BodyFault {
    #[error("the body did not come in time")]
    TooSlow,
    #[error("the body has more than {bytes_max} bytes")]
    TooLarge { bytes_max: usize },
}

impl BodyFault {
    /// The answer, whatever the handler made of it.
    pub(super) fn refusal(self) -> Refusal {
        match self {
            Self::TooSlow => Problem::new(408, "request_timeout", self.to_string()),
            Self::TooLarge { .. } => Problem::new(413, "body_too_large", self.to_string()),
        }
        .into()
    }
}

/// What a body may have, and what went wrong with it: an extension of the request.
#[derive(Clone, Debug)]
pub(super) struct BodyBound(Arc<Bound>);

#[derive(Debug)]
struct Bound {
    bytes_max: AtomicUsize,
    fault: OnceLock<BodyFault>,
}

impl BodyBound {
    fn new(bytes_max: usize) -> Self {
        Self(Arc::new(Bound {
            bytes_max: AtomicUsize::new(bytes_max),
            fault: OnceLock::new(),
        }))
    }

    fn bytes_max(&self) -> usize {
        self.0.bytes_max.load(Ordering::Relaxed)
    }

    /// What went wrong, if anything did.
    pub(super) fn fault(&self) -> Option<BodyFault> {
        self.0.fault.get().copied()
    }

    /// The first fault stays.
    fn fail(&self, fault: BodyFault) -> BoxError {
        let _ = self.0.fault.set(fault);
        fault.into()
    }
}

/// Another bound for the bodies of a route, as `.route_layer(from_fn_with_state(BYTES_MAX, bound_body))`.
pub async fn bound_body(State(bytes_max): State<usize>, request: Request, next: Next) -> Response {
    if let Some(BodyBound(bound)) = request.extensions().get() {
        bound.bytes_max.store(bytes_max, Ordering::Relaxed);
    }

    next.run(request).await
}

/// A body as it comes in.
pub(super) struct BoundedBody {
    inner: Incoming,
    bound: BodyBound,
    pulse: Arc<Pulse>,
    limits: DoorLimits,
    began: Instant,
    waits_since: Option<Instant>,
    seen: usize,
    alarm: Alarm,
}

impl BoundedBody {
    pub(super) fn new(inner: Incoming, pulse: Arc<Pulse>, limits: DoorLimits) -> Self {
        let stage = if inner.is_end_stream() {
            Stage::Answer
        } else {
            Stage::Body
        };
        pulse.enter(stage);

        Self {
            inner,
            bound: BodyBound::new(limits.body_bytes_max),
            pulse,
            limits,
            began: Instant::now(),
            waits_since: None,
            seen: 0,
            alarm: Alarm::default(),
        }
    }

    pub(super) fn bound(&self) -> BodyBound {
        self.bound.clone()
    }

    fn wait(&mut self, context: &mut Context<'_>) -> Poll<BoxError> {
        let since = *self.waits_since.get_or_insert_with(Instant::now);
        let pause_ends = since + self.limits.body_pause();
        let deadline = pause_ends.min(self.began + self.limits.body_timeout());
        ready!(self.alarm.poll_at(context, deadline));

        counters::dropped(Dropped::Body);
        Poll::Ready(self.bound.fail(BodyFault::TooSlow))
    }

    fn too_large(&self, bytes_max: usize) -> BoxError {
        self.bound.fail(BodyFault::TooLarge { bytes_max })
    }
}

impl Body for BoundedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        let bytes_max = this.bound.bytes_max();

        loop {
            let Poll::Ready(next) = Pin::new(&mut this.inner).poll_frame(context) else {
                return this.wait(context).map(|error| Some(Err(error)));
            };
            this.waits_since = None;
            if this.inner.is_end_stream() {
                this.pulse.leave_body();
            }

            let frame = match next {
                Some(Ok(frame)) => frame,
                Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
                None if this.seen > bytes_max => {
                    return Poll::Ready(Some(Err(this.too_large(bytes_max))));
                }
                None => return Poll::Ready(None),
            };

            this.seen += frame.data_ref().map_or(0, Bytes::len);
            if this.seen <= bytes_max {
                return Poll::Ready(Some(Ok(frame)));
            }
            // The rest is thrown away.
            if this.seen > BYTES_DRAINED_MAX.max(bytes_max) {
                return Poll::Ready(Some(Err(this.too_large(bytes_max))));
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream() && self.seen <= self.bound.bytes_max()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for BoundedBody {
    fn drop(&mut self) {
        self.pulse.leave_body();
    }
}
