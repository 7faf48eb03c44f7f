//! H.264, once for everything. It takes only frames that may be shown.

use super::pipeline::Pipeline;
use crate::core::frame::{ShownFrame, Size};
use crate::core::packager::Picture;
use crate::core::policy::{FRAME_MS, FRAME_RATE};
use crate::error::Error;
use gstreamer as gst;
use gstreamer_app::{AppSink, AppSrc};
use std::collections::VecDeque;

/// A picture that can be decoded alone, every so many frames: 0.8 s, so that a player which keeps three fragments'
/// distance is less than four seconds behind.
const GROUP_FRAMES: u32 = 10;
/// Frames that the encoder may have under way.
const WAITING_MAX: u64 = 8;

/// x264 behind an appsrc, without frames that wait for later ones.
pub(crate) struct Encoder {
    pipeline: Pipeline,
    source: AppSrc,
    sink: AppSink,
    size: Size,
    frames: u64,
    /// Of the frames under way, oldest first: when they were taken, and their place in the session.
    under_way: VecDeque<(u64, u64)>,
}

impl Encoder {
    pub fn open(size: Size, bitrate_kbps: u32) -> Result<Self, Error> {
        let description = format!(
            "appsrc name=frames format=time is-live=false block=true max-buffers={WAITING_MAX} max-bytes=0 \
             caps=video/x-raw,format=I420,width={width},height={height},framerate={rate},pixel-aspect-ratio=1/1,\
             interlace-mode=progressive,colorimetry=bt709 \
             ! x264enc tune=zerolatency speed-preset=superfast threads=1 bitrate={bitrate_kbps} \
             key-int-max={GROUP_FRAMES} option-string=scenecut=0 \
             ! video/x-h264,profile=main ! h264parse config-interval=-1 \
             ! video/x-h264,stream-format=avc,alignment=au ! appsink name=pictures sync=false max-buffers=0",
            width = size.width,
            height = size.height,
            rate = format_args!("{}/{}", FRAME_RATE.0, FRAME_RATE.1),
        );

        let pipeline = Pipeline::parse("encoder", &description)?;
        let (source, sink) = (pipeline.source("frames")?, pipeline.sink("pictures")?);
        pipeline.play()?;

        Ok(Self {
            pipeline,
            source,
            sink,
            size,
            frames: 0,
            under_way: VecDeque::new(),
        })
    }

    /// Gives a frame in.
    pub fn push(&mut self, frame: ShownFrame) -> Result<(), Error> {
        self.under_way.push_back((frame.taken_at_ms, frame.at_ms));
        let pixels = frame.into_pixels();
        if pixels.len() != self.size.bytes() {
            return Err(Error::Frame {
                found: pixels.len(),
                expected: self.size.bytes(),
            });
        }

        let mut buffer = gst::Buffer::from_mut_slice(pixels);
        if let Some(buffer) = buffer.get_mut() {
            buffer.set_pts(gst::ClockTime::from_mseconds(self.frames * FRAME_MS));
            buffer.set_duration(gst::ClockTime::from_mseconds(FRAME_MS));
        }

        self.frames += 1;
        self.source
            .push_buffer(buffer)
            .map(|_| ())
            .map_err(|_| self.failure())
    }

    /// No more frames come: what is under way comes out.
    pub fn end(&self) {
        // Refused only if the pipeline failed, which `take` reports.
        let _ = self.source.end_of_stream();
    }

    /// The next picture if one is ready within this time.
    pub fn take(&mut self, within_ms: u64) -> Result<Option<Picture>, Error> {
        let Some(sample) = self
            .sink
            .try_pull_sample(gst::ClockTime::from_mseconds(within_ms))
        else {
            return self.pipeline.failure().map_or(Ok(None), Err);
        };

        let buffer = sample.buffer().ok_or(Error::Encoded)?;
        let map = buffer.map_readable().map_err(|_| Error::Encoded)?;
        let (taken_at_ms, at_ms) = self.under_way.pop_front().ok_or(Error::Encoded)?;
        let is_sync = !buffer.flags().contains(gst::BufferFlags::DELTA_UNIT);

        Ok(Some(Picture {
            bytes: map.to_vec(),
            is_sync,
            taken_at_ms,
            at_ms,
        }))
    }

    /// Whether all has come out after [`Encoder::end`].
    pub fn is_done(&self) -> bool {
        self.sink.is_eos()
    }

    /// The decoder's configuration, known once the first picture is out.
    pub fn configuration(&self) -> Option<Vec<u8>> {
        let caps = gst::prelude::PadExt::current_caps(&gst::prelude::ElementExt::static_pad(
            &self.sink, "sink",
        )?)?;
        let buffer = caps.structure(0)?.get::<gst::Buffer>("codec_data").ok()?;
        Some(buffer.map_readable().ok()?.to_vec())
    }

    fn failure(&self) -> Error {
        self.pipeline.failure().unwrap_or(Error::Encoded)
    }
}
