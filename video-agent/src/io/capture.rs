//! A camera's frames, decoded and brought to one size and rate. They stay in this process's memory: no element here
//! writes anything.

use super::pipeline::Pipeline;
use crate::core::frame::{RawFrame, Size};
use crate::core::policy::{FRAME_MS, FRAME_RATE};
use crate::error::Error;
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::AppSink;
use service_kit::Secret;
use service_kit::clock;
use std::path::PathBuf;
use std::time::Duration;

/// Where frames come from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// `rtsp://` or `rtsps://`; may hold a password.
    Rtsp(Secret),
    /// A film. `paced`: at its own speed, else as fast as frames are taken.
    File { path: PathBuf, paced: bool },
    /// GStreamer's test picture of that name.
    Test(String),
}

/// Frames under way between decoder and anonymiser: more are dropped, oldest first, where frames come live.
const WAITING_MAX: u32 = 4;

/// What came of waiting for a frame.
pub(crate) enum Taken {
    Frame(RawFrame),
    Nothing,
    /// The film is over.
    End,
}

/// An open camera.
pub(crate) struct Capture {
    pipeline: Pipeline,
    sink: AppSink,
    size: Size,
    frames: u64,
}

impl Capture {
    pub fn open(source: &Source, size: Size) -> Result<Self, Error> {
        let (pipeline, sink) = start_pipeline(source, size)?;
        Ok(Self {
            pipeline,
            sink,
            size,
            frames: 0,
        })
    }

    /// A film from its beginning; frames go on being numbered.
    pub fn again(&mut self, source: &Source) -> Result<(), Error> {
        (self.pipeline, self.sink) = start_pipeline(source, self.size)?;
        Ok(())
    }

    /// The next frame, if one comes in time.
    pub fn take(&mut self, within: Duration) -> Result<Taken, Error> {
        let Some(sample) = self
            .sink
            .try_pull_sample(gst::ClockTime::from_mseconds(within.as_millis() as u64))
        else {
            return match self.pipeline.failure() {
                Some(error) => Err(error),
                None if self.sink.is_eos() => Ok(Taken::End),
                None => Ok(Taken::Nothing),
            };
        };

        let map = sample
            .buffer()
            .and_then(|buffer| buffer.map_readable().ok());
        let map = map.ok_or(Error::Frame {
            found: 0,
            expected: self.size.bytes(),
        })?;
        if map.len() != self.size.bytes() {
            return Err(Error::Frame {
                found: map.len(),
                expected: self.size.bytes(),
            });
        }

        let number = self.frames;
        self.frames += 1;
        let (pixels, at_ms) = (map.to_vec(), number * FRAME_MS);

        Ok(Taken::Frame(RawFrame {
            size: self.size,
            pixels,
            number,
            at_ms,
            taken_at_ms: clock::now_ms(),
        }))
    }
}

fn start_pipeline(source: &Source, size: Size) -> Result<(Pipeline, AppSink), Error> {
    let lossless = matches!(source, Source::File { paced: false, .. });
    let description = format!(
        "{head} ! videorate ! video/x-raw,framerate={rate} ! videoscale ! videoconvert \
         ! video/x-raw,format=I420,width={width},height={height},pixel-aspect-ratio=1/1 \
         ! appsink name=frames sync={sync} max-buffers={WAITING_MAX} drop={live} enable-last-sample=false",
        head = pipeline_head(source),
        width = size.width,
        height = size.height,
        rate = format_args!("{}/{}", FRAME_RATE.0, FRAME_RATE.1),
        sync = matches!(source, Source::File { paced: true, .. }),
        live = !lossless,
    );

    let pipeline = Pipeline::parse("capture", &description)?;
    set_location(&pipeline, source)?;
    let sink = pipeline.sink("frames")?;
    pipeline.play()?;

    Ok((pipeline, sink))
}

fn pipeline_head(source: &Source) -> &'static str {
    match source {
        Source::Rtsp(_) => {
            "rtspsrc name=camera protocols=tcp latency=100 drop-on-latency=true \
             ! application/x-rtp,media=video ! decodebin"
        }
        Source::File { .. } => "filesrc name=camera ! decodebin",
        Source::Test(_) => "videotestsrc name=camera is-live=true",
    }
}

/// Text from outside goes in as a property, never into a description.
fn set_location(pipeline: &Pipeline, source: &Source) -> Result<(), Error> {
    let camera = pipeline.element("camera")?;
    match source {
        Source::Rtsp(url) => camera.set_property("location", url.expose()),
        Source::File { path, .. } => {
            camera.set_property("location", path.to_string_lossy().as_ref())
        }
        Source::Test(pattern) => camera.set_property_from_str("pattern", pattern),
    }
    Ok(())
}
