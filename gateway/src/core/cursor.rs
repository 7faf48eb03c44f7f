//! Where a page of sales ends: height and place of its last sale.

/// The text of a cursor.
pub fn format((height, place): (u64, u64)) -> String {
    format!("{height}.{place}")
}

/// Reads a cursor of ours.
pub fn parse(text: &str) -> Result<(u64, u64), String> {
    let parts = text
        .split_once('.')
        .and_then(|(height, place)| Some((height.parse().ok()?, place.parse().ok()?)));
    parts.ok_or_else(|| format!("a cursor is what next_cursor said, such as 12.3; found {text:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(height: u64, place: u64) {
            prop_assert_eq!(parse(&format((height, place))), Ok((height, place)));
        }

        #[test]
        fn nonsense_is_refused_and_never_panics(text in ".{0,40}") {
            if let Ok(cursor) = parse(&text) {
                prop_assert!(text.contains('.') && format(cursor).len() <= text.len());
            }
        }
    }
}
