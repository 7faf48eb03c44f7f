//! The preview's playlist (RFC 8216, fragmented MP4).

use std::fmt::Write;

/// A fragment as the playlist names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub number: u64,
    pub duration_ms: u64,
}

/// A live playlist of these fragments, which follow each other.
pub(crate) fn playlist(entries: &[Entry]) -> String {
    let longest_ms = entries.iter().map(|entry| entry.duration_ms).max().unwrap_or(1_000);
    let first = entries.first().map_or(0, |entry| entry.number);
    let mut text = format!(
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:{}\n#EXT-X-MEDIA-SEQUENCE:{first}\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-MAP:URI=\"init.mp4\"\n",
        longest_ms.div_ceil(1_000)
    );
    for Entry { number, duration_ms } in entries {
        // Writing to a string cannot fail.
        let _ = write!(text, "#EXTINF:{}.{:03},\n{number}.m4s\n", duration_ms / 1_000, duration_ms % 1_000);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_playlist_names_its_fragments() {
        let entries = [Entry { number: 7, duration_ms: 960 }, Entry { number: 8, duration_ms: 1_040 }];
        let text = playlist(&entries);
        assert!(text.starts_with("#EXTM3U\n"));
        assert!(text.contains("#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:7\n"));
        assert!(text.ends_with("#EXTINF:0.960,\n7.m4s\n#EXTINF:1.040,\n8.m4s\n"));
    }
}
