//! From a camera to anonymised, encoded segments and streams.
//!
//! Nothing leaves this crate that was not judged: [`core::gate`] decides what of a frame may be shown, and the encoder
//! takes only frames that went through it. Raw frames are in memory, and nowhere else.

mod app;
mod config;
mod core;
mod error;
mod gate;
mod http;
mod io;
mod metrics;
mod sink;
mod tasks;

pub use app::{Agent, measure, run};
pub use config::{CameraConfig, Config, ConfigError, DetectorConfig, HttpConfig, NodeConfig, VideoConfig};
pub use core::consent::{Asked, CameraKind, Grant, Permission};
pub use error::Error;
pub use gate::{ConsentGate, GateError};
pub use sink::{NoVault, Segment, SegmentSink, SinkError};
pub use tasks::measure::MeasureArgs;
