use crate::actors::{Chain, genesis};
use domain::checkpoint::{AnchorHead, anchorable};
use domain::limits::DAY_MS;
use domain::*;
use proptest::prelude::*;

/// One thing that may happen to a chain; many are nonsense on purpose.
#[derive(Clone, Debug)]
pub enum Action {
    Sale { outlet: u64, number: u64, kind: u8 },
    Claim { outlet: u64, number: u64, guest: u8 },
    Refund { outlet: u64, number: u64, refund: u8, amount: u64 },
    Revoke { outlet: u64 },
    Anchor { ahead: u64 },
    RequestPayout { guest: u8 },
    FullSettlement,
    Wait { ms: u64 },
    Block,
}

pub fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        10 => (1..4u64, 0..40u64, 0..3u8).prop_map(|(outlet, number, kind)| Action::Sale { outlet, number, kind }),
        4 => (1..3u64, 0..40u64, 0..3u8).prop_map(|(outlet, number, guest)| Action::Claim { outlet, number, guest }),
        5 => (1..3u64, 0..40u64, 0..3u8, 0..1698u64).prop_map(|(outlet, number, refund, amount)| Action::Refund {
            outlet, number, refund, amount
        }),
        1 => (1..3u64).prop_map(|outlet| Action::Revoke { outlet }),
        2 => (0..3u64).prop_map(|ahead| Action::Anchor { ahead }),
        2 => (0..4u8).prop_map(|guest| Action::RequestPayout { guest }),
        1 => Just(Action::FullSettlement),
        2 => (0..2 * DAY_MS).prop_map(|ms| Action::Wait { ms }),
        6 => Just(Action::Block),
    ]
}

pub fn transaction(chain: &mut Chain, action: &Action) -> Option<SignedTransaction> {
    let kinds = [BuyerKind::None, BuyerKind::Wallet, BuyerKind::Receipt];
    Some(match action {
        Action::Sale { outlet, number, kind } => {
            let sale = chain.sale(*outlet, *number, kinds[usize::from(*kind)]);
            chain.sign_sale(sale)
        }
        Action::Claim { outlet, number, guest } => chain.claim(*outlet, *number, &format!("guest {guest}")),
        Action::Refund { outlet, number, refund, amount } => {
            chain.refund(*outlet, *number, *refund, *amount, &format!("owner {outlet}"))
        }
        Action::Revoke { outlet } => chain.revoke_terminal(*outlet, &format!("till {outlet}")),
        Action::Anchor { ahead } => {
            let epoch = chain.ledger.epoch() + ahead;
            chain.set_anchor(epoch)
        }
        Action::RequestPayout { guest } => chain.request_payout(&format!("guest {guest}")),
        Action::FullSettlement => chain.full_settlement(),
        Action::Wait { .. } | Action::Block => return None,
    })
}

/// A chain with nothing that waits for its next block.
pub fn start(genesis: Genesis) -> (Chain, Vec<SignedTransaction>) {
    (Chain::with_outlets(genesis), Vec::new())
}

/// Plays one action.
pub fn step(chain: &mut Chain, waiting: &mut Vec<SignedTransaction>, action: &Action) {
    match action {
        Action::Wait { ms } => chain.now_ms += ms,
        Action::Block => {
            let _ = chain.block(&std::mem::take(waiting));
            assert!(chain.ledger.conserves());
        }
        other => waiting.extend(transaction(chain, other)),
    }
}

fn run(genesis: Genesis, actions: &[Action]) -> Chain {
    let (mut chain, mut waiting) = start(genesis);
    for action in actions {
        step(&mut chain, &mut waiting, action);
    }
    chain.finish_epoch();
    chain
}

pub fn parameters() -> impl Strategy<Value = Genesis> {
    (1..4u64, prop_oneof![Just(0u64), Just(DAY_MS)], 1..3u64).prop_map(|(blocks, maturity_ms, settlement_epochs)| {
        let epoch_length = domain::genesis::EpochLength::Blocks(blocks);
        Genesis { epoch_length, maturity_ms, settlement_epochs, ..genesis() }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Conservation at every block, and every checkpoint is one that the contract takes.
    #[test]
    fn whatever_happens_units_are_conserved_and_checkpoints_anchorable(
        genesis in parameters(),
        actions in proptest::collection::vec(action(), 0..80),
    ) {
        let chain = run(genesis, &actions);
        prop_assert!(chain.ledger.conserves());
        let mut head: Option<AnchorHead> = None;
        for closed in &chain.checkpoints {
            let checkpoint = &closed.checkpoint;
            let before = head.unwrap_or(AnchorHead { epoch: checkpoint.epoch - 1, last_height: 0, total_released: 0 });
            prop_assert_eq!(anchorable(before, checkpoint), Ok(()));
            let paid = closed.settlement.payouts().iter();
            prop_assert!(paid.map(|p| u128::from(p.released)).sum::<u128>() <= checkpoint.total_released);
            head = Some(AnchorHead {
                epoch: checkpoint.epoch,
                last_height: checkpoint.last_height,
                total_released: checkpoint.total_released,
            });
        }
    }

    /// The same actions give the same state, byte for byte.
    #[test]
    fn the_same_blocks_give_the_same_state(actions in proptest::collection::vec(action(), 0..40)) {
        let (a, b) = (run(genesis(), &actions), run(genesis(), &actions));
        prop_assert_eq!(a.ledger.state_digest(), b.ledger.state_digest());
        prop_assert_eq!(a.ledger.head_hash(), b.ledger.head_hash());
    }

    /// What an account was released never goes down, and equals what its payouts add up to.
    #[test]
    fn payouts_only_grow(actions in proptest::collection::vec(action(), 0..80)) {
        let chain = run(genesis(), &actions);
        let mut paid = std::collections::BTreeMap::new();
        for payout in chain.checkpoints.iter().flat_map(|closed| closed.settlement.payouts()) {
            let before = paid.insert(payout.account, payout.released).unwrap_or(0);
            prop_assert!(payout.released >= before);
        }
        for (account, released) in paid {
            prop_assert!(chain.ledger.account(account).unwrap().released >= released);
        }
    }
}
