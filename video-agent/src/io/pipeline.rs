//! What all GStreamer pipelines of ours have in common.

use crate::error::Error;
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::{AppSink, AppSrc};

/// Starts GStreamer, once for the process.
pub(crate) fn init() -> Result<(), Error> {
    gst::init().map_err(|source| Error::Pipeline {
        name: "first",
        source,
    })
}

/// A pipeline that is stopped when it goes out of scope.
pub(crate) struct Pipeline {
    pipeline: gst::Pipeline,
    name: &'static str,
}

impl Pipeline {
    /// From a description in GStreamer's syntax, which must hold no text from outside.
    pub fn parse(name: &'static str, description: &str) -> Result<Self, Error> {
        let element =
            gst::parse::launch(description).map_err(|source| Error::Pipeline { name, source })?;
        let pipeline = element.downcast().map_err(|_| Error::Element {
            pipeline: name,
            element: "pipeline",
        })?;
        Ok(Self { pipeline, name })
    }

    pub fn element(&self, element: &'static str) -> Result<gst::Element, Error> {
        self.pipeline.by_name(element).ok_or(Error::Element {
            pipeline: self.name,
            element,
        })
    }

    pub fn sink(&self, element: &'static str) -> Result<AppSink, Error> {
        self.element(element)?
            .downcast()
            .map_err(|_| Error::Element {
                pipeline: self.name,
                element,
            })
    }

    pub fn source(&self, element: &'static str) -> Result<AppSrc, Error> {
        self.element(element)?
            .downcast()
            .map_err(|_| Error::Element {
                pipeline: self.name,
                element,
            })
    }

    pub fn play(&self) -> Result<(), Error> {
        let state = self.pipeline.set_state(gst::State::Playing);
        state.map(|_| ()).map_err(|_| {
            self.failure().unwrap_or(Error::Start {
                pipeline: self.name,
            })
        })
    }

    /// The first error that an element has reported. The element's debug text is left out: it can hold a URL with a
    /// password or a stream's key.
    pub fn failure(&self) -> Option<Error> {
        let message = self
            .pipeline
            .bus()?
            .pop_filtered(&[gst::MessageType::Error])?;
        let gst::MessageView::Error(error) = message.view() else {
            return None;
        };

        let element = message
            .src()
            .map_or_else(|| "unknown".to_owned(), |source| source.name().to_string());

        Some(Error::Stream {
            pipeline: self.name,
            element,
            what: failure_class(&error.error()),
        })
    }
}

/// What kind of failure it is, in words without anything that came from outside.
fn failure_class(error: &gst::glib::Error) -> &'static str {
    if let Some(kind) = error.kind::<gst::ResourceError>() {
        return match kind {
            gst::ResourceError::NotAuthorized => "refused: not authorised",
            gst::ResourceError::NotFound => "not found",
            gst::ResourceError::OpenRead
            | gst::ResourceError::OpenWrite
            | gst::ResourceError::OpenReadWrite => "could not be opened",
            gst::ResourceError::Read | gst::ResourceError::Write => "the connection broke",
            _ => "the other end failed",
        };
    }

    if let Some(kind) = error.kind::<gst::StreamError>() {
        return match kind {
            gst::StreamError::Decode | gst::StreamError::Demux => "cannot be decoded",
            gst::StreamError::CodecNotFound
            | gst::StreamError::WrongType
            | gst::StreamError::TypeNotFound => "has a format that is not known here",
            _ => "the stream broke",
        };
    }

    "failed"
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        // Nothing can be done about a failure: the pipeline goes away in any case.
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}
