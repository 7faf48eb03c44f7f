//! Whether a node does its work, and why not.

/// A node is late when its last block is older than this many heartbeats: without work one block follows each.
const HEARTBEATS_LATE_MAX: u64 = 2;

/// What is known of a node when somebody asks.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The engine could not write its log, and stands still for good.
    pub safety_failed: bool,
    /// The engine has asked for the first height.
    pub has_started: bool,
    /// Whether the node votes.
    pub is_validator: bool,
    /// The last height that a validator only follows, because it may have signed it already.
    pub follows_to: Option<u64>,
    /// Why the double-sign guard refused the signature that was asked for last.
    pub guard_refusal: Option<String>,
    /// Last final height here.
    pub height: u64,
    /// Age of the last block.
    pub age_ms: u64,
    /// Without work a block follows after this.
    pub heartbeat_ms: u64,
}

/// Why a node does not do its work; what has to be mended first comes first.
pub fn why_not_ready(facts: &Facts) -> Option<String> {
    if facts.safety_failed {
        let reason = "the consensus engine stopped because it could not write its log: see the log, then \
                      docs/OPERATING.md";
        return Some(reason.to_owned());
    }
    if !facts.has_started {
        return Some("consensus has not started".to_owned());
    }

    if let Some(to) = facts.follows_to {
        let height = facts.height;
        return Some(format!(
            "this validator may have signed up to height {to} already: it only follows until that is decided, now \
             {height}"
        ));
    }
    if let Some(refusal) = &facts.guard_refusal {
        return Some(format!("the double-sign guard refuses to sign: {refusal}"));
    }

    why_late(facts)
}

/// Why the last block here is an old one.
pub fn why_late(facts: &Facts) -> Option<String> {
    if facts.age_ms <= HEARTBEATS_LATE_MAX * facts.heartbeat_ms {
        return None;
    }

    let seconds = facts.age_ms / 1_000;
    let cause = if facts.is_validator {
        "still catching up, or two thirds of the power do not answer here"
    } else {
        "still catching up, or no new blocks come"
    };

    Some(format!(
        "the last block here, {}, is {seconds} s old: {cause}",
        facts.height
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn well() -> Facts {
        Facts {
            has_started: true,
            is_validator: true,
            height: 7,
            age_ms: 900,
            heartbeat_ms: 5_000,
            ..Facts::default()
        }
    }

    fn reason(facts: &Facts) -> String {
        why_not_ready(facts).unwrap()
    }

    #[test]
    fn a_node_is_ready_until_its_last_block_is_two_heartbeats_old() {
        assert_eq!(why_not_ready(&well()), None);
        assert_eq!(
            why_not_ready(&Facts {
                age_ms: 10_000,
                ..well()
            }),
            None
        );
        let late = Facts {
            age_ms: 10_001,
            ..well()
        };
        assert!(
            reason(&late).starts_with("the last block here, 7, is 10 s old"),
            "{}",
            reason(&late)
        );
        let follower = Facts {
            is_validator: false,
            ..late
        };
        assert!(
            reason(&follower).contains("no new blocks come"),
            "{}",
            reason(&follower)
        );
    }

    #[test]
    fn a_node_that_cannot_sign_says_why() {
        let refused = Facts {
            guard_refusal: Some("another message was signed".into()),
            ..well()
        };
        assert!(reason(&refused).ends_with("refuses to sign: another message was signed"));
        let follows = Facts {
            follows_to: Some(9),
            is_validator: false,
            ..well()
        };
        assert!(reason(&follows).contains("up to height 9") && reason(&follows).ends_with("now 7"));
        assert!(
            reason(&Facts {
                safety_failed: true,
                ..well()
            })
            .contains("could not write its log")
        );
    }

    #[test]
    fn what_has_to_be_mended_first_is_named_first() {
        let all = Facts {
            safety_failed: true,
            has_started: false,
            follows_to: Some(9),
            guard_refusal: Some("too old".into()),
            age_ms: 60_000,
            ..well()
        };
        assert!(reason(&all).contains("could not write its log"));
        assert!(
            reason(&Facts {
                safety_failed: false,
                ..all.clone()
            })
            .contains("has not started")
        );
        let started = Facts {
            safety_failed: false,
            has_started: true,
            ..all
        };
        assert!(reason(&started).contains("only follows"));
        assert!(
            reason(&Facts {
                follows_to: None,
                ..started
            })
            .contains("too old")
        );
    }
}
