//! Chunks of payouts: whether one belongs to what is anchored, and what is left to issue of it.

use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::sol_types::SolCall;
use contract_bindings::CheckpointAnchor::issueChunkCall;
use domain::payout::{Chunk, checkpoint_commitment};
use domain::{Checkpoint, merkle};

/// Why a chunk is not what the anchor holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotIssuable {
    /// The words do not lead to the root.
    #[error("words lead to root {found}, expected {expected}")]
    Root { expected: B256, found: B256 },
    /// The proof does not lead to what is anchored.
    #[error("proof leads to commitment {found}, anchored is {expected}")]
    Commitment { expected: B256, found: B256 },
    /// Chunks are missing, or there are too many.
    #[error("chunks lead to payout root {found}, expected {expected}")]
    Incomplete { expected: B256, found: B256 },
}

/// The calls that issue all chunks of an anchored checkpoint: exactly those that its payout root holds.
pub(crate) fn calls(
    checkpoint: &Checkpoint,
    chunks: &[Chunk],
    anchored: B256,
) -> Result<Vec<Bytes>, NotIssuable> {
    let roots: Vec<B256> = chunks.iter().map(|chunk| chunk.root).collect();
    let (expected, found) = (checkpoint.payout_root, merkle::root(&roots));
    if found != expected {
        return Err(NotIssuable::Incomplete { expected, found });
    }
    check_commitment(expected, checkpoint, anchored)?;

    chunks
        .iter()
        .map(|chunk| issue_call(checkpoint, chunk, anchored))
        .collect()
}

/// Whether this is the checkpoint that is anchored.
fn check_commitment(
    payout_root: B256,
    checkpoint: &Checkpoint,
    expected: B256,
) -> Result<(), NotIssuable> {
    let found = checkpoint_commitment(payout_root, checkpoint.rest_hash());
    if found != expected {
        return Err(NotIssuable::Commitment { expected, found });
    }
    Ok(())
}

/// The call that issues one chunk; checked as the contract does.
fn issue_call(
    checkpoint: &Checkpoint,
    chunk: &Chunk,
    anchored: B256,
) -> Result<Bytes, NotIssuable> {
    let found = words_root(&chunk.words);
    if found != chunk.root {
        return Err(NotIssuable::Root {
            expected: chunk.root,
            found,
        });
    }

    check_commitment(
        merkle::process_proof(chunk.root, &chunk.proof),
        checkpoint,
        anchored,
    )?;

    let words = chunk
        .words
        .iter()
        .map(|word| U256::from_be_bytes(word.0))
        .collect();
    let proof = chunk
        .proof
        .iter()
        .copied()
        .chain([checkpoint.rest_hash()])
        .collect();

    Ok(issueChunkCall {
        epoch: checkpoint.epoch,
        words,
        proof,
    }
    .abi_encode()
    .into())
}

fn words_root(words: &[B256]) -> B256 {
    let leaves: Vec<B256> = words.iter().map(leaf_of_word).collect();
    merkle::root(&leaves)
}

fn leaf_of_word(word: &B256) -> B256 {
    if word.is_zero() {
        return B256::ZERO;
    }
    let mut value = [0u8; 64];
    value[12..32].copy_from_slice(&word[..20]);
    value[52..].copy_from_slice(&word[20..]);
    merkle::leaf(&value)
}

/// An account and everything that may ever be issued to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) account: Address,
    pub(crate) cumulative: u128,
}

/// The claims of a chunk's call. Padding and accounts that the token skips for ever are left out.
pub(crate) fn decode_claims(
    calldata: &[u8],
    never: &[Address],
) -> Result<Vec<Claim>, alloy::sol_types::Error> {
    let call = issueChunkCall::abi_decode(calldata)?;
    let claims = call
        .words
        .iter()
        .map(|word| decode_claim(&word.to_be_bytes()));
    Ok(claims
        .filter(|claim| !claim.account.is_zero() && !never.contains(&claim.account))
        .collect())
}

fn decode_claim(word: &[u8; 32]) -> Claim {
    let cumulative = word[20..]
        .iter()
        .fold(0u128, |value, byte| (value << 8) | u128::from(*byte));
    Claim {
        account: Address::from_slice(&word[..20]),
        cumulative,
    }
}

/// What the token would issue now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Allowance {
    pub(crate) available: u128,
    pub(crate) capacity: u128,
}

/// Whether an intent needs a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// The contract holds it, or its root was revoked.
    Done,
    /// Something is missing, and a transaction would not help now.
    Waits,
    /// A transaction would help now.
    Ready,
}

/// `issued`: what the token has issued to each claim's account. A chunk waits until all of it fits into the
/// allowance, or the allowance is full and a part fits: a transaction for each account that just fits would be dear.
pub(crate) fn chunk_need(claims: &[Claim], issued: &[u128], allowance: Allowance) -> Need {
    let missing = claims
        .iter()
        .zip(issued)
        .map(|(claim, issued)| claim.cumulative.saturating_sub(*issued));
    let missing: Vec<u128> = missing.filter(|missing| *missing > 0).collect();

    let total = missing
        .iter()
        .fold(0u128, |sum, missing| sum.saturating_add(*missing));
    let full = allowance.available == allowance.capacity;
    let some_fits = missing
        .iter()
        .any(|missing| *missing <= allowance.available);

    match () {
        () if missing.is_empty() => Need::Done,
        () if total <= allowance.available || (full && some_fits) => Need::Ready,
        () => Need::Waits,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::payout::{Payout, Settlement};

    fn settlement(accounts: u8) -> Settlement {
        let payout = |i: u8| Payout {
            account: Address::with_last_byte(i),
            released: u64::from(i) * 100,
        };
        Settlement::new((1..=accounts).map(payout).collect())
    }

    fn checkpoint(settlement: &Settlement) -> Checkpoint {
        Checkpoint {
            sidechain_id: B256::with_last_byte(1),
            epoch: 3,
            first_height: 5,
            last_height: 9,
            blocks_root: B256::with_last_byte(2),
            state_root: B256::with_last_byte(3),
            payout_root: settlement.root(),
            recordings_root: merkle::EMPTY_ROOT,
            total_released: 1_000,
            next_validators_hash: B256::with_last_byte(4),
        }
    }

    fn claim_of(cumulative: u128) -> Claim {
        Claim {
            account: Address::with_last_byte(1),
            cumulative,
        }
    }

    #[test]
    fn a_chunk_of_the_anchored_checkpoint_becomes_a_call_with_its_claims() {
        let settlement = settlement(200);
        let checkpoint = checkpoint(&settlement);
        let anchored = checkpoint_commitment(checkpoint.payout_root, checkpoint.rest_hash());
        let calls = calls(&checkpoint, &settlement.chunks(), anchored).unwrap();
        let accounts = calls
            .iter()
            .map(|data| decode_claims(data, &[]).unwrap().len());
        assert_eq!(accounts.collect::<Vec<_>>(), [128, 72]);
    }

    #[test]
    fn a_settlement_with_a_chunk_left_out_is_refused() {
        let settlement = settlement(200);
        let checkpoint = checkpoint(&settlement);
        let anchored = checkpoint_commitment(checkpoint.payout_root, checkpoint.rest_hash());
        let refused = calls(&checkpoint, &settlement.chunks()[..1], anchored);
        assert!(matches!(refused, Err(NotIssuable::Incomplete { .. })));
    }

    #[test]
    fn an_epoch_that_settles_nothing_has_no_calls() {
        let checkpoint = checkpoint(&settlement(0));
        let anchored = checkpoint_commitment(checkpoint.payout_root, checkpoint.rest_hash());
        assert_eq!(
            calls(&checkpoint, &[], anchored).unwrap(),
            Vec::<Bytes>::new()
        );
    }

    #[test]
    fn a_chunk_with_a_changed_word_is_refused() {
        let settlement = settlement(3);
        let checkpoint = checkpoint(&settlement);
        let anchored = checkpoint_commitment(checkpoint.payout_root, checkpoint.rest_hash());
        let mut chunk = settlement.chunks().remove(0);
        assert!(matches!(
            issue_call(&checkpoint, &chunk, B256::ZERO),
            Err(NotIssuable::Commitment { .. })
        ));
        chunk.words[0].0[31] ^= 1;
        assert!(matches!(
            issue_call(&checkpoint, &chunk, anchored),
            Err(NotIssuable::Root { .. })
        ));
    }

    #[test]
    fn accounts_that_the_token_skips_are_no_claims() {
        let settlement = settlement(3);
        let checkpoint = checkpoint(&settlement);
        let anchored = checkpoint_commitment(checkpoint.payout_root, checkpoint.rest_hash());
        let data = issue_call(&checkpoint, &settlement.chunks()[0], anchored).unwrap();
        let left = decode_claims(&data, &[Address::with_last_byte(2)]).unwrap();
        assert_eq!(
            left.iter()
                .map(|claim| claim.cumulative)
                .collect::<Vec<_>>(),
            [100, 300]
        );
    }

    #[test]
    fn a_chunk_is_done_when_every_account_has_its_amount_or_more() {
        let allowance = Allowance {
            available: 0,
            capacity: 1,
        };
        assert_eq!(
            chunk_need(&[claim_of(5), claim_of(7)], &[5, 9], allowance),
            Need::Done
        );
    }

    #[test]
    fn a_chunk_waits_until_it_fits_or_no_more_can_ever_fit() {
        let claims = [claim_of(50), claim_of(70)];
        let need = |available, capacity| {
            chunk_need(
                &claims,
                &[0, 0],
                Allowance {
                    available,
                    capacity,
                },
            )
        };
        assert_eq!(need(120, 200), Need::Ready);
        assert_eq!(need(119, 200), Need::Waits);
        assert_eq!(need(60, 60), Need::Ready);
        assert_eq!(need(40, 40), Need::Waits);
    }
}
