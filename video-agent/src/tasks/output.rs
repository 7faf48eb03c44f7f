//! What may be shown, encoded once, on its ways: to the preview, the vault and the public stream.

use super::push::Feed;
use crate::core::consent::{Grant, Permission};
use crate::core::fmp4;
use crate::core::frame::{ShownFrame, Size};
use crate::core::packager::{Packager, Picture, Recorded};
use crate::error::Error;
use crate::io::encoder::Encoder;
use crate::io::preview::Preview;
use crate::io::switch::Switch;
use service_kit::Secret;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the encoder may take for its last pictures. Stopping has two seconds in all.
const END_MS_MAX: u64 = 500;
const POLL_MS: u64 = 20;

/// A segment, and what it was recorded under.
pub(crate) type Kept = (Recorded, Grant);

/// Where the public stream goes, and for which camera.
pub(crate) struct PushTo {
    pub camera: u64,
    pub location: Secret,
    pub switch: Switch,
}

/// One session's way out.
pub(crate) struct Output<'a> {
    encoder: Encoder,
    size: Size,
    segment_ms: u64,
    packager: Option<Packager>,
    preview: &'a Preview,
    push_to: Option<&'a PushTo>,
    feed: Option<Feed>,
    /// What the segment under way is recorded under.
    grant: Option<Grant>,
}

impl<'a> Output<'a> {
    pub fn open(
        size: Size,
        bitrate_kbps: u32,
        segment_ms: u64,
        preview: &'a Preview,
        push_to: Option<&'a PushTo>,
    ) -> Result<Self, Error> {
        let encoder = Encoder::open(size, bitrate_kbps)?;

        Ok(Self {
            encoder,
            size,
            segment_ms,
            packager: None,
            preview,
            push_to,
            feed: None,
            grant: None,
        })
    }

    /// A frame, under what is permitted now. Gives the segments that it completes.
    pub fn push(
        &mut self,
        frame: ShownFrame,
        permission: Permission,
        push_on: bool,
    ) -> Result<Vec<Kept>, Error> {
        let mut kept = Vec::new();
        if self.grant.map(|grant| grant.consent) != permission.recording.map(|grant| grant.consent)
        {
            // A segment belongs to one consent. What is still in the encoder is not kept under either.
            kept.extend(self.end_segment());
        }
        self.grant = permission.recording;
        self.follow_stream(permission.stream.is_some() && push_on);
        self.encoder.push(frame)?;
        while let Some(picture) = self.encoder.take(0)? {
            kept.extend(self.picture(picture)?);
        }
        Ok(kept)
    }

    /// The session ends: the last pictures, the last segment.
    pub fn finish(mut self) -> Result<Vec<Kept>, Error> {
        self.feed = None;
        self.encoder.end();
        let (started, mut kept) = (Instant::now(), Vec::new());
        while !self.encoder.is_done() && started.elapsed() < Duration::from_millis(END_MS_MAX) {
            if let Some(picture) = self.encoder.take(POLL_MS)? {
                kept.extend(self.picture(picture)?);
            }
        }
        kept.extend(self.end_segment());
        Ok(kept)
    }

    fn end_segment(&mut self) -> Option<Kept> {
        let (fragment, recorded) = self.packager.as_mut()?.finish();
        if let Some(fragment) = fragment {
            self.preview.add(fragment);
        }
        Some((recorded?, self.grant?))
    }

    fn follow_stream(&mut self, wanted: bool) {
        match (
            wanted,
            self.push_to,
            &self.feed,
            self.encoder.configuration(),
        ) {
            (false, ..) => self.feed = None,
            (true, Some(to), None, Some(configuration)) => {
                self.feed = Some(Feed::start(to.camera, to.location.clone(), configuration));
            }
            _ => {}
        }
    }

    fn picture(&mut self, picture: Picture) -> Result<Option<Kept>, Error> {
        let packager = match &mut self.packager {
            Some(packager) => packager,
            None => {
                let avcc = self.encoder.configuration().ok_or(Error::Encoded)?;
                let init = fmp4::init(&avcc, self.size.width as u16, self.size.height as u16);

                self.preview.begin(init.clone());
                self.packager.insert(Packager::new(init, self.segment_ms))
            }
        };

        if let Some(feed) = &self.feed {
            feed.send(Arc::new(picture.clone()));
        }

        let (fragment, recorded) = packager.push(picture);
        if let Some(fragment) = fragment {
            self.preview.add(fragment);
        }

        Ok(recorded.zip(self.grant))
    }
}
