//! Passwords: what of a file is one, and the bytes that tools make of it.

use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// What Windows writes in front of a text.
pub(crate) const BYTE_ORDER_MARK: char = '\u{feff}';

/// The password in a file: its first line without the line's end. Every other character counts, as for geth.
pub fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// The forms of a password, the likeliest first. geth takes the bytes as typed, ethers normalises them to NFKC, and
/// one keyboard types decomposed letters where another types composed ones. Each costs a whole derivation, so forms
/// with the same bytes are one: a password in ASCII has one form.
pub(crate) fn password_forms(typed: &str) -> Vec<Zeroizing<String>> {
    let bare = typed.trim_start_matches(BYTE_ORDER_MARK);
    let mut forms = Vec::new();

    for form in [
        typed.to_owned(),
        bare.to_owned(),
        bare.nfkc().collect(),
        bare.nfc().collect(),
        bare.nfd().collect(),
        bare.nfkd().collect(),
    ] {
        let form = Zeroizing::new(form);
        if !forms.contains(&form) {
            forms.push(form);
        }
    }

    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_of_the_line_is_cut_off() {
        for (text, password) in [
            ("one\ntwo\n", "one"),
            ("one\r\n", "one"),
            (" one \n", " one "),
            ("one", "one"),
            ("\n", ""),
            ("", ""),
        ] {
            assert_eq!(first_line(text), password, "{text:?}");
        }
    }

    #[test]
    fn a_password_has_as_many_forms_as_it_has_spellings() {
        let count = |typed: &str| password_forms(typed).len();
        assert_eq!(count("correct horse"), 1);
        assert_eq!(count(""), 1);
        assert_eq!(count("ხინკალი"), 1, "no Georgian letter decomposes");
        assert_eq!(count("pässword"), 2);
        assert_eq!(count("\u{feff}one"), 2);

        // A ligature and an accent differ in all four.
        let forms = password_forms("\u{fb01}le\u{301}");
        let forms: Vec<&str> = forms.iter().map(|form| form.as_str()).collect();
        assert_eq!(
            forms,
            ["\u{fb01}le\u{301}", "filé", "\u{fb01}lé", "file\u{301}"]
        );
    }
}
