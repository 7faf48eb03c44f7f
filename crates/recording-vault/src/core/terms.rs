//! Under which key a segment is encrypted, and how long it is kept.

use domain::B256;
use std::fmt;
use std::str::FromStr;

/// A day of the clock of the ledger (UTC).
pub const DAY_MS: u64 = 86_400_000;
/// No basis allows more.
pub const DAYS_MAX: u32 = 30;

/// What a recording is allowed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terms {
    /// A guest's consent: one key for all that it covers.
    Guest {
        /// Days until it is erased without a revocation, 1 to 30.
        keep_days: u32,
    },
    /// The owner's legal basis: a key for each camera and day.
    LegalBasis {
        /// As recorded on the ledger, 1 to 30.
        retention_days: u32,
    },
}

impl Terms {
    fn days(self) -> u32 {
        let (Self::Guest { keep_days: days }
        | Self::LegalBasis {
            retention_days: days,
        }) = self;
        days.clamp(1, DAYS_MAX)
    }

    /// When a segment is erased: never later than so many days after its first frame. All that a camera recorded on one
    /// day under a legal basis goes at once.
    pub fn keep_until_ms(self, started_at_ms: u64) -> u64 {
        let from = match self {
            Self::Guest { .. } => started_at_ms,
            Self::LegalBasis { .. } => started_at_ms - started_at_ms % DAY_MS,
        };
        from.saturating_add(u64::from(self.days()) * DAY_MS)
    }

    /// The key of a segment.
    pub fn key(self, consent: B256, camera: u64, started_at_ms: u64) -> KeyName {
        match self {
            Self::Guest { .. } => KeyName::Consent { consent },
            Self::LegalBasis { .. } => KeyName::Day {
                consent,
                camera,
                day: started_at_ms / DAY_MS,
            },
        }
    }
}

/// Names a key that several segments share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyName {
    /// Of a guest's consent.
    Consent {
        /// The guest's consent, by its transaction's id.
        consent: B256,
    },
    /// Of a camera's day under a legal basis.
    Day {
        /// The legal basis, by its transaction's id.
        consent: B256,
        /// The outlet's number of the camera.
        camera: u64,
        /// Which day, counted from 1970-01-01.
        day: u64,
    },
}

impl KeyName {
    /// The consent or legal basis that the key serves.
    pub fn consent(&self) -> B256 {
        let (Self::Consent { consent } | Self::Day { consent, .. }) = self;
        *consent
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Consent { consent } => write!(f, "consent-{}", hex::encode(consent)),
            Self::Day {
                consent,
                camera,
                day,
            } => write!(f, "day-{}-{camera}-{day}", hex::encode(consent)),
        }
    }
}

/// What was read names no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected consent-HEX or day-HEX-CAMERA-DAY, found {found:?}")]
pub struct NoKeyName {
    found: String,
}

impl FromStr for KeyName {
    type Err = NoKeyName;
    fn from_str(text: &str) -> Result<Self, NoKeyName> {
        let parts: Vec<&str> = text.split('-').collect();
        let consent = |digits: &str| {
            <[u8; 32]>::try_from(hex::decode(digits).ok()?)
                .ok()
                .map(B256::from)
        };
        let number = |digits: &str| digits.parse::<u64>().ok();

        let parsed = match parts.as_slice() {
            ["consent", digits] => consent(digits).map(|consent| Self::Consent { consent }),
            ["day", digits, camera, day] => (|| {
                Some(Self::Day {
                    consent: consent(digits)?,
                    camera: number(camera)?,
                    day: number(day)?,
                })
            })(),
            _ => None,
        };

        parsed
            .filter(|name| name.to_string() == text)
            .ok_or_else(|| NoKeyName {
                found: text.chars().take(120).collect(),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_is_kept_longer_than_its_basis_allows() {
        let noon = 20_000 * DAY_MS + DAY_MS / 2;
        assert_eq!(
            Terms::Guest { keep_days: 7 }.keep_until_ms(noon),
            noon + 7 * DAY_MS
        );
        assert_eq!(
            Terms::LegalBasis { retention_days: 3 }.keep_until_ms(noon),
            20_003 * DAY_MS
        );
        assert_eq!(
            Terms::LegalBasis {
                retention_days: 400
            }
            .keep_until_ms(noon),
            20_030 * DAY_MS
        );
    }

    #[test]
    fn a_guest_has_one_key_and_a_camera_one_a_day() {
        let consent = B256::repeat_byte(7);
        let of = |terms: Terms, day: u64| terms.key(consent, 4, day * DAY_MS + 5);
        let (guest, basis) = (
            Terms::Guest { keep_days: 7 },
            Terms::LegalBasis { retention_days: 3 },
        );
        assert_eq!(of(guest, 1), of(guest, 2));
        assert_ne!(of(basis, 1), of(basis, 2));
        assert_eq!(
            of(basis, 1),
            KeyName::Day {
                consent,
                camera: 4,
                day: 1
            }
        );
    }

    proptest! {
        #[test]
        fn a_key_name_is_read_back_and_nothing_else_is(consent in any::<[u8; 32]>(), camera: u64, day: u64, text in ".{0,90}") {
            let consent = B256::from(consent);
            for name in [KeyName::Consent { consent }, KeyName::Day { consent, camera, day }] {
                prop_assert_eq!(name.to_string().parse(), Ok(name));
            }
            if let Ok(name) = text.parse::<KeyName>() {
                prop_assert_eq!(name.to_string(), text);
            }
        }
    }
}
