//! Which blocks a node may forget.

/// What is known when it is asked.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// Blocks that the operator wants to keep; 0 keeps all.
    pub keep_blocks: u64,
    /// Height of the block to come.
    pub next_height: u64,
    /// The oldest snapshot that a start may begin with; none when there is none.
    pub oldest_snapshot: Option<u64>,
    /// The last height that a checkpoint with a quorum covers; none when there is none.
    pub checkpointed_to: Option<u64>,
}

/// Blocks below this height may be forgotten; 0 when none may. A start needs the block of its snapshot and those after
/// it, and what no quorum has signed yet has to be there for whoever asks why.
pub fn pruning_horizon(facts: Facts) -> u64 {
    let (true, Some(snapshot), Some(checkpointed_to)) = (
        facts.keep_blocks > 0,
        facts.oldest_snapshot,
        facts.checkpointed_to,
    ) else {
        return 0;
    };
    facts
        .next_height
        .saturating_sub(facts.keep_blocks)
        .min(snapshot)
        .min(checkpointed_to)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FACTS: Facts = Facts {
        keep_blocks: 100,
        next_height: 1_000,
        oldest_snapshot: Some(950),
        checkpointed_to: Some(990),
    };

    #[test]
    fn what_is_older_than_asked_for_may_go() {
        assert_eq!(pruning_horizon(FACTS), 900);
        assert_eq!(
            pruning_horizon(Facts {
                keep_blocks: 0,
                ..FACTS
            }),
            0
        );
        assert_eq!(
            pruning_horizon(Facts {
                keep_blocks: 2_000,
                ..FACTS
            }),
            0
        );
    }

    #[test]
    fn what_a_start_or_a_proof_needs_stays() {
        assert_eq!(
            pruning_horizon(Facts {
                oldest_snapshot: Some(400),
                ..FACTS
            }),
            400
        );
        assert_eq!(
            pruning_horizon(Facts {
                checkpointed_to: Some(300),
                ..FACTS
            }),
            300
        );
        assert_eq!(
            pruning_horizon(Facts {
                oldest_snapshot: None,
                ..FACTS
            }),
            0
        );
        assert_eq!(
            pruning_horizon(Facts {
                checkpointed_to: None,
                ..FACTS
            }),
            0
        );
    }
}
