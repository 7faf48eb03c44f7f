//! Pushes encoded pictures to a streaming platform over RTMP or RTMPS, with silent sound, which platforms ask for.

use super::pipeline::Pipeline;
use crate::core::packager::Picture;
use crate::error::Error;
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::AppSrc;
use service_kit::Secret;

/// A connection to a platform.
pub(crate) struct Push {
    pipeline: Pipeline,
    source: AppSrc,
    /// `at_ms` of the first picture.
    first_ms: Option<u64>,
}

impl Push {
    /// `location` is URL and key. `configuration` is the decoder's.
    pub fn open(location: &Secret, configuration: &[u8]) -> Result<Self, Error> {
        let pipeline = Pipeline::parse(
            "push",
            "flvmux name=mux streamable=true ! queue max-size-buffers=0 max-size-bytes=0 max-size-time=3000000000 \
             ! rtmp2sink name=platform async-connect=true \
             appsrc name=pictures format=time is-live=true block=false max-time=3000000000 max-bytes=0 leaky-type=upstream \
             ! h264parse ! video/x-h264,stream-format=avc,alignment=au ! mux. \
             audiotestsrc wave=silence is-live=true ! audio/x-raw,rate=44100,channels=2 ! avenc_aac bitrate=32000 \
             ! aacparse ! mux.",
        )?;
        pipeline
            .element("platform")?
            .set_property("location", location.expose());

        let source = pipeline.source("pictures")?;
        let caps = gst::Caps::builder("video/x-h264")
            .field("stream-format", "avc")
            .field("alignment", "au")
            .field(
                "codec_data",
                gst::Buffer::from_slice(configuration.to_vec()),
            )
            .build();
        source.set_caps(Some(&caps));
        source.set_do_timestamp(true);
        pipeline.play()?;

        Ok(Self {
            pipeline,
            source,
            first_ms: None,
        })
    }

    /// Sends a picture; what comes before the first that can be decoded alone is left out.
    pub fn send(&mut self, picture: &Picture) -> Result<(), Error> {
        if let Some(error) = self.pipeline.failure() {
            return Err(error);
        }
        if self.first_ms.is_none() && !picture.is_sync {
            return Ok(());
        }

        self.first_ms.get_or_insert(picture.at_ms);
        let mut buffer = gst::Buffer::from_slice(picture.bytes.clone());
        if let (Some(buffer), false) = (buffer.get_mut(), picture.is_sync) {
            buffer.set_flags(gst::BufferFlags::DELTA_UNIT);
        }

        let closed = |_| Error::Stream {
            pipeline: "push",
            element: "pictures".into(),
            what: "is closed",
        };
        self.source.push_buffer(buffer).map(|_| ()).map_err(closed)
    }
}
