//! An outlet's cameras, as its video agent answers.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a camera looks at, which decides whose consent it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum CameraKind {
    /// Rooms and doors, on the owner's legal basis.
    Security,
    /// The kitchen, on the owner's legal basis.
    #[serde(alias = "kitchen")]
    Chef,
    /// A table, on its guest's consent.
    Customer,
}

/// What a camera does now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum CameraState {
    /// Nothing permits it.
    Waiting {
        /// Why nothing permits it, for people to read.
        reason: String,
    },
    /// It is read.
    Live {
        /// Until when it may be recorded, milliseconds; null while it may not.
        #[schema(required)]
        recording_until_ms: Option<u64>,
        /// Until when it may be streamed, milliseconds; null while it may not.
        #[schema(required)]
        stream_until_ms: Option<u64>,
    },
    /// It failed, and is tried again.
    Down {
        /// What failed, for people to read.
        reason: String,
    },
}

/// What is wrong with a camera's picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CameraAlert {
    /// No frames come.
    Down,
    /// Something is in front of the lens.
    Covered,
    /// It looks elsewhere.
    Moved,
    /// The same frame again and again.
    Frozen,
    /// Faces are not looked for in time, so frames are solid.
    DetectorLate,
}

/// The public stream of a camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PushState {
    /// No platform is configured.
    None,
    /// It runs while a consent allows it.
    On,
    /// Somebody ended it.
    Off,
}

/// One of an outlet's cameras.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CameraAnswer {
    /// The outlet's number of it.
    pub camera: u64,
    /// What it looks at.
    pub kind: CameraKind,
    /// What is hidden of people.
    pub mask_policy: String,
    /// What it does now.
    #[serde(flatten)]
    pub state: CameraState,
    /// What is wrong with its picture.
    pub alerts: Vec<CameraAlert>,
    /// Its public stream.
    pub push: PushState,
    /// Viewers of the public stream, as its platform says; absent while nobody can say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub viewers: Option<u64>,
}

/// The switch of a camera's public stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PushSwitch {
    /// Whether it may run.
    pub on: bool,
}
