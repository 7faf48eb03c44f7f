//! What can go wrong in a step, and whether trying again can help.

use std::path::PathBuf;
use std::time::Duration;

/// Why a step failed. No variant carries a camera's address or a stream's key.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A pipeline's description is wrong, or an element that it needs is not installed.
    #[error("the {name} pipeline cannot be built")]
    Pipeline {
        /// The pipeline's name.
        name: &'static str,
        /// The error that GStreamer gave.
        #[source]
        source: gstreamer::glib::Error,
    },
    /// A pipeline lacks an element that its description has.
    #[error("the {pipeline} pipeline has no usable {element}")]
    Element {
        /// The pipeline's name.
        pipeline: &'static str,
        /// The element's name.
        element: &'static str,
    },
    /// A pipeline does not start.
    #[error("the {pipeline} pipeline does not start")]
    Start {
        /// The pipeline's name.
        pipeline: &'static str,
    },
    /// A running pipeline failed.
    #[error("the {pipeline} pipeline's {element} {what}")]
    Stream {
        /// The pipeline's name.
        pipeline: &'static str,
        /// The element that reported it.
        element: String,
        /// The kind of failure, without anything that came from outside.
        what: &'static str,
    },
    /// A frame has another size than was asked for.
    #[error("a frame has {found} bytes, expected {expected}")]
    Frame {
        /// Bytes that came.
        found: usize,
        /// Bytes of the size asked for.
        expected: usize,
    },
    /// The encoder's output is not what it was told to give.
    #[error("the encoder gave no picture for a frame")]
    Encoded,
    /// No frame came for too long.
    #[error("no frame for {0:?}")]
    Stalled(Duration),
    /// Segments come faster than the vault takes them.
    #[error("the vault does not keep up")]
    VaultBehind,
    /// OpenCV could not compute something.
    #[error("{step} failed")]
    Vision {
        /// The computation, in words.
        step: &'static str,
        /// The error that OpenCV gave.
        #[source]
        source: opencv::Error,
    },
    /// The model could not be read.
    #[error("read the detector's model {}", file.display())]
    ModelFile {
        /// Path of the model.
        file: PathBuf,
        /// The operating system's error.
        #[source]
        source: std::io::Error,
    },
    /// The file is not the model that the policy was measured with.
    #[error("the detector's model has the checksum {found}, expected {expected}")]
    ModelChecksum {
        /// Of the file.
        found: String,
        /// Of the model.
        expected: &'static str,
    },
    /// The detector does not find the one face of the reference picture, or finds more.
    #[error(
        "the detector's self-test found {found}, expected one face at its place, twice, and none on grey"
    )]
    SelfTest {
        /// What it found.
        found: String,
    },
    /// The detector's answer cannot be right.
    #[error("the detector's answer is not believed")]
    Unsure(#[from] crate::core::centerface::Unsure),
    /// The operating system cannot promise that raw frames stay in memory.
    #[error("{what}")]
    Memory {
        /// What was asked for.
        what: &'static str,
        /// The operating system's error.
        #[source]
        source: rustix::io::Errno,
    },
    /// A result could not be written (`measure` only).
    #[error("write {}", file.display())]
    Write {
        /// Path of the result.
        file: PathBuf,
        /// The operating system's error.
        #[source]
        source: std::io::Error,
    },
}

impl Error {
    /// Whether the same step may succeed later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Start { .. }
            | Self::Stream { .. }
            | Self::Frame { .. }
            | Self::Encoded
            | Self::Stalled(_)
            | Self::VaultBehind
            | Self::Vision { .. }
            | Self::Unsure(_)
            | Self::Write { .. } => true,
            Self::Pipeline { .. }
            | Self::Element { .. }
            | Self::ModelFile { .. }
            | Self::ModelChecksum { .. }
            | Self::SelfTest { .. }
            | Self::Memory { .. } => false,
        }
    }
}
