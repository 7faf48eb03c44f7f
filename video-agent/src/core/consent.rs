//! May this camera be recorded or streamed now? Anything but a clear yes is a no.

use serde::Deserialize;

/// What a camera looks at. The names are the ledger's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CameraKind {
    /// Rooms and doors, on the owner's legal basis.
    Security,
    /// The kitchen, on the owner's legal basis.
    #[serde(alias = "kitchen")]
    Chef,
    /// A table, on its guest's consent.
    Customer,
}

/// A consent, or a legal basis, in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The transaction that made it.
    pub consent: [u8; 32],
    /// From when on it is void, in milliseconds since 1970.
    pub until_ms: u64,
    /// How long the owner's legal basis lets a recording be kept; `None` for a guest's consent.
    pub retention_days: Option<u32>,
}

/// What a camera may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Permission {
    /// Segments may be kept.
    pub recording: Option<Grant>,
    /// The public may watch.
    pub stream: Option<Grant>,
}

impl Permission {
    /// Without what is void at this time.
    pub fn at(self, now_ms: u64) -> Self {
        let valid = |grant: &Grant| grant.until_ms > now_ms;
        Self {
            recording: self.recording.filter(valid),
            stream: self.stream.filter(valid),
        }
    }

    /// Whether the camera may look at all.
    pub fn is_any(self) -> bool {
        self.recording.is_some() || self.stream.is_some()
    }
}

/// An entry of `GET /api/v1/outlets/{outlet}/consents`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Listed {
    pub id: String,
    pub kind: String,
    pub outlet: u64,
    pub camera: u64,
    pub purposes: Vec<String>,
    pub retention_days: Option<u32>,
    pub until_ms: u64,
    pub revoked_at_ms: Option<u64>,
}

/// The camera that asks whether it may record or stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The outlet whose agent this is.
    pub outlet: u64,
    /// The camera's number in it.
    pub camera: u64,
    /// Decides which kind of consent counts.
    pub kind: CameraKind,
}

impl Asked {
    /// What a list of consents permits now. Of several the one that lasts longest counts.
    pub(crate) fn permitted(&self, listed: &[Listed], now_ms: u64) -> Permission {
        let grant = |purpose: &str| {
            let counts = listed
                .iter()
                .filter(|consent| self.counts(consent, purpose, now_ms));
            let grants = counts.filter_map(|consent| {
                let id = hex::decode(consent.id.strip_prefix("0x")?).ok()?;
                let consent_id = id.try_into().ok()?;
                let Listed {
                    until_ms,
                    retention_days,
                    ..
                } = *consent;
                Some(Grant {
                    consent: consent_id,
                    until_ms,
                    retention_days,
                })
            });

            grants.max_by_key(|grant| (grant.until_ms, grant.consent))
        };

        Permission {
            recording: grant("recording"),
            stream: grant("stream"),
        }
    }

    fn counts(&self, consent: &Listed, purpose: &str, now_ms: u64) -> bool {
        let kind = match self.kind {
            CameraKind::Security => "security",
            CameraKind::Chef => "chef",
            CameraKind::Customer => "guest",
        };
        consent.kind == kind
            && consent.outlet == self.outlet
            && consent.camera == self.camera
            && consent.revoked_at_ms.is_none()
            && consent.until_ms > now_ms
            // A legal basis says how long it lets a recording be kept, or it is none.
            && (self.kind == CameraKind::Customer || consent.retention_days.is_some())
            && consent.purposes.iter().any(|named| named == purpose)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ASKED: Asked = Asked {
        outlet: 1,
        camera: 7,
        kind: CameraKind::Customer,
    };

    fn listed() -> Listed {
        Listed {
            id: format!("0x{}", "ab".repeat(32)),
            kind: "guest".into(),
            outlet: 1,
            camera: 7,
            purposes: vec!["recording".into()],
            retention_days: None,
            until_ms: 2_000,
            revoked_at_ms: None,
        }
    }

    #[test]
    fn a_consent_permits_its_purpose_until_its_end() {
        let permission = ASKED.permitted(&[listed()], 1_000);
        assert_eq!(
            permission.recording,
            Some(Grant {
                consent: [0xab; 32],
                until_ms: 2_000,
                retention_days: None
            })
        );
        assert_eq!(permission.stream, None);
        assert!(permission.at(1_999).is_any());
        assert!(!permission.at(2_000).is_any());
        assert!(!ASKED.permitted(&[listed()], 2_000).is_any());
    }

    #[test]
    fn whatever_does_not_fit_permits_nothing() {
        let changes: [fn(&mut Listed); 7] = [
            |consent| consent.kind = "chef".into(),
            |consent| consent.outlet = 2,
            |consent| consent.camera = 8,
            |consent| consent.revoked_at_ms = Some(1),
            |consent| consent.purposes.clear(),
            |consent| consent.purposes = vec!["RECORDING".into()],
            |consent| consent.id = "0xabcd".into(),
        ];
        for change in changes {
            let mut consent = listed();
            change(&mut consent);
            assert!(
                !ASKED.permitted(&[consent.clone()], 1_000).is_any(),
                "{consent:?}"
            );
        }
    }

    #[test]
    fn a_kitchen_needs_a_legal_basis_with_its_retention() {
        let kitchen = Asked {
            kind: CameraKind::Chef,
            ..ASKED
        };
        let mut basis = Listed {
            kind: "chef".into(),
            ..listed()
        };
        assert!(!kitchen.permitted(&[basis.clone()], 1_000).is_any());
        basis.retention_days = Some(3);
        assert_eq!(
            kitchen
                .permitted(&[basis], 1_000)
                .recording
                .unwrap()
                .retention_days,
            Some(3)
        );
        assert!(
            !kitchen.permitted(&[listed()], 1_000).is_any(),
            "a guest's consent is none of the kitchen's"
        );
    }

    proptest! {
        #[test]
        fn no_answer_of_a_node_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300), id in "\\PC{0,70}") {
            if let Ok(list) = serde_json::from_slice::<Vec<Listed>>(&bytes) {
                ASKED.permitted(&list, 0);
            }
            ASKED.permitted(&[Listed { id, ..listed() }], 0);
        }
    }
}
