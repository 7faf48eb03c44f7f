//! Takes connections, or turns them away.

use super::connection::{Accepted, serve_connection};
use super::counters;
use super::limits::DoorLimits;
use super::places::{ConnectionPlace, Places, Visitor};
use super::refused::turn_away;
use axum::Router;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The pause after a failure that a next try would meet as well, such as no free descriptor.
const FAILURE_PAUSE: Duration = Duration::from_millis(200);
/// Idle connections that have to go at each such failure, those first that have been waiting for longest.
const GOING_AT_ONCE: usize = 16;
/// How often at most such a failure is logged.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// One port with what is behind it.
pub(super) struct Door {
    listener: TcpListener,
    router: Router,
    limits: DoorLimits,
    connections: Arc<Places>,
    streams: Arc<Places>,
    /// Told when the place of an idle connection is wanted.
    room_wanted: Arc<Notify>,
    logged: Option<Instant>,
}

impl Door {
    pub(super) fn new(listener: TcpListener, router: Router, limits: DoorLimits) -> Self {
        Self {
            listener,
            router,
            limits,
            connections: Places::new(limits.connections_max, limits.connections_per_address_max),
            streams: Places::new(usize::MAX, limits.streams_per_address_max),
            room_wanted: Arc::default(),
            logged: None,
        }
    }

    /// Takes connections until the token is cancelled, then waits for what is under way.
    pub(super) async fn serve(mut self, stop: CancellationToken) {
        let tasks = TaskTracker::new();
        loop {
            let accepted = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, address)) => self.admit(stream, address, &tasks, &stop),
                Err(error) => self.survive(error, &stop).await,
            }
        }

        drop(self.listener);
        tasks.close();
        tasks.wait().await;
    }

    fn admit(
        &self,
        stream: TcpStream,
        address: SocketAddr,
        tasks: &TaskTracker,
        stop: &CancellationToken,
    ) {
        let place = match self.connections.take(address.ip()) {
            Ok(place) => ConnectionPlace::new(place),
            Err(full) => return turn_away(stream, full),
        };

        let accepted = Accepted {
            stream,
            visitor: Visitor {
                address,
                streams: Arc::clone(&self.streams),
            },
            router: self.router.clone(),
            limits: self.limits,
            place,
            room_wanted: Arc::clone(&self.room_wanted),
        };
        tasks.spawn(serve_connection(accepted, stop.clone()));
    }

    /// A connection that its client gave up again is nothing; anything else would fail at once again, as long as nobody
    /// makes room.
    async fn survive(&mut self, error: io::Error, stop: &CancellationToken) {
        if is_of_the_client(&error) {
            return;
        }

        counters::accept_failed();
        for _ in 0..GOING_AT_ONCE {
            self.room_wanted.notify_one();
        }
        if self.logged.is_none_or(|at| at.elapsed() >= LOG_INTERVAL) {
            self.logged = Some(Instant::now());
            tracing::error!(%error, "connections cannot be accepted; it is tried again and again");
        }
        let _ = tokio::time::timeout(FAILURE_PAUSE, stop.cancelled()).await;
    }
}

fn is_of_the_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}
