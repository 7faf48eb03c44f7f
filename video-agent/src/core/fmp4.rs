//! Fragmented MP4 (ISO/IEC 14496-12) with one H.264 track, in memory.

/// Ticks of the track's clock in a second.
pub(crate) const TIMESCALE: u32 = 90_000;

/// `tfhd`: sample positions count from the fragment's start.
const DEFAULT_BASE_IS_MOOF: u32 = 0x02_0000;
/// `trun`: it has an offset of the data, and for each sample a duration, a size and flags.
const TRUN_FLAGS: u32 = 0x01 | 0x100 | 0x200 | 0x400;
/// Flags of a sample that can be decoded alone, and of one that needs others.
const SYNC: u32 = 0x0200_0000;
const DEPENDS: u32 = 0x0101_0000;
const TRACK: u32 = 1;
/// Rows of the identity matrix, as `mvhd` and `tkhd` want it.
const IDENTITY: [u32; 9] = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000];

/// One encoded picture, with length prefixes (`avc` format).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sample {
    pub bytes: Vec<u8>,
    pub duration: u32,
    pub is_sync: bool,
}

fn mp4_box(kind: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let length = 8 + parts.iter().map(|part| part.len()).sum::<usize>();
    let mut bytes = Vec::with_capacity(length);
    bytes.extend((length as u32).to_be_bytes());
    bytes.extend(kind);
    parts.iter().for_each(|part| bytes.extend(*part));
    bytes
}

/// A box with version and flags.
fn full_box(kind: &[u8; 4], version: u8, flags: u32, parts: &[&[u8]]) -> Vec<u8> {
    let head = (u32::from(version) << 24 | flags).to_be_bytes();
    let with_head: Vec<&[u8]> = std::iter::once(head.as_slice())
        .chain(parts.iter().copied())
        .collect();
    mp4_box(kind, &with_head)
}

fn words_to_bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

/// `ftyp` and `moov`. `avcc` is the decoder's configuration record.
pub(crate) fn init(avcc: &[u8], width: u16, height: u16) -> Vec<u8> {
    let ftyp = mp4_box(
        b"ftyp",
        &[b"iso6", &words_to_bytes(&[0]), b"iso6", b"avc1", b"mp41"],
    );

    let mvhd = full_box(
        b"mvhd",
        0,
        0,
        &[
            &words_to_bytes(&[0, 0, TIMESCALE, 0, 0x1_0000, 0x0100_0000, 0, 0]),
            &words_to_bytes(&IDENTITY),
            &words_to_bytes(&[0, 0, 0, 0, 0, 0, TRACK + 1]),
        ],
    );
    let trex = full_box(b"trex", 0, 0, &[&words_to_bytes(&[TRACK, 1, 0, 0, 0])]);
    let moov = mp4_box(
        b"moov",
        &[
            &mvhd,
            &trak_box(avcc, width, height),
            &mp4_box(b"mvex", &[&trex]),
        ],
    );

    [ftyp, moov].concat()
}

fn trak_box(avcc: &[u8], width: u16, height: u16) -> Vec<u8> {
    let size = words_to_bytes(&[u32::from(width) << 16, u32::from(height) << 16]);
    // Enabled and in the movie.
    let tkhd = full_box(
        b"tkhd",
        0,
        3,
        &[
            &words_to_bytes(&[0, 0, TRACK, 0, 0, 0, 0, 0, 0]),
            &words_to_bytes(&IDENTITY),
            &size,
        ],
    );
    let language = 0x55c4_0000;
    let mdhd = full_box(
        b"mdhd",
        0,
        0,
        &[&words_to_bytes(&[0, 0, TIMESCALE, 0, language])],
    );
    let hdlr = full_box(
        b"hdlr",
        0,
        0,
        &[
            &words_to_bytes(&[0]),
            b"vide",
            &words_to_bytes(&[0, 0, 0]),
            b"video\0",
        ],
    );
    let vmhd = full_box(b"vmhd", 0, 1, &[&words_to_bytes(&[0, 0])]);
    let dref = full_box(
        b"dref",
        0,
        0,
        &[&words_to_bytes(&[1]), &full_box(b"url ", 0, 1, &[])],
    );
    let empty = words_to_bytes(&[0]);
    let tables = [
        full_box(
            b"stsd",
            0,
            0,
            &[&words_to_bytes(&[1]), &avc1_box(avcc, width, height)],
        ),
        full_box(b"stts", 0, 0, &[&empty]),
        full_box(b"stsc", 0, 0, &[&empty]),
        full_box(b"stsz", 0, 0, &[&words_to_bytes(&[0, 0])]),
        full_box(b"stco", 0, 0, &[&empty]),
    ];
    let stbl = mp4_box(b"stbl", &[&tables.concat()]);
    let minf = mp4_box(b"minf", &[&vmhd, &mp4_box(b"dinf", &[&dref]), &stbl]);
    mp4_box(b"trak", &[&tkhd, &mp4_box(b"mdia", &[&mdhd, &hdlr, &minf])])
}

fn avc1_box(avcc: &[u8], width: u16, height: u16) -> Vec<u8> {
    let size = [width.to_be_bytes(), height.to_be_bytes()].concat();
    mp4_box(
        b"avc1",
        &[
            // Reserved, and the first data reference.
            &words_to_bytes(&[0, 1]),
            &[0; 16],
            &size,
            // 72 dots an inch, one frame a sample, no name, 24 bits, no colour table.
            &words_to_bytes(&[0x48_0000, 0x48_0000, 0]),
            &1u16.to_be_bytes(),
            &[0; 32],
            &[0, 24, 0xff, 0xff],
            &mp4_box(b"avcC", &[avcc]),
        ],
    )
}

/// `moof` and `mdat` of samples that follow each other from `decode_time` on.
pub(crate) fn fragment(number: u32, decode_time: u64, samples: &[Sample]) -> Vec<u8> {
    // The data begin behind the `moof` and the head of the `mdat`; the length of a `moof` does not depend on the offset.
    let offset = moof_box(number, decode_time, samples, 0).len() as u32 + 8;
    let data: Vec<&[u8]> = samples
        .iter()
        .map(|sample| sample.bytes.as_slice())
        .collect();
    [
        moof_box(number, decode_time, samples, offset),
        mp4_box(b"mdat", &data),
    ]
    .concat()
}

fn moof_box(number: u32, decode_time: u64, samples: &[Sample], offset: u32) -> Vec<u8> {
    let mfhd = full_box(b"mfhd", 0, 0, &[&words_to_bytes(&[number])]);
    let tfhd = full_box(
        b"tfhd",
        0,
        DEFAULT_BASE_IS_MOOF,
        &[&words_to_bytes(&[TRACK])],
    );
    let tfdt = full_box(b"tfdt", 1, 0, &[&decode_time.to_be_bytes()]);

    let entry = |sample: &Sample| {
        words_to_bytes(&[
            sample.duration,
            sample.bytes.len() as u32,
            if sample.is_sync { SYNC } else { DEPENDS },
        ])
    };
    let entries: Vec<u8> = samples.iter().flat_map(entry).collect();
    let trun = full_box(
        b"trun",
        0,
        TRUN_FLAGS,
        &[&words_to_bytes(&[samples.len() as u32, offset]), &entries],
    );

    mp4_box(b"moof", &[&mfhd, &mp4_box(b"traf", &[&tfhd, &tfdt, &trun])])
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The boxes of a file's top level, by name, which have to fill it exactly.
    pub(crate) fn boxes(mut bytes: &[u8]) -> Vec<(String, &[u8])> {
        let mut found = Vec::new();
        while !bytes.is_empty() {
            let length = u32::from_be_bytes(bytes[..4].try_into().unwrap()) as usize;
            assert!(
                length >= 8 && length <= bytes.len(),
                "a box of {length} bytes in {}",
                bytes.len()
            );
            found.push((
                String::from_utf8_lossy(&bytes[4..8]).into_owned(),
                &bytes[8..length],
            ));
            bytes = &bytes[length..];
        }
        found
    }

    #[test]
    fn the_start_names_the_picture() {
        let init = init(&[1, 2, 3], 1280, 720);
        let names: Vec<String> = boxes(&init).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["ftyp", "moov"]);
        assert!(init.windows(7).any(|window| window == b"avcC\x01\x02\x03"));
    }

    proptest! {
        #[test]
        fn a_fragment_holds_its_samples_where_it_says(
            number in any::<u32>(),
            decode_time in any::<u64>(),
            samples in proptest::collection::vec(
                (proptest::collection::vec(any::<u8>(), 0..60), 1u32..9_000, any::<bool>())
                    .prop_map(|(bytes, duration, is_sync)| Sample { bytes, duration, is_sync }), 1..20),
        ) {
            let bytes = fragment(number, decode_time, &samples);
            let top = boxes(&bytes);
            prop_assert_eq!(top.len(), 2);
            let traf = boxes(top[0].1)[1].1;
            let trun = boxes(traf)[2].1;
            let word = |at: usize| u32::from_be_bytes(trun[at..at + 4].try_into().unwrap());
            prop_assert_eq!(word(4) as usize, samples.len());
            let mut at = word(8) as usize;
            for (place, sample) in samples.iter().enumerate() {
                prop_assert_eq!(word(12 + 12 * place), sample.duration);
                let length = word(16 + 12 * place) as usize;
                prop_assert_eq!(&bytes[at..at + length], sample.bytes.as_slice());
                at += length;
            }
            prop_assert_eq!(at, bytes.len());
        }
    }
}
