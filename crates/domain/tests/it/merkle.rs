use domain::merkle::{EMPTY_ROOT, leaf, process_proof, proof, root};
use domain::payout::{Payout, Settlement};
use domain::{Address, B256, keccak256};
use proptest::prelude::*;

/// The tree as a textbook has it: split, recurse, hash; written apart from the one under test.
fn naive_root(leaves: &[B256]) -> B256 {
    match leaves {
        [] => EMPTY_ROOT,
        [one] => *one,
        many => {
            let split = many.len().next_power_of_two() / 2;
            let mut pair = [naive_root(&many[..split]), naive_root(&many[split..])];
            pair.sort();
            keccak256([pair[0].as_slice(), pair[1].as_slice()].concat())
        }
    }
}

fn leaves(count: usize) -> Vec<B256> {
    (0..count).map(|i| leaf(&i.to_be_bytes())).collect()
}

fn settlement(count: usize) -> Settlement {
    let mut payouts: Vec<Payout> = (0..count as u64)
        .map(|i| Payout {
            account: Address::from_slice(&keccak256(i.to_be_bytes())[12..]),
            released: i * 49 + 1,
        })
        .collect();
    payouts.sort_by_key(|payout| payout.account);
    Settlement::new(payouts)
}

proptest! {
    #[test]
    fn root_equals_the_naive_tree(count in 0usize..300) {
        prop_assert_eq!(root(&leaves(count)), naive_root(&leaves(count)));
    }

    #[test]
    fn each_leaf_has_a_proof_and_no_other_leaf_passes_with_it(count in 1usize..200, at in any::<prop::sample::Index>()) {
        let (leaves, at) = (leaves(count), at.index(count));
        let siblings = proof(&leaves, at).unwrap();
        prop_assert_eq!(process_proof(leaves[at], &siblings), root(&leaves));
        prop_assert_ne!(process_proof(leaf(b"foreign"), &siblings), root(&leaves));
        prop_assert_eq!(proof(&leaves, count), None);
    }

    #[test]
    fn chunks_and_single_proofs_lead_to_the_payout_root(count in 1usize..400, at in any::<prop::sample::Index>()) {
        let settlement = settlement(count);
        for chunk in settlement.chunks() {
            prop_assert!(chunk.words.len().is_power_of_two() && chunk.words.len() <= 128);
            prop_assert_eq!(process_proof(chunk.root, &chunk.proof), settlement.root());
        }
        let wanted = settlement.payouts()[at.index(count)];
        let (payout, siblings) = settlement.proof_of(wanted.account).unwrap();
        prop_assert_eq!(payout, wanted);
        let mut value = [0u8; 64];
        value[12..32].copy_from_slice(payout.account.as_slice());
        value[56..].copy_from_slice(&payout.released.to_be_bytes());
        prop_assert_eq!(process_proof(leaf(&value), &siblings), settlement.root());
    }
}

#[test]
fn a_settlement_without_payouts_has_the_empty_root() {
    assert_eq!(settlement(0).root(), EMPTY_ROOT);
    assert_eq!(EMPTY_ROOT, keccak256([]));
}
