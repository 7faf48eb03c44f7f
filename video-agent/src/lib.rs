//! From a camera to anonymised, encoded segments and streams.
//!
//! Nothing leaves this crate that was not judged: `core::gate` decides what of a frame may be shown, and the encoder
//! takes only frames that went through it. Raw frames are in memory, and nowhere else.

mod app;
mod camera;
mod config;
mod core;
mod error;
mod gate;
mod http;
mod io;
mod metrics;
mod recordings;
mod sink;
mod tasks;

#[cfg(feature = "rtsp-camera")]
pub use app::rtsp_camera;
pub use app::{Agent, measure, run};
pub use config::{
    AgentConfig, CameraConfig, Config, DetectorConfig, HttpConfig, IpfsConfig, NodeConfig,
    PinataConfig, PinningConfig, PlatformConfig, PlatformKind, VaultConfig, VideoConfig,
};
pub use core::consent::{Asked, CameraKind, Grant, Permission};
pub use error::Error;
pub use gate::{ConsentGate, GateError};
pub use recordings::Recordings;
pub use sink::{NoVault, Segment, SegmentSink, SinkError};
pub use tasks::measure::MeasureArgs;
