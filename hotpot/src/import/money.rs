//! Prices as people write them, to integers of the smallest unit.

/// Reads a price such as `$16.98`, `16,98 ₾`, `1.234,50` or `1,234.50`.
/// The error says what is allowed.
pub fn parse(text: &str, exponent: u32) -> Result<u64, String> {
    let digits = exponent as usize;
    let allowed = || {
        format!("a price of at least 0 with at most {exponent} decimals, such as 16.98 or 16,98")
    };

    let bare = bare_number(text).ok_or_else(allowed)?;
    let (whole, fraction) = split_decimals(&bare, digits);
    let whole = ungroup_digits(whole).ok_or_else(allowed)?;
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > digits || !fraction.chars().all(|c| c.is_ascii_digit()) {
        return Err(allowed());
    }

    let units = format!("{whole}{fraction:0<digits$}");
    units.parse().map_err(|_| allowed())
}

/// Digits and separators only, or nothing if there is anything else than a currency sign around them.
fn bare_number(text: &str) -> Option<String> {
    let is_sign = |c: char| c.is_whitespace() || c.is_alphabetic() || "$€£₾¥₽'".contains(c);
    let bare: String = text.chars().filter(|c| !is_sign(*c)).collect();
    let well_formed = bare
        .chars()
        .all(|c| c.is_ascii_digit() || c == '.' || c == ',');
    (well_formed && bare.chars().any(|c| c.is_ascii_digit())).then_some(bare)
}

/// The digits of a whole number, with or without one kind of separator between thousands.
fn ungroup_digits(whole: &str) -> Option<String> {
    let separator = whole.chars().find(|c| !c.is_ascii_digit());
    let Some(separator) = separator else {
        return (!whole.is_empty()).then(|| whole.to_owned());
    };
    let groups: Vec<&str> = whole.split(separator).collect();
    let first_fits = (1..=3).contains(&groups[0].len());
    let is_group = |group: &&str| group.len() == 3 && group.chars().all(|c| c.is_ascii_digit());
    (first_fits && groups[1..].iter().all(is_group)).then(|| groups.concat())
}

/// The last separator is the decimal one, unless it is the only one of a group of three digits.
fn split_decimals(bare: &str, digits: usize) -> (&str, &str) {
    let Some(last) = bare.rfind(['.', ',']) else {
        return (bare, "");
    };

    let fraction = &bare[last + 1..];
    let repeated = bare.matches(&bare[last..=last]).count() > 1;
    let mixed = bare.contains('.') && bare.contains(',');
    let is_group = (1..=3).contains(&last) && !bare.starts_with('0') && fraction.len() == 3;
    let groups_thousands = repeated || (!mixed && is_group && digits != 3);

    if groups_thousands {
        (bare, "")
    } else {
        (&bare[..last], fraction)
    }
}

#[cfg(test)]
mod tests {
    use super::parse;
    use proptest::prelude::*;

    #[test]
    fn prices_of_many_countries() {
        let cases = [
            ("$16.98 ", 1698),
            ("16,98 ₾", 1698),
            ("GEL 7", 700),
            ("1.234,50", 123_450),
            ("1,234.50", 123_450),
            ("1,234", 123_400),
            ("1.234.567", 123_456_700),
            ("2.5", 250),
            ("2.500,00", 250_000),
            ("0.10", 10),
            ("3.9900", 399),
            ("0.500", 50),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text, 2), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_price_is_refused() {
        for text in [
            "",
            "-1.00",
            "free",
            "1.9999",
            "1/2",
            "12.3.4,5",
            "1,2,3",
            ".",
            "99999999999999999999999",
        ] {
            assert!(parse(text, 2).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(units in 0u64..1_000_000_000) {
            let (whole, fraction) = (units / 100, units % 100);
            prop_assert_eq!(parse(&format!("${whole}.{fraction:02} "), 2), Ok(units));
            prop_assert_eq!(parse(&format!("{whole},{fraction:02}"), 2), Ok(units));
        }

        #[test]
        fn anything_is_read_or_refused(text in ".{0,30}", exponent in 0u32..5) {
            let _ = parse(&text, exponent);
        }
    }
}
