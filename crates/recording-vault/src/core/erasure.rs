//! How a recording is erased. The key goes first, so that whatever is slow or out of reach afterwards holds bytes that
//! nobody can read.

use borsh::{BorshDeserialize, BorshSerialize};

/// Why a recording is erased; numbers as on the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Reason {
    /// The consent or legal basis was revoked.
    Revoked = 0,
    /// It was kept as long as it may be.
    Retention = 1,
    /// Somebody who may asked for it.
    Request = 2,
    /// Anything else: the ledger refused it.
    Other = 3,
}

/// What of an erasure is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub enum ErasureStage {
    /// It is decided.
    Requested,
    /// The key is destroyed and the spool is empty of it.
    Unreadable,
    /// No backend was told to keep it any more.
    Released,
    /// The backends that are ours have collected what they released.
    Collected,
}

/// A pin that was sent stands on the ledger within this, or never.
pub const REPORT_SETTLES_MS: u64 = 10 * 60 * 1000;

/// What it means that the ledger does not know a recording that is to be erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// Nothing was ever said of it: nothing is to be taken back.
    Done,
    /// A report may be under way: look again later.
    Wait,
}

/// `reported_at_ms`: when the pin was last sent, if ever.
pub fn unknown_to_ledger(reason: Reason, reported_at_ms: Option<u64>, now_ms: u64) -> Unknown {
    match reported_at_ms {
        // It refused the report.
        _ if reason == Reason::Other => Unknown::Done,
        Some(at) if now_ms < at.saturating_add(REPORT_SETTLES_MS) => Unknown::Wait,
        _ => Unknown::Done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_under_way_is_waited_for() {
        let sent = Some(1_000);
        assert_eq!(
            unknown_to_ledger(Reason::Request, sent, 2_000),
            Unknown::Wait
        );
        assert_eq!(
            unknown_to_ledger(Reason::Request, sent, 1_000 + REPORT_SETTLES_MS),
            Unknown::Done
        );
        assert_eq!(
            unknown_to_ledger(Reason::Retention, None, 2_000),
            Unknown::Done
        );
        assert_eq!(
            unknown_to_ledger(Reason::Revoked, sent, 2_000),
            Unknown::Wait
        );
        assert_eq!(unknown_to_ledger(Reason::Other, sent, 2_000), Unknown::Done);
    }

    #[test]
    fn reasons_are_numbered_as_on_the_ledger() {
        let all = [
            Reason::Revoked,
            Reason::Retention,
            Reason::Request,
            Reason::Other,
        ];
        assert_eq!(
            all.map(|reason| borsh::to_vec(&reason).unwrap()),
            [[0], [1], [2], [3]]
        );
    }
}
