//! From encoded pictures to what leaves: fragments of a group of pictures for the preview, segments of some seconds for
//! the vault.

use super::fmp4::{self, Sample, TIMESCALE};
use super::policy::FRAME_MS;

/// Ticks of one frame.
const FRAME_TICKS: u32 = (FRAME_MS as u32) * (TIMESCALE / 1000);

/// An encoded picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Picture {
    pub bytes: Vec<u8>,
    pub is_sync: bool,
    /// When it was taken, in milliseconds since 1970.
    pub taken_at_ms: u64,
    /// Place in the session, by the rate.
    pub at_ms: u64,
}

/// A part of the preview.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fragment {
    pub bytes: Vec<u8>,
    pub duration_ms: u64,
    /// When its first picture was taken.
    pub taken_at_ms: u64,
}

/// A file that plays alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recorded {
    pub bytes: Vec<u8>,
    pub started_at_ms: u64,
    pub ended_at_ms: u64,
}

/// Cuts at pictures that can be decoded alone.
pub(crate) struct Packager {
    init: Vec<u8>,
    segment_ms: u64,
    group: Vec<Picture>,
    /// Groups of the segment under way.
    segment: Vec<Vec<Picture>>,
    fragments: u32,
    ticks: u64,
}

impl Packager {
    pub fn new(init: Vec<u8>, segment_ms: u64) -> Self {
        Self {
            init,
            segment_ms,
            group: Vec::new(),
            segment: Vec::new(),
            fragments: 0,
            ticks: 0,
        }
    }

    /// The next picture. A group that it ends is a fragment, and may end a segment.
    pub fn push(&mut self, picture: Picture) -> (Option<Fragment>, Option<Recorded>) {
        let done = if picture.is_sync {
            self.end_group()
        } else {
            None
        };
        let recorded = if self.segment_length_ms() >= self.segment_ms {
            self.end_segment()
        } else {
            None
        };
        // What comes before the first picture that can be decoded alone cannot be shown.
        if picture.is_sync || !self.group.is_empty() {
            self.group.push(picture);
        }
        (done, recorded)
    }

    /// The session, or the consent, ends: what there is becomes the last fragment and segment.
    pub fn finish(&mut self) -> (Option<Fragment>, Option<Recorded>) {
        (self.end_group(), self.end_segment())
    }

    /// By its pictures, or by the clock where some are missing: the ledger bounds what the clock says.
    fn segment_length_ms(&self) -> u64 {
        let by_pictures = self.segment.iter().map(Vec::len).sum::<usize>() as u64 * FRAME_MS;
        let ends = self
            .segment
            .first()
            .and_then(|group| group.first())
            .zip(self.segment.last().and_then(|group| group.last()));
        let by_clock = ends.map_or(0, |(first, last)| {
            last.taken_at_ms.saturating_sub(first.taken_at_ms) + FRAME_MS
        });
        by_pictures.max(by_clock)
    }

    fn end_group(&mut self) -> Option<Fragment> {
        let group = std::mem::take(&mut self.group);
        let taken_at_ms = group.first()?.taken_at_ms;
        self.fragments += 1;
        let bytes = fmp4::fragment(self.fragments, self.ticks, &samples_of(&group));
        self.ticks += group.len() as u64 * u64::from(FRAME_TICKS);
        let duration_ms = group.len() as u64 * FRAME_MS;
        self.segment.push(group);
        Some(Fragment {
            bytes,
            duration_ms,
            taken_at_ms,
        })
    }

    fn end_segment(&mut self) -> Option<Recorded> {
        let groups = std::mem::take(&mut self.segment);
        let started_at_ms = groups.first()?.first()?.taken_at_ms;
        let ended_at_ms = groups.last()?.last()?.taken_at_ms + FRAME_MS;

        let (mut bytes, mut ticks) = (self.init.clone(), 0);
        for (number, group) in groups.iter().enumerate() {
            bytes.extend(fmp4::fragment(number as u32 + 1, ticks, &samples_of(group)));
            ticks += group.len() as u64 * u64::from(FRAME_TICKS);
        }

        Some(Recorded {
            bytes,
            started_at_ms,
            ended_at_ms,
        })
    }
}

/// A picture lasts until the next one.
fn samples_of(group: &[Picture]) -> Vec<Sample> {
    let sample = |picture: &Picture| Sample {
        bytes: picture.bytes.clone(),
        duration: FRAME_TICKS,
        is_sync: picture.is_sync,
    };
    group.iter().map(sample).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::fmp4::tests::boxes;
    use proptest::prelude::*;

    fn picture(number: u64, is_sync: bool) -> Picture {
        Picture {
            bytes: number.to_be_bytes().to_vec(),
            is_sync,
            taken_at_ms: 1_000 + number * FRAME_MS,
            at_ms: 0,
        }
    }

    #[test]
    fn pictures_that_are_missing_make_a_segment_no_longer() {
        let mut packager = Packager::new(fmp4::init(&[1], 64, 32), 1_900);
        // One picture in three came.
        let recorded: Vec<Recorded> = (0..60)
            .filter_map(|number| packager.push(picture(number * 3, number % 4 == 0)).1)
            .collect();
        assert!(!recorded.is_empty());
        assert!(
            recorded
                .iter()
                .all(|one| one.ended_at_ms - one.started_at_ms < 1_900 + 12 * FRAME_MS + FRAME_MS)
        );
    }

    #[test]
    fn a_segment_begins_where_the_last_one_ended() {
        let mut packager = Packager::new(fmp4::init(&[1], 64, 32), 1_900);
        let mut recorded = Vec::new();
        for number in 0..60 {
            recorded.extend(packager.push(picture(number, number % 12 == 0)).1);
        }
        recorded.extend(packager.finish().1);
        let times: Vec<(u64, u64)> = recorded
            .iter()
            .map(|one| (one.started_at_ms, one.ended_at_ms))
            .collect();
        assert_eq!(times, [(1_000, 2_920), (2_920, 4_840), (4_840, 5_800)]);
        let names: Vec<String> = boxes(&recorded[0].bytes)
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(names, ["ftyp", "moov", "moof", "mdat", "moof", "mdat"]);
    }

    proptest! {
        #[test]
        fn no_picture_is_lost_or_doubled(syncs in proptest::collection::vec(any::<bool>(), 1..100), segment_ms in 80u64..4_000) {
            let mut packager = Packager::new(Vec::new(), segment_ms);
            let (mut shown, mut kept) = (Vec::new(), Vec::new());
            for (number, sync) in syncs.iter().enumerate() {
                let (fragment, recorded) = packager.push(picture(number as u64, *sync));
                shown.extend(fragment.map(|one| one.bytes));
                kept.extend(recorded.map(|one| one.bytes));
            }
            let (fragment, recorded) = packager.finish();
            shown.extend(fragment.map(|one| one.bytes));
            kept.extend(recorded.map(|one| one.bytes));
            let data = |files: &[Vec<u8>]| -> Vec<u8> {
                let all = files.iter().flat_map(|file| boxes(file));
                all.filter(|(name, _)| name == "mdat").flat_map(|(_, data)| data.to_vec()).collect()
            };
            let first = syncs.iter().position(|sync| *sync).unwrap_or(syncs.len());
            let expected: Vec<u8> = (first..syncs.len()).flat_map(|number| (number as u64).to_be_bytes()).collect();
            prop_assert_eq!(&data(&shown), &expected);
            prop_assert_eq!(&data(&kept), &expected);
        }
    }
}
