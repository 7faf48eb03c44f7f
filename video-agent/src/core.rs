//! Decisions: pure functions and state machines over what was seen. No async, no OpenCV, no GStreamer, no clock.

pub(crate) mod alerts;
pub(crate) mod backoff;
pub(crate) mod centerface;
pub(crate) mod consent;
pub(crate) mod fmp4;
pub(crate) mod frame;
pub(crate) mod gate;
pub(crate) mod geometry;
pub(crate) mod hls;
pub(crate) mod lookback;
pub(crate) mod mask;
pub(crate) mod packager;
pub(crate) mod policy;
pub(crate) mod scene;
pub(crate) mod tracker;
