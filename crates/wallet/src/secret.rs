//! What people keep a key in, told apart by its look.

use crate::mnemonic::{Mnemonic, MnemonicError};
use crate::password::BYTE_ORDER_MARK;
use crate::v3::{Keystore, KeystoreError};
use crate::{NoKey, parse_key};
use secp256k1::SecretKey;
use std::str::FromStr;

/// A key in one of the forms in which it is handed over.
#[derive(Clone, Debug)]
pub enum Secret {
    /// 64 hex digits.
    Key(SecretKey),
    /// The words of BIP-39, of any of its lists.
    Words(Mnemonic),
    /// Web3 secret storage; its password is still needed.
    Keystore(Box<Keystore>),
}

/// Why a text is none of them. Never holds a part of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// It begins as JSON does.
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
    /// It has several words.
    #[error(transparent)]
    Words(#[from] MnemonicError),
    /// It has one word at most.
    #[error("expected words, a key in hex or a keystore")]
    Key(#[from] NoKey),
}

impl FromStr for Secret {
    type Err = SecretError;
    fn from_str(text: &str) -> Result<Self, SecretError> {
        let text = trim_text(text);
        if text.starts_with(['{', '[']) {
            Ok(Self::Keystore(Box::new(Keystore::from_json(text)?)))
        } else if has_words(text) {
            Ok(Self::Words(Mnemonic::from_phrase(text)?))
        } else {
            Ok(Self::Key(parse_key(text)?))
        }
    }
}

/// What editors put around a text is no part of it.
pub(crate) fn trim_text(text: &str) -> &str {
    text.trim_matches(|letter: char| letter.is_whitespace() || letter == BYTE_ORDER_MARK)
}

/// Two words or more, and a letter that no key has.
fn has_words(text: &str) -> bool {
    let separated = text.contains(|letter: char| letter.is_whitespace() || letter == ',');
    let is_in_keys = |letter: char| letter.is_ascii_hexdigit() || matches!(letter, 'x' | 'X');
    separated && text.contains(|letter: char| letter.is_alphabetic() && !is_in_keys(letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    const JUNK: &str = "test test test test test test test test test test test junk";
    const KEY: &str = "0707070707070707070707070707070707070707070707070707070707070707";

    #[test]
    fn a_secret_is_told_by_its_look() {
        let words = [
            JUNK.to_owned(),
            JUNK.replace(' ', ","),
            format!("\u{feff}{JUNK}\r\n"),
        ];
        for text in words {
            assert!(matches!(text.parse(), Ok(Secret::Words(_))), "{text}");
        }

        let keys = [
            KEY.to_owned(),
            format!("0x{KEY}\n"),
            format!("\u{feff}0X{KEY}\r\n"),
        ];
        for text in keys {
            assert!(matches!(text.parse(), Ok(Secret::Key(_))), "{text}");
        }
    }

    #[test]
    fn what_is_none_is_told_by_its_look_too() {
        let error = |text: &str| text.parse::<Secret>().unwrap_err();
        for text in ["", "\u{feff}\n", "0x07", &KEY[1..], "garage", "0707 0707"] {
            assert_eq!(error(text), SecretError::Key(NoKey), "{text}");
        }
        assert_eq!(
            error("garage extend"),
            SecretError::Words(MnemonicError::WordCount { found: 2 })
        );
        for text in ["{", "{}", "[]", "[{\"version\": 3}]"] {
            assert!(matches!(error(text), SecretError::Keystore(_)), "{text}");
        }
    }
}
