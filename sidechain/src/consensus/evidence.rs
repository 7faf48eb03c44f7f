//! Evidence of the engine, as the ledger takes it.

use super::context::{HotPot, Proposal, Vote};
use crate::tasks::duties::Report;
use arc_malachitebft_app_channel::app::types::MisbehaviorEvidence;
use arc_malachitebft_app_channel::app::types::core::{NilOrVal, SignedMessage, VoteType};
use domain::certificate::VoteStep;
use domain::evidence::{Offence, SignedProposal, SignedVote};

/// One offence for each place in which a validator signed two different things.
pub fn find_offences(evidence: &MisbehaviorEvidence<HotPot>) -> Vec<Report> {
    let votes = evidence
        .votes
        .iter()
        .flat_map(|(who, pairs)| pairs.iter().map(|pair| (who.0, double_vote(pair))));
    let proposals = evidence
        .proposals
        .iter()
        .flat_map(|(who, pairs)| pairs.iter().map(|pair| (who.0, double_proposal(pair))));
    votes.chain(proposals).collect()
}

fn double_vote(
    (first, second): &(SignedMessage<HotPot, Vote>, SignedMessage<HotPot, Vote>),
) -> Offence {
    let vote = &first.message;
    let step = match vote.step {
        VoteType::Prevote => VoteStep::Prevote,
        VoteType::Precommit => VoteStep::Precommit,
    };

    let signed = |vote: &SignedMessage<HotPot, Vote>| {
        let block_hash = match &vote.message.value {
            NilOrVal::Nil => None,
            NilOrVal::Val(hash) => Some(hash.0),
        };
        SignedVote {
            block_hash,
            signature: *vote.signature.inner(),
        }
    };

    let (height, round) = (vote.height.0, vote.round.as_i64());
    Offence::DoubleVote {
        step,
        height,
        round,
        first: signed(first),
        second: signed(second),
    }
}

fn double_proposal(
    (first, second): &(
        SignedMessage<HotPot, Proposal>,
        SignedMessage<HotPot, Proposal>,
    ),
) -> Offence {
    let signed = |proposal: &SignedMessage<HotPot, Proposal>| SignedProposal {
        pol_round: proposal.message.pol_round.as_i64(),
        block_hash: proposal.message.value.0,
        signature: *proposal.signature.inner(),
    };

    let (height, round) = (first.message.height.0, first.message.round.as_i64());
    Offence::DoubleProposal {
        height,
        round,
        first: signed(first),
        second: signed(second),
    }
}
