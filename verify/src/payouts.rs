//! What the anchor may issue of a settlement, and what has to be issued of it by now.

use alloy::primitives::Address;
use domain::B256;
use domain::limits::CHUNK_WORDS_MAX;
use domain::merkle;
use domain::payout::{Payout, Settlement};
use std::collections::{BTreeMap, BTreeSet};

/// Those of the roots that `issueChunk` or `issueOne` takes for this settlement, with what is paid under them.
///
/// The contract takes every node of a chunk's tree, so anybody may pay any aligned part of a chunk that is a power of
/// two of words long, and as often as he likes. Some parts are padding and pay nobody.
pub fn find_parts<'a>(
    settlement: &'a Settlement,
    wanted: &BTreeSet<B256>,
) -> BTreeMap<B256, &'a [Payout]> {
    let mut found = BTreeMap::new();
    for payouts in settlement.payouts().chunks(CHUNK_WORDS_MAX) {
        let mut width = 1;
        let mut nodes = padded_leaves(payouts);

        loop {
            for (place, node) in nodes.iter().enumerate() {
                if wanted.contains(node) {
                    found.insert(*node, words_under(payouts, place * width, width));
                }
            }
            if nodes.len() == 1 {
                break;
            }
            nodes = nodes.chunks(2).map(merkle::root).collect();
            width *= 2;
        }
    }

    found
}

fn padded_leaves(payouts: &[Payout]) -> Vec<B256> {
    let mut leaves: Vec<B256> = payouts.iter().map(Payout::leaf).collect();
    leaves.resize(payouts.len().next_power_of_two(), B256::ZERO);
    leaves
}

/// The payouts among so many words of a chunk; the rest of the words are padding.
fn words_under(payouts: &[Payout], first: usize, width: usize) -> &[Payout] {
    let end = (first + width).min(payouts.len());
    &payouts[first.min(end)..end]
}

/// An account that was minted less than is settled for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overdue {
    /// Who is paid.
    pub account: Address,
    /// Units that settlements pay, ever.
    pub settled: u128,
    /// Units ever minted.
    pub issued: u128,
}

impl Overdue {
    /// Units that are missing.
    pub const fn missing(&self) -> u128 {
        self.settled.saturating_sub(self.issued)
    }
}

/// Accounts that were minted less than these settlements pay, ascending. `never`: accounts that the token skips.
pub fn find_overdue<'a>(
    settlements: impl IntoIterator<Item = &'a Settlement>,
    issued: &BTreeMap<Address, u128>,
    never: &[Address],
) -> Vec<Overdue> {
    let mut settled: BTreeMap<Address, u128> = BTreeMap::new();
    for payout in settlements.into_iter().flat_map(Settlement::payouts) {
        // Amounts are cumulative.
        let most = settled.entry(payout.account).or_default();
        *most = u128::from(payout.released).max(*most);
    }

    let all = settled.into_iter().map(|(account, settled)| Overdue {
        account,
        settled,
        issued: issued.get(&account).copied().unwrap_or(0),
    });
    all.filter(|one| one.missing() > 0 && !never.contains(&one.account))
        .collect()
}

/// What the contracts allow to be issued at the last block that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Issuing {
    /// Whether the guardian paused it.
    pub is_paused: bool,
    /// Units that the token's allowance lets through now.
    pub allowance: u128,
}

/// Why what is overdue may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excuse {
    /// The guardian paused issuing.
    Paused,
    /// Not all of it fits in the allowance.
    Allowance,
}

/// `None` where all of it could be minted at once, and was not.
pub fn find_excuse(overdue: &[Overdue], issuing: Issuing) -> Option<Excuse> {
    let missing = overdue
        .iter()
        .fold(0u128, |sum, one| sum.saturating_add(one.missing()));

    if issuing.is_paused {
        Some(Excuse::Paused)
    } else if missing > issuing.allowance {
        Some(Excuse::Allowance)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settlement(accounts: std::ops::RangeInclusive<u8>) -> Settlement {
        let payout = |number: u8| Payout {
            account: Address::with_last_byte(number),
            released: u64::from(number) * 100,
        };
        Settlement::new(accounts.map(payout).collect())
    }

    fn parts(settlement: &Settlement, roots: &[B256]) -> Vec<Option<usize>> {
        let found = find_parts(settlement, &roots.iter().copied().collect());
        roots
            .iter()
            .map(|root| found.get(root).map(|payouts| payouts.len()))
            .collect()
    }

    #[test]
    fn every_aligned_part_of_a_chunk_is_known_with_what_it_pays() {
        let settlement = settlement(1..=200);
        let chunks = settlement.chunks();
        let leaves: Vec<B256> = settlement.payouts().iter().map(Payout::leaf).collect();
        let roots = [
            chunks[0].root,
            chunks[1].root,
            leaves[130],
            merkle::root(&leaves[4..8]),
            merkle::root(&leaves[64..128]),
        ];
        let found = find_parts(&settlement, &roots.into_iter().collect());
        assert_eq!(found.len(), roots.len());
        assert_eq!(found[&roots[0]], &settlement.payouts()[..128]);
        assert_eq!(found[&roots[1]], &settlement.payouts()[128..]);
        assert_eq!(found[&roots[2]], &settlement.payouts()[130..131]);
        assert_eq!(found[&roots[3]], &settlement.payouts()[4..8]);
        assert_eq!(found[&roots[4]], &settlement.payouts()[64..128]);
    }

    #[test]
    fn parts_of_padding_pay_nobody_and_mixed_ones_who_is_in_them() {
        // Five words in a chunk of eight.
        let settlement = settlement(1..=5);
        let zero_pair = merkle::root(&[B256::ZERO; 2]);
        let fifth = settlement.payouts()[4].leaf();
        let mixed_pair = merkle::root(&[fifth, B256::ZERO]);
        let last_half = merkle::root(&[mixed_pair, zero_pair]);
        assert_eq!(
            parts(&settlement, &[B256::ZERO, zero_pair, mixed_pair, last_half]),
            [Some(0), Some(0), Some(1), Some(1)]
        );
    }

    #[test]
    fn what_is_no_part_is_not_found() {
        let settlement = settlement(1..=200);
        let leaves: Vec<B256> = settlement.payouts().iter().map(Payout::leaf).collect();
        let strangers = [
            settlement.root(),
            merkle::root(&leaves[1..3]),
            merkle::root(&leaves[..3]),
            B256::repeat_byte(7),
        ];
        assert!(parts(&settlement, &strangers).iter().all(Option::is_none));
    }

    #[test]
    fn what_settlements_pay_at_most_is_due_and_no_account_that_cannot_hold_tokens() {
        let (first, second) = (settlement(1..=3), settlement(2..=4));
        let account = Address::with_last_byte;
        let issued = BTreeMap::from([(account(1), 100), (account(2), 150), (account(4), 500)]);
        let overdue = find_overdue([&first, &second], &issued, &[account(9)]);
        let told: Vec<_> = overdue
            .iter()
            .map(|one| (one.account, one.missing()))
            .collect();
        assert_eq!(told, [(account(2), 50), (account(3), 300)]);
        let never = [account(2), account(3)];
        assert!(find_overdue([&first], &issued, &never).is_empty());
    }

    #[test]
    fn a_pause_and_an_allowance_that_does_not_suffice_excuse() {
        let overdue = [Overdue {
            account: Address::with_last_byte(1),
            settled: 150,
            issued: 50,
        }];
        let excuse = |is_paused, allowance| {
            find_excuse(
                &overdue,
                Issuing {
                    is_paused,
                    allowance,
                },
            )
        };
        assert_eq!(excuse(true, 1_000), Some(Excuse::Paused));
        assert_eq!(excuse(false, 99), Some(Excuse::Allowance));
        assert_eq!(excuse(false, 100), None);
    }
}
