//! Pages of a list, newest first: what is asked for, and how it is answered.

use crate::core::cursor;
use api_types::{AsOf, PageAsOf};
use problem::Refusal;
use std::str::FromStr;

/// Rows of one page.
const LIMIT: i64 = 20;
/// The most of them.
const LIMIT_MAX: i64 = 100;

/// The page that a reader asks for, newest rows first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// So many rows.
    pub limit: i64,
    /// Before this (height, place).
    pub before: Option<(u64, u64)>,
}

impl Wanted {
    /// Reads `limit` and `cursor`.
    pub fn parse(limit: Option<&str>, cursor: Option<&str>) -> Result<Self, Refusal> {
        let allowed = format!("a number from 1 to {LIMIT_MAX}");
        let limit = parse_field::<i64>("limit", limit, &allowed)?.unwrap_or(LIMIT);
        if !(1..=LIMIT_MAX).contains(&limit) {
            return Err(Refusal::bad_field(
                "limit",
                format!("limit is {allowed}, found {limit}"),
            ));
        }

        let before = cursor.map(cursor::parse).transpose();
        Ok(Self {
            limit,
            before: before.map_err(|detail| Refusal::bad_field("cursor", detail))?,
        })
    }

    /// One more than asked for says whether there are more.
    pub const fn rows(&self) -> i64 {
        self.limit + 1
    }

    /// The page of what was found; `place` is where a row stands.
    pub fn answer<T>(
        &self,
        mut rows: Vec<T>,
        as_of: AsOf,
        place: impl Fn(&T) -> (u64, u64),
    ) -> PageAsOf<T> {
        let wanted = usize::try_from(self.limit).unwrap_or_default();
        let has_more = rows.len() > wanted;
        rows.truncate(wanted);
        let last = rows.last().filter(|_| has_more);
        let next_cursor = last.map(|row| cursor::format(place(row)));

        PageAsOf {
            data: rows,
            next_cursor,
            has_more,
            as_of,
        }
    }
}

/// A value of the query; the refusal says what is allowed.
pub fn parse_field<T: FromStr>(
    field: &str,
    text: Option<&str>,
    allowed: &str,
) -> Result<Option<T>, Refusal> {
    let refused =
        |found: &str| Refusal::bad_field(field, format!("{field} is {allowed}, found {found:?}"));
    text.map(|text| text.parse().map_err(|_| refused(text)))
        .transpose()
}
