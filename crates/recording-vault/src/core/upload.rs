//! How a segment goes from the spool to the ledger. Each stage is durable before the next step begins, and each step
//! may be done twice: after a crash the same step is done again.

use borsh::{BorshDeserialize, BorshSerialize};
use ipfs::PinState;

/// What of an upload is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub enum Stage {
    /// It lies encrypted in the spool.
    Encrypted,
    /// The first backend has it, under our CID.
    Added,
    /// Every backend keeps it.
    Pinned,
    /// The ledger refers to it.
    Reported,
    /// Nothing of it is left in the spool.
    Done,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Give it to the first backend.
    Add,
    /// Have every backend keep it.
    Pin,
    /// Tell the ledger.
    Report,
    /// Delete it from the spool.
    Clean,
}

impl Stage {
    /// The step that leads on; none at the end.
    pub fn step(self) -> Option<Step> {
        match self {
            Self::Encrypted => Some(Step::Add),
            Self::Added => Some(Step::Pin),
            Self::Pinned => Some(Step::Report),
            Self::Reported => Some(Step::Clean),
            Self::Done => None,
        }
    }
}

/// Where the backends' answers lead. `first` is the one that was given the content.
pub fn after_pinning(first: &PinState, others: &[PinState]) -> Result<Stage, String> {
    if *first == PinState::Absent {
        // It forgot: a new node, or somebody collected. The spool has it still.
        return Ok(Stage::Encrypted);
    }
    if let Some(PinState::Failed(why)) = std::iter::once(first)
        .chain(others)
        .find(|state| matches!(state, PinState::Failed(_)))
    {
        return Err(format!("a backend gave up: {why}"));
    }
    let all = std::iter::once(first)
        .chain(others)
        .all(|state| *state == PinState::Pinned);
    Ok(if all { Stage::Pinned } else { Stage::Added })
}

#[cfg(test)]
mod tests {
    use super::*;
    use PinState::*;

    #[test]
    fn every_stage_leads_to_done() {
        let stages = [
            Stage::Encrypted,
            Stage::Added,
            Stage::Pinned,
            Stage::Reported,
            Stage::Done,
        ];
        assert!(stages.is_sorted());
        let steps: Vec<Option<Step>> = stages.iter().map(|stage| stage.step()).collect();
        assert_eq!(
            steps,
            [
                Some(Step::Add),
                Some(Step::Pin),
                Some(Step::Report),
                Some(Step::Clean),
                None
            ]
        );
    }

    #[test]
    fn only_what_every_backend_keeps_is_pinned() {
        assert_eq!(after_pinning(&Pinned, &[]), Ok(Stage::Pinned));
        assert_eq!(after_pinning(&Pinned, &[Pinned, Pending]), Ok(Stage::Added));
        assert_eq!(after_pinning(&Pinned, &[Absent]), Ok(Stage::Added));
        assert_eq!(after_pinning(&Absent, &[Pinned]), Ok(Stage::Encrypted));
        assert!(
            after_pinning(&Pinned, &[Failed("no funds".into())])
                .unwrap_err()
                .contains("no funds")
        );
    }
}
