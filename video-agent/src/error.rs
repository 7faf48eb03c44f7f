//! What can go wrong in a step, and whether trying again can help.

use std::path::PathBuf;
use std::time::Duration;

/// Why a step failed. No variant carries a camera's address or a stream's key.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A pipeline's description is wrong, or an element that it needs is not installed.
    #[error("the {name} pipeline cannot be built")]
    Pipeline {
        /// Which.
        name: &'static str,
        /// Why.
        #[source]
        source: gstreamer::glib::Error,
    },
    /// A pipeline lacks an element that its description has.
    #[error("the {pipeline} pipeline has no usable {element}")]
    Element {
        /// Which.
        pipeline: &'static str,
        /// The element's name.
        element: &'static str,
    },
    /// A pipeline does not start.
    #[error("the {pipeline} pipeline does not start")]
    Start {
        /// Which.
        pipeline: &'static str,
    },
    /// A running pipeline failed.
    #[error("the {pipeline} pipeline's {element} {what}")]
    Stream {
        /// Which.
        pipeline: &'static str,
        /// The element that reported it.
        element: String,
        /// What kind of failure.
        what: &'static str,
    },
    /// A frame has another size than was asked for.
    #[error("a frame has {found} bytes, expected {expected}")]
    Frame {
        /// Its size.
        found: usize,
        /// Asked for.
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
    /// OpenCV refused.
    #[error("{step} failed")]
    Vision {
        /// What was computed.
        step: &'static str,
        /// Why.
        #[source]
        source: opencv::Error,
    },
    /// The model could not be read.
    #[error("read the detector's model {}", file.display())]
    ModelFile {
        /// Which file.
        file: PathBuf,
        /// Why.
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
        /// Why.
        #[source]
        source: rustix::io::Errno,
    },
    /// A result could not be written (`measure` only).
    #[error("write {}", file.display())]
    Write {
        /// Which file.
        file: PathBuf,
        /// Why.
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
