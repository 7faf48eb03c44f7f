//! One resource a file.

mod cameras;
mod preview;
mod recordings;

use crate::camera::Camera;
use axum::Router;
use problem::Refusal;
use recording_vault::Vault;
use std::sync::Arc;

/// The cameras, in the configuration's order, and the vault if there is one.
#[derive(Clone)]
pub(crate) struct Api {
    cameras: Arc<[Arc<Camera>]>,
    vault: Option<Arc<Vault>>,
}

impl Api {
    fn camera(&self, number: u64) -> Result<&Camera, Refusal> {
        let found = self
            .cameras
            .iter()
            .find(|camera| camera.asked.camera == number);
        found
            .map(AsRef::as_ref)
            .ok_or_else(|| Refusal::not_found("no such camera"))
    }
}

/// All routes but health and metrics.
pub(crate) fn router(cameras: Vec<Arc<Camera>>, vault: Option<Arc<Vault>>) -> Router {
    Router::new()
        .merge(cameras::router())
        .merge(preview::router())
        .merge(recordings::router())
        .with_state(Api {
            cameras: cameras.into(),
            vault,
        })
}
