//! A camera as its task, its session and the HTTP side share it.

use crate::core::alerts::{Alert, Watch};
use crate::core::consent::{Asked, Grant, Permission};
use crate::core::frame::Size;
use crate::core::policy::Policy;
use crate::io::capture::Source;
use crate::io::preview::Preview;
use crate::io::switch::Switch;
use crate::metrics;
use crate::tasks::look::Looker;
use crate::tasks::output::PushTo;
use api_types::CameraState;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How frames are made into segments.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub size: Size,
    pub bitrate_kbps: u32,
    pub segment_ms: u64,
    pub policy: Policy,
    /// The model in use.
    pub model_sha256: Option<[u8; 32]>,
}

/// A camera, shared by its task, its session and the HTTP side.
pub(crate) struct Camera {
    pub asked: Asked,
    pub source: Source,
    pub push_to: Option<PushTo>,
    pub setup: Setup,
    pub preview: Preview,
    state: Mutex<CameraState>,
    alerts: Mutex<Vec<Alert>>,
    watch: Mutex<Watch>,
    looker: Mutex<Option<Looker>>,
    switch: Option<Switch>,
    push_is_on: AtomicBool,
    /// False while a platform has to be told first.
    push_is_ready: AtomicBool,
    viewers: Mutex<Option<u64>>,
    view_is_new: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Camera {
    pub fn new(
        asked: Asked,
        source: Source,
        push_to: Option<PushTo>,
        setup: Setup,
        looker: Option<Looker>,
    ) -> Self {
        let switch = push_to.as_ref().map(|to| to.switch.clone());
        let is_on = switch.as_ref().is_none_or(Switch::is_on);

        Self {
            asked,
            source,
            push_to,
            setup,
            preview: Preview::default(),
            state: Mutex::new(CameraState::Waiting {
                reason: "starting".into(),
            }),
            alerts: Mutex::default(),
            watch: Mutex::default(),
            looker: Mutex::new(looker),
            switch,
            push_is_on: AtomicBool::new(is_on),
            push_is_ready: AtomicBool::new(true),
            viewers: Mutex::default(),
            view_is_new: AtomicBool::new(false),
        }
    }

    pub fn state(&self) -> CameraState {
        lock(&self.state).clone()
    }

    pub fn alerts(&self) -> Vec<Alert> {
        lock(&self.alerts).clone()
    }

    /// Held by the session.
    pub fn looker(&self) -> MutexGuard<'_, Option<Looker>> {
        lock(&self.looker)
    }

    /// Held by the session.
    pub fn watch(&self) -> MutexGuard<'_, Watch> {
        lock(&self.watch)
    }

    /// What the session sees in the last frames.
    pub fn saw(&self, alerts: Vec<Alert>) {
        if *lock(&self.alerts) != alerts {
            metrics::alerts(self.asked.camera, &alerts);
            let names: Vec<&str> = alerts.iter().map(|alert| alert.name()).collect();
            tracing::warn!(
                camera = self.asked.camera,
                alerts = names.join(","),
                "the camera's alerts changed"
            );
            *lock(&self.alerts) = alerts;
        }
    }

    pub fn push_is_on(&self) -> bool {
        self.push_is_on.load(Ordering::Relaxed)
    }

    /// The kill switch of the public stream: off at once, and remembered.
    pub fn switch_push(&self, on: bool) -> std::io::Result<()> {
        if !on {
            self.push_is_on.store(false, Ordering::Relaxed);
        }

        self.switch
            .as_ref()
            .map_or(Ok(()), |switch| switch.set(on))?;
        self.push_is_on.store(on, Ordering::Relaxed);

        tracing::info!(
            camera = self.asked.camera,
            on,
            "the public stream is switched"
        );
        Ok(())
    }

    /// Whether the platform knows of the stream, where it has to before the first picture.
    pub fn set_push_ready(&self, is_ready: bool) {
        self.push_is_ready.store(is_ready, Ordering::Relaxed);
    }

    /// Whether pictures may go to the platform now, if somebody consented.
    pub fn may_push(&self) -> bool {
        self.push_is_on() && self.push_is_ready.load(Ordering::Relaxed)
    }

    /// Whether there is to be a public stream: somebody consented, and the kill switch is not off. Nobody decided anything
    /// while the camera is down.
    pub fn wants_push(&self) -> Option<bool> {
        match self.state() {
            CameraState::Down { .. } if self.push_is_on() => None,
            CameraState::Live {
                stream_until_ms: Some(_),
                ..
            } => Some(self.push_is_on()),
            _ => Some(false),
        }
    }

    /// Who looks at the public stream, as the platform says.
    pub fn viewers(&self) -> Option<u64> {
        *lock(&self.viewers)
    }

    pub fn has_viewers(&self, viewers: Option<u64>) {
        *lock(&self.viewers) = viewers;
    }

    /// The camera was turned on purpose. The session, which holds what is remembered of the view, hears of it.
    pub fn forget_view(&self) {
        self.view_is_new.store(true, Ordering::Relaxed);
    }

    pub fn takes_new_view(&self) -> bool {
        self.view_is_new.swap(false, Ordering::Relaxed)
    }

    /// Frames come: the camera is live for as long as this permission reaches.
    pub fn is_live(&self, permission: Permission) {
        let until = |grant: Option<Grant>| grant.map(|grant| grant.until_ms);
        let (recording, stream) = (until(permission.recording), until(permission.stream));
        self.enter(CameraState::Live {
            recording_until_ms: recording,
            stream_until_ms: stream,
        });
    }

    /// From now on it is in this state; who looked at it live sees nothing more, unless it is live.
    pub fn enter(&self, state: CameraState) {
        metrics::live(self.asked.camera, matches!(state, CameraState::Live { .. }));
        if !matches!(state, CameraState::Live { .. }) {
            self.preview.clear();
        }

        let mut current = lock(&self.state);
        if *current != state {
            tracing::info!(
                camera = self.asked.camera,
                ?state,
                "the camera's state changed"
            );
            *current = state;
        }
    }
}
