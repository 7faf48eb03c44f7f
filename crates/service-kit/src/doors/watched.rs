//! A socket whose other end may not keep us waiting for ever.

use super::alarm::Alarm;
use super::counters::{self, Dropped};
use super::limits::DoorLimits;
use super::pulse::{Pulse, Stage};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Fails with `TimedOut` where the client is too slow with a head, silent between requests for too long, or reads
/// nothing of its answer.
#[derive(Debug)]
pub(super) struct WatchedStream {
    stream: TcpStream,
    pulse: Arc<Pulse>,
    limits: DoorLimits,
    read_alarm: Alarm,
    write_alarm: Alarm,
}

fn timed_out(reason: Dropped) -> io::Error {
    counters::dropped(reason);
    io::ErrorKind::TimedOut.into()
}

impl WatchedStream {
    pub(super) fn new(stream: TcpStream, pulse: Arc<Pulse>, limits: DoorLimits) -> Self {
        Self {
            stream,
            pulse,
            limits,
            read_alarm: Alarm::default(),
            write_alarm: Alarm::default(),
        }
    }

    /// Nothing has come yet: may that be waited for?
    fn wait_for_bytes(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some((deadline, stage)) = self.pulse.read_deadline(&self.limits) else {
            return Poll::Pending;
        };
        ready!(self.read_alarm.poll_at(context, deadline));

        let reason = match stage {
            Stage::Head => Dropped::Head,
            _ => Dropped::Idle,
        };
        Poll::Ready(Err(timed_out(reason)))
    }

    /// What came of a write: progress, or a reader that is waited for, but not for ever.
    fn watch_write(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.pulse.bytes_went();
            return written;
        }

        let deadline = self.pulse.reader_stalls() + self.limits.write_stall();
        ready!(self.write_alarm.poll_at(context, deadline));
        Poll::Ready(Err(timed_out(Dropped::Reader)))
    }
}

impl AsyncRead for WatchedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);

        if read.is_pending() {
            return self.wait_for_bytes(context);
        }
        if buffer.filled().len() > before {
            self.pulse.bytes_came();
        }
        read
    }
}

impl AsyncWrite for WatchedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch_write(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.watch_write(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
