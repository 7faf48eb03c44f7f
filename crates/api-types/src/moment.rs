//! Times as text.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The length of `2026-11-20`.
const DATE_BYTES: usize = 10;

/// Milliseconds since the Unix epoch as RFC 3339 in UTC.
pub fn format_time(ms: u64) -> String {
    let nanos = i128::from(ms) * 1_000_000;
    OffsetDateTime::from_unix_timestamp_nanos(nanos)
        .ok()
        .and_then(|at| at.format(&Rfc3339).ok())
        .unwrap_or_else(|| format!("{ms} ms"))
}

/// RFC 3339 as milliseconds since the Unix epoch.
pub fn parse_time(text: &str) -> Result<u64, String> {
    let refused = |why: &str| {
        format!("expected RFC 3339 such as 2026-11-20T12:00:00Z, found {text:?} ({why})")
    };

    // The library takes any character here; RFC 3339 speaks of T, of t, and of a space for readability.
    if text.len() > DATE_BYTES && !matches!(text.as_bytes()[DATE_BYTES], b'T' | b't' | b' ') {
        return Err(refused("a T belongs between date and time"));
    }

    let at = OffsetDateTime::parse(text, &Rfc3339).map_err(|error| refused(&error.to_string()))?;
    u64::try_from(at.unix_timestamp_nanos() / 1_000_000)
        .map_err(|_| format!("{text:?} is before 1970"))
}

/// A moment as RFC 3339.
pub fn format_moment(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap_or_else(|_| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_some_spellings_and_no_others() {
        let ms = 1_795_176_000_123;
        assert_eq!(format_time(ms), "2026-11-20T12:00:00.123Z");
        for same in [
            "2026-11-20T12:00:00.123Z",
            "2026-11-20t12:00:00.123z",
            "2026-11-20 12:00:00.123Z",
            "2026-11-20T16:00:00.123+04:00",
            "2026-11-20T12:00:00.123-00:00",
            "2026-11-20T12:00:00.123999999Z",
        ] {
            assert_eq!(parse_time(same), Ok(ms), "{same}");
        }

        for wrong in [
            "2026-11-20X12:00:00Z",
            "2026-11-20é12:00:00Z",
            "2026-11-20T12:00:00",
            "2026-11-20T12:00:00+0000",
            "2026-11-20T24:00:00Z",
            "+2026-11-20T12:00:00Z",
            "2026-11-20",
            "1795176000123",
            "1969-12-31T23:59:59Z",
            "yesterday",
            "",
        ] {
            assert!(parse_time(wrong).is_err(), "{wrong}");
        }
    }
}
