//! The preview's playlist (RFC 8216, fragmented MP4).

use std::fmt::Write;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A fragment as the playlist names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub number: u64,
    pub duration_ms: u64,
    /// When its first picture was taken.
    pub taken_at_ms: u64,
}

/// A time of day as playlists write it, so that a reader can tell how far behind it is.
fn format_date(at_ms: u64) -> String {
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at_ms) * 1_000_000);
    at.ok()
        .and_then(|at| at.format(&Rfc3339).ok())
        .unwrap_or_else(|| "1970-01-01T00:00:00Z".to_owned())
}

/// A live playlist of these fragments, which follow each other.
pub(crate) fn playlist(entries: &[Entry]) -> String {
    let longest_ms = entries
        .iter()
        .map(|entry| entry.duration_ms)
        .max()
        .unwrap_or(1_000);
    let first = entries.first().map_or(0, |entry| entry.number);
    let mut text = format!(
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:{}\n#EXT-X-MEDIA-SEQUENCE:{first}\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-MAP:URI=\"init.mp4\"\n",
        longest_ms.div_ceil(1_000)
    );
    for Entry {
        number,
        duration_ms,
        taken_at_ms,
    } in entries
    {
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "#EXT-X-PROGRAM-DATE-TIME:{}\n#EXTINF:{}.{:03},\n{number}.m4s\n",
            format_date(*taken_at_ms),
            duration_ms / 1_000,
            duration_ms % 1_000
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_playlist_names_its_fragments() {
        let entry = |number, duration_ms| Entry {
            number,
            duration_ms,
            taken_at_ms: 1_795_823_583_156,
        };
        let text = playlist(&[entry(7, 960), entry(8, 1_040)]);
        assert!(text.starts_with("#EXTM3U\n"));
        assert!(text.contains("#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:7\n"));
        let last = "#EXT-X-PROGRAM-DATE-TIME:2026-11-27T23:53:03.156Z\n#EXTINF:1.040,\n8.m4s\n";
        assert!(text.ends_with(last), "{text}");
    }
}
