//! One adapter for each outside thing. OpenCV and GStreamer are spoken to here and nowhere else.

pub(crate) mod background;
pub(crate) mod capture;
pub(crate) mod detector;
pub(crate) mod disk;
pub(crate) mod encoder;
pub(crate) mod genesis;
pub(crate) mod images;
pub(crate) mod ledger;
pub(crate) mod memory;
pub(crate) mod node;
pub(crate) mod pipeline;
pub(crate) mod platform;
pub(crate) mod preview;
pub(crate) mod push;
#[cfg(feature = "rtsp-camera")]
pub(crate) mod rtsp_camera;
pub(crate) mod switch;
pub(crate) mod vault;
