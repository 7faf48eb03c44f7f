//! Times as text.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

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
    let at = OffsetDateTime::parse(text, &Rfc3339).map_err(|error| {
        format!("expected RFC 3339 such as 2026-11-20T12:00:00Z, found {text:?} ({error})")
    })?;
    u64::try_from(at.unix_timestamp_nanos() / 1_000_000)
        .map_err(|_| format!("{text:?} is before 1970"))
}

/// A moment as RFC 3339.
pub fn format_moment(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap_or_else(|_| at.to_string())
}
