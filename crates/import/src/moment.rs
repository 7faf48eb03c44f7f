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

const YEAR_2000_MS: i64 = 946_684_800_000;
const YEAR_3000_S: i64 = 32_503_680_000;

/// Letters that stand behind times, with the minutes from UTC that they may mean.
const ZONE_LETTERS: [(&str, &[i32]); 52] = [
    ("UTC", &[0]),
    ("Z", &[0]),
    ("GMT", &[0]),
    ("WET", &[0]),
    ("WEST", &[60]),
    ("BST", &[60, 360]),
    ("CET", &[60]),
    ("CEST", &[120]),
    ("MEZ", &[60]),
    ("MESZ", &[120]),
    ("EET", &[120]),
    ("EEST", &[180]),
    ("MSK", &[180]),
    ("SAMT", &[240]),
    ("YEKT", &[300]),
    ("TRT", &[180]),
    ("GET", &[240]),
    ("AMT", &[240, -240]),
    ("AZT", &[240]),
    ("AZST", &[300]),
    ("GST", &[240]),
    ("ALMT", &[300, 360]),
    ("UZT", &[300]),
    ("PKT", &[300]),
    ("IST", &[330, 120, 60]),
    ("IDT", &[180]),
    ("SGT", &[480]),
    ("HKT", &[480]),
    ("JST", &[540]),
    ("KST", &[540]),
    ("AWST", &[480]),
    ("ACST", &[570]),
    ("ACDT", &[630]),
    ("AEST", &[600]),
    ("AEDT", &[660]),
    ("NZST", &[720]),
    ("NZDT", &[780]),
    ("SAST", &[120]),
    ("EAT", &[180]),
    ("WAT", &[60]),
    ("CAT", &[120]),
    ("AST", &[-240, 180]),
    ("ADT", &[-180]),
    ("EST", &[-300]),
    ("EDT", &[-240]),
    ("CST", &[-360, 480, -300]),
    ("CDT", &[-300]),
    ("MST", &[-420, 480]),
    ("MDT", &[-360]),
    ("PST", &[-480, 480]),
    ("PDT", &[-420]),
    ("HST", &[-600]),
];

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
        Some("unix") => parse_unix(text, zone),
        Some("unix_ms") => parse_unix_ms(text, zone),
        Some(format) => parse_formatted(text, format, rule, zone),
    }
}

/// The zone of a name that can mean one only. The error says what is allowed.
pub(crate) fn find_zone(name: &str) -> Result<TimeZone, String> {
    let name = name.trim();
    let upper = name.to_uppercase();
    if upper.starts_with("ETC/GMT") && upper.contains(['+', '-']) {
        return Err(format!(
            "a place such as Asia/Tbilisi, not {name:?}: the signs of such zones are turned, Etc/GMT+4 is four hours behind UTC"
        ));
    }
    if !name.contains('/') && upper != "UTC" {
        return Err(format!(
            "a zone's IANA name, a place such as Asia/Tbilisi, not {name:?}: letters such as EST keep one offset all year, or stand for several zones"
        ));
    }
    TimeZone::get(name)
        .map_err(|_| format!("a zone's IANA name such as Asia/Tbilisi, not {name:?}"))
}

fn parse_unix(text: &str, zone: Option<TimeZone>) -> Result<Moment, String> {
    let allowed = "a whole number of seconds since 1970";
    let count: i64 = text.parse().map_err(|_| allowed)?;
    if count >= YEAR_3000_S {
        return Err(format!(
            "{allowed}; these look like milliseconds: say time.format = \"unix_ms\""
        ));
    }
    moment_of(Timestamp::from_second(count), zone)
}

fn parse_unix_ms(text: &str, zone: Option<TimeZone>) -> Result<Moment, String> {
    let allowed = "a whole number of milliseconds since 1970";
    let count: i64 = text.parse().map_err(|_| allowed)?;
    if (0..YEAR_2000_MS).contains(&count) {
        return Err(format!(
            "{allowed}; these look like seconds: say time.format = \"unix\""
        ));
    }
    moment_of(Timestamp::from_millisecond(count), zone)
}

fn moment_of(at: Result<Timestamp, jiff::Error>, zone: Option<TimeZone>) -> Result<Moment, String> {
    let at = at.map_err(|error| error.to_string())?;
    to_moment(&at.to_zoned(zone.unwrap_or(TimeZone::UTC)))
}

fn to_moment(at: &Zoned) -> Result<Moment, String> {
    let ms = at.timestamp().as_millisecond();
    if ms < YEAR_2000_MS {
        return Err("a time after the year 2000".into());
    }
    Ok(Moment {
        ms: u64::try_from(ms).map_err(|_| "a time after 1970")?,
        day: at.date(),
    })
}

/// RFC 3339, or ISO 8601 without an offset in the zone. A zone in brackets behind it is the time's own.
fn parse_iso(text: &str, rule: &TimeRule, zone: Option<TimeZone>) -> Result<Moment, String> {
    if let Some((local, named)) = text.split_once('[') {
        let named = find_zone(named.trim_end_matches(']'))?;
        if local.parse::<Timestamp>().is_err() {
            return parse_local(local, rule, named);
        }
        let at: Zoned = text
            .parse()
            .map_err(|_| "a time whose offset is that of the zone in brackets")?;
        return to_moment(&at);
    }

    if let Ok(at) = text.parse::<Timestamp>() {
        let own_day = text.parse::<DateTime>().map(DateTime::date);
        let moment = moment_of(Ok(at), zone.clone())?;
        return Ok(match (own_day, zone) {
            (Ok(day), None) => Moment { day, ..moment },
            _ => moment,
        });
    }
    parse_local(text, rule, zone.ok_or(ASK_FOR_ZONE)?)
}

fn parse_local(text: &str, rule: &TimeRule, zone: TimeZone) -> Result<Moment, String> {
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
    let (bare_format, text, letters) = split_letters(format, text);
    let parsed = jiff::fmt::strtime::parse(bare_format, text)
        .map_err(|_| format!("a time of the form {format:?}"))?;
    if parsed.hour().is_none() {
        return Err("a time of day: a day alone is none, so say a format with hours".into());
    }
    if parsed.year().is_some_and(|year| year < 100) {
        return Err("a year of four digits; of two, say %y instead of %Y in time.format".into());
    }
    if let Ok(at) = parsed.to_zoned() {
        return to_moment(&at);
    }

    let at = parsed.to_datetime().map_err(|error| error.to_string())?;
    let zone = zone.ok_or("its zone: say time.zone (Asia/Tbilisi) in the map")?;
    let at = resolve_local(at, rule, zone)?;
    check_letters(letters, &at)?;
    to_moment(&at)
}

/// The letters of a zone at the end of a time, where the format has them.
fn split_letters<'t>(format: &'t str, text: &'t str) -> (&'t str, &'t str, &'t str) {
    let Some(bare) = format.strip_suffix("%Z") else {
        return (format, text, "");
    };
    let rest = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let letters = &text[rest.len()..];
    match letters.to_ascii_uppercase().as_str() {
        "AM" | "PM" => (bare, text, ""),
        _ => (bare, rest, letters),
    }
}

/// Letters name no zone, but they may contradict the one of the map.
fn check_letters(letters: &str, at: &Zoned) -> Result<(), String> {
    let upper = letters.to_ascii_uppercase();
    let info = at.time_zone().to_offset_info(at.timestamp());
    if letters.is_empty() || info.abbreviation() == upper {
        return Ok(());
    }

    let minutes = at.offset().seconds() / 60;
    let known = ZONE_LETTERS.iter().find(|(known, _)| *known == upper);
    match known {
        Some((_, offsets)) if offsets.contains(&minutes) => Ok(()),
        _ => Err(format!(
            "no {letters:?} behind a time there: the map's zone is {} minutes from UTC then",
            minutes
        )),
    }
}

/// The directives of a format, without flags and widths.
fn directives(format: &str) -> Vec<char> {
    let mut found = Vec::new();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c == '%' {
            let is_flag = |c: &char| matches!(c, '-' | '_' | '^' | '#' | ':') || c.is_ascii_digit();
            found.extend(chars.find(|c| !is_flag(c)));
        }
    }
    found
}

/// Whether a format has hours of half a day and nothing that says which half.
pub(crate) fn is_half_day(format: &str) -> bool {
    let found = directives(format);
    let has = |wanted: &[char]| found.iter().any(|c| wanted.contains(c));
    has(&['I', 'l']) && !has(&['p', 'P', 'r'])
}

/// Whether a time does not fit the map's format, but does with day and month exchanged: then no time of the file can
/// be believed.
pub(crate) fn disproves_format(text: &str, rule: &TimeRule) -> bool {
    let Some(format) = rule.format.as_deref() else {
        return false;
    };
    let found = directives(format);
    if !found.contains(&'d') || !found.contains(&'m') {
        return false;
    }

    let fits = |format: &str| {
        let (format, text, _) = split_letters(format, text);
        jiff::fmt::strtime::parse(format, text).is_ok_and(|parsed| parsed.to_date().is_ok())
    };
    if fits(format) {
        return false;
    }
    let exchanged: String = format
        .split('%')
        .map(|part| match part.chars().next() {
            Some('d') => format!("%m{}", &part[1..]),
            Some('m') => format!("%d{}", &part[1..]),
            _ => format!("%{part}"),
        })
        .collect();
    fits(&exchanged[1..])
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
    fn letters_and_brackets_behind_a_time_do_not_contradict() {
        let clover = rule(Some("%d-%b-%Y %I:%M %p %Z"), Some("Asia/Tbilisi"));
        for (letters, is_good) in [("GET", true), ("", true), ("EST", false), ("XYZ", false)] {
            let found = read(&format!("20-Nov-2026 05:18 PM {letters}"), &clover);
            assert_eq!(found.is_ok(), is_good, "{letters}: {found:?}");
        }
        let york = rule(Some("%d-%b-%Y %I:%M %p %Z"), Some("America/New_York"));
        assert!(read("20-Nov-2026 05:18 PM EST", &york).is_ok());
        assert!(read("20-Nov-2026 05:18 PM EDT", &york).is_err());

        let iso = rule(None, Some("Asia/Tbilisi"));
        let expected = Ok("2026-11-20T22:18:00Z 2026-11-20".to_owned());
        for text in [
            "2026-11-20T17:18:00[America/New_York]",
            "2026-11-20T17:18:00-05:00[America/New_York]",
        ] {
            assert_eq!(read(text, &iso), expected, "{text}");
        }
        assert!(read("2026-11-20T17:18:00+04:00[America/New_York]", &iso).is_err());
        assert!(read("2026-11-20T17:18:00[EST]", &iso).is_err());
    }

    #[test]
    fn zones_whose_names_mislead_are_refused_with_the_reason() {
        for (name, why) in [
            ("Etc/GMT+4", "behind UTC"),
            ("EST", "several zones"),
            ("GMT+4", "several zones"),
            ("CET", "several zones"),
        ] {
            let refused = find_zone(name).unwrap_err();
            assert!(refused.contains(why), "{name}: {refused}");
        }
        assert!(find_zone("UTC").is_ok() && find_zone("Asia/Tbilisi").is_ok());
    }

    #[test]
    fn units_and_years_that_are_not_the_format_s_are_named() {
        let unix = rule(Some("unix"), None);
        assert!(
            read("1795180680000", &unix)
                .unwrap_err()
                .contains("unix_ms")
        );
        let unix_ms = rule(Some("unix_ms"), None);
        assert!(
            read("1795180680", &unix_ms)
                .unwrap_err()
                .contains("\"unix\"")
        );
        let year = rule(Some("%d.%m.%Y %H:%M"), Some("Asia/Tbilisi"));
        assert!(read("20.11.26 17:18", &year).unwrap_err().contains("%y"));
    }

    #[test]
    fn a_format_is_disproved_by_a_day_that_is_no_month() {
        let rule = |format| rule(Some(format), None);
        assert!(disproves_format(
            "11/20/2026 17:18",
            &rule("%d/%m/%Y %H:%M")
        ));
        assert!(disproves_format(
            "20.11.26 5:18 PM",
            &rule("%m.%d.%y %I:%M %p")
        ));
        assert!(!disproves_format(
            "10/11/2026 17:18",
            &rule("%d/%m/%Y %H:%M")
        ));
        assert!(!disproves_format("soon", &rule("%d/%m/%Y %H:%M")));
        assert!(is_half_day("%d.%m.%Y %I:%M") && is_half_day("%-I:%M"));
        assert!(!is_half_day("%d.%m.%Y %I:%M %p") && !is_half_day("%H:%M"));
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
