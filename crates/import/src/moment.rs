//! Times as tills write them. A time that may be two moments, or none, is refused unless the map names the rule.

use crate::map::{RepeatedTime, SkippedTime, TimeRule};
use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, Zoned};

/// When an order was paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Milliseconds since the Unix epoch.
    pub ms: u64,
    /// The day at the outlet, or where the time says that it is.
    pub day: Date,
}

const ASK_FOR_ZONE: &str = "a time with its offset, such as 2026-11-20T12:00:00+04:00; for local times say time.zone (Asia/Tbilisi) in the map, \
     and time.format for any other form";

/// Reads a time by the map's rule; `zone` is what the row says of it. The error says what is allowed.
pub(crate) fn parse_moment(
    text: &str,
    rule: &TimeRule,
    zone: Option<&str>,
) -> Result<Moment, String> {
    let zone = zone.or(rule.zone.as_deref()).map(find_zone).transpose()?;

    match rule.format.as_deref() {
        None => parse_iso(text, rule, zone),
        Some("unix") => count_of(text).and_then(|s| moment_of(Timestamp::from_second(s), zone)),
        Some("unix_ms") => {
            count_of(text).and_then(|ms| moment_of(Timestamp::from_millisecond(ms), zone))
        }
        Some(format) => parse_formatted(text, format, rule, zone),
    }
}

fn find_zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name.trim())
        .map_err(|_| format!("a zone's IANA name such as Asia/Tbilisi, not {name:?}"))
}

fn count_of(text: &str) -> Result<i64, String> {
    text.parse()
        .map_err(|_| "a whole number of seconds or milliseconds since 1970".into())
}

fn moment_of(at: Result<Timestamp, jiff::Error>, zone: Option<TimeZone>) -> Result<Moment, String> {
    let at = at.map_err(|error| error.to_string())?;
    to_moment(&at.to_zoned(zone.unwrap_or(TimeZone::UTC)))
}

fn to_moment(at: &Zoned) -> Result<Moment, String> {
    let ms = at.timestamp().as_millisecond();
    Ok(Moment {
        ms: u64::try_from(ms).map_err(|_| "a time after 1970")?,
        day: at.date(),
    })
}

/// RFC 3339, or ISO 8601 without an offset in the zone.
fn parse_iso(text: &str, rule: &TimeRule, zone: Option<TimeZone>) -> Result<Moment, String> {
    if let Ok(at) = text.parse::<Timestamp>() {
        let own_day = text.parse::<DateTime>().map(DateTime::date);
        let moment = moment_of(Ok(at), zone.clone())?;
        return Ok(match (own_day, zone) {
            (Ok(day), None) => Moment { day, ..moment },
            _ => moment,
        });
    }

    let zone = zone.ok_or(ASK_FOR_ZONE)?;
    // A day alone is no time.
    let has_time = text.contains(':');
    let at = text.parse::<DateTime>().ok().filter(|_| has_time);
    let at = at.ok_or("a time such as 2026-11-20 17:18, or time.format in the map")?;

    to_moment(&resolve_local(at, rule, zone)?)
}

fn parse_formatted(
    text: &str,
    format: &str,
    rule: &TimeRule,
    zone: Option<TimeZone>,
) -> Result<Moment, String> {
    let allowed = || format!("a time of the form {format:?}");
    let (format, text) = match format.strip_suffix("%Z") {
        Some(format) => (
            format,
            text.trim_end_matches(|c: char| c.is_ascii_alphabetic()),
        ),
        None => (format, text),
    };
    let parsed = jiff::fmt::strtime::parse(format, text).map_err(|_| allowed())?;
    if parsed.hour().is_none() {
        return Err("a time of day: a day alone is none, so say a format with hours".into());
    }
    if let Ok(at) = parsed.to_zoned() {
        return to_moment(&at);
    }

    let at = parsed.to_datetime().map_err(|_| allowed())?;
    let zone = zone.ok_or("its zone: say time.zone (Asia/Tbilisi) in the map")?;
    to_moment(&resolve_local(at, rule, zone)?)
}

/// Clocks that are set skip an hour in spring and repeat one in autumn.
fn resolve_local(at: DateTime, rule: &TimeRule, zone: TimeZone) -> Result<Zoned, String> {
    let ambiguous = zone.to_ambiguous_zoned(at);
    let resolved = match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } => ambiguous.unambiguous(),
        AmbiguousOffset::Gap { .. } => match rule.skipped {
            Some(SkippedTime::Later) => ambiguous.later(),
            Some(SkippedTime::Earlier) => ambiguous.earlier(),
            None => {
                return Err(
                    "a time that clocks there did not skip: say time.skipped (later or earlier) in the map".into(),
                );
            }
        },
        AmbiguousOffset::Fold { .. } => match rule.repeated {
            Some(RepeatedTime::First) => ambiguous.earlier(),
            Some(RepeatedTime::Second) => ambiguous.later(),
            None => {
                return Err(
                    "a time that clocks there did not show twice: say time.repeated (first or second) in the map"
                        .into(),
                );
            }
        },
    };

    resolved.map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rule(format: Option<&str>, zone: Option<&str>) -> TimeRule {
        TimeRule {
            format: format.map(str::to_owned),
            zone: zone.map(str::to_owned),
            ..TimeRule::default()
        }
    }

    fn read(text: &str, rule: &TimeRule) -> Result<String, String> {
        let moment = parse_moment(text, rule, None)?;
        let at = Timestamp::from_millisecond(i64::try_from(moment.ms).unwrap()).unwrap();
        Ok(format!("{at} {}", moment.day))
    }

    #[test]
    fn times_with_their_offset_need_no_rule() {
        let expected = Ok("2026-11-20T06:00:00Z 2026-11-20".to_owned());
        for text in [
            "2026-11-20T10:00:00+04:00",
            "2026-11-20 10:00:00+04:00",
            "2026-11-20T10:00:00+0400",
            "2026-11-20T06:00:00z",
        ] {
            assert_eq!(read(text, &rule(None, None)), expected, "{text}");
        }
        assert_eq!(
            read("2026-11-20T00:30:00+04:00", &rule(None, None)),
            Ok("2026-11-19T20:30:00Z 2026-11-20".into())
        );
    }

    #[test]
    fn a_local_time_asks_for_its_zone() {
        for text in [
            "2026-11-20 10:00:00",
            "20.11.2026 10:00",
            "11/20/26 5:18 PM",
            "2026-11-20T10:00:00",
            "1763618400",
            "2026-11-20",
        ] {
            let refused = read(text, &rule(None, None)).unwrap_err();
            assert!(refused.contains("time.zone"), "{text}: {refused}");
        }
    }

    #[test]
    fn forms_of_other_tills() {
        let tbilisi = |format| rule(format, Some("Asia/Tbilisi"));
        let expected = Ok("2026-11-20T13:18:00Z 2026-11-20".to_owned());
        assert_eq!(read("2026-11-20 17:18", &tbilisi(None)), expected);
        assert_eq!(
            read("11/20/26 5:18 PM", &tbilisi(Some("%m/%d/%y %I:%M %p"))),
            expected
        );
        assert_eq!(
            read("20.11.2026 17:18", &tbilisi(Some("%d.%m.%Y %H:%M"))),
            expected
        );
        assert_eq!(
            read(
                "20-Nov-2026 05:18 PM GET",
                &tbilisi(Some("%d-%b-%Y %I:%M %p %Z"))
            ),
            expected
        );
        assert_eq!(read("1795180680", &tbilisi(Some("unix"))), expected);
        assert!(read("20.11.2026", &tbilisi(Some("%d.%m.%Y"))).is_err());
        assert!(read("20.13.2026 17:18", &tbilisi(Some("%d.%m.%Y %H:%M"))).is_err());
    }

    #[test]
    fn a_time_that_clocks_skip_or_repeat_needs_a_rule() {
        let berlin = rule(None, Some("Europe/Berlin"));
        let (skipped, repeated) = ("2026-03-29 02:30", "2026-10-25 02:30");
        assert!(read(skipped, &berlin).unwrap_err().contains("time.skipped"));
        assert!(
            read(repeated, &berlin)
                .unwrap_err()
                .contains("time.repeated")
        );

        let ruled = TimeRule {
            skipped: Some(SkippedTime::Later),
            repeated: Some(RepeatedTime::Second),
            ..berlin
        };
        assert_eq!(
            read(skipped, &ruled),
            Ok("2026-03-29T01:30:00Z 2026-03-29".into())
        );
        assert_eq!(
            read(repeated, &ruled),
            Ok("2026-10-25T01:30:00Z 2026-10-25".into())
        );
    }

    proptest! {
        #[test]
        fn anything_is_read_or_refused(text in ".{0,30}", format in ".{0,10}") {
            let _ = parse_moment(&text, &rule(None, Some("Asia/Tbilisi")), None);
            let _ = parse_moment(&text, &rule(Some(&format), Some("Asia/Tbilisi")), None);
        }
    }
}
