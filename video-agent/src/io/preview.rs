//! The last seconds of a camera's anonymised stream, in memory, for the preview.

use crate::core::hls::{self, Entry};
use crate::core::packager::Fragment;
use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// Fragments that a reader can still get; about eight seconds.
const FRAGMENTS_MAX: usize = 8;

#[derive(Default)]
struct Inner {
    init: Option<Bytes>,
    fragments: VecDeque<(Entry, Bytes)>,
    next: u64,
}

#[derive(Default)]
struct Shared {
    inner: Mutex<Inner>,
    added: Notify,
}

/// Shared between the camera's task, which writes, and the HTTP side, which reads.
#[derive(Clone, Default)]
pub(crate) struct Preview(Arc<Shared>);

impl Preview {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A session begins.
    pub fn begin(&self, init: Vec<u8>) {
        self.clear();
        self.inner().init = Some(init.into());
    }

    pub fn add(&self, fragment: Fragment) {
        let mut inner = self.inner();
        let Fragment {
            bytes,
            duration_ms,
            taken_at_ms,
        } = fragment;
        let entry = Entry {
            number: inner.next,
            duration_ms,
            taken_at_ms,
        };

        inner.next += 1;
        inner.fragments.push_back((entry, bytes.into()));

        if inner.fragments.len() > FRAGMENTS_MAX {
            inner.fragments.pop_front();
        }
        drop(inner);
        self.0.added.notify_waiters();
    }

    /// Nothing is to be seen any more.
    pub fn clear(&self) {
        let mut inner = self.inner();
        inner.init = None;
        inner.fragments.clear();
    }

    pub fn playlist(&self) -> Option<String> {
        let inner = self.inner();
        let entries: Vec<Entry> = inner.fragments.iter().map(|(entry, _)| *entry).collect();
        (!entries.is_empty()).then(|| hls::playlist(&entries))
    }

    /// The playlist, or the first one that comes: a camera is live some time before its first fragment is whole.
    pub async fn wait_for_playlist(&self, patience: Duration) -> Option<String> {
        let added = self.0.added.notified();
        if let Some(playlist) = self.playlist() {
            return Some(playlist);
        }

        let _ = tokio::time::timeout(patience, added).await;
        self.playlist()
    }

    pub fn init(&self) -> Option<Bytes> {
        self.inner().init.clone()
    }

    pub fn fragment(&self, number: u64) -> Option<Bytes> {
        let inner = self.inner();
        inner
            .fragments
            .iter()
            .find(|(entry, _)| entry.number == number)
            .map(|(_, bytes)| bytes.clone())
    }
}
