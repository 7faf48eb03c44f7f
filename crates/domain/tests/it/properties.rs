use crate::actors::{Chain, address, cid, genesis};
use domain::checkpoint::{AnchorHead, check_anchorable};
use domain::consent::{Grounds, Purposes};
use domain::limits::DAY_MS;
use domain::transaction::PinRecording;
use domain::*;
use proptest::prelude::*;

/// One thing that may happen to a chain; many are nonsense on purpose.
#[derive(Clone, Debug)]
pub enum Action {
    Sale {
        outlet: u64,
        number: u64,
        kind: u8,
    },
    Claim {
        outlet: u64,
        number: u64,
        guest: u8,
    },
    Refund {
        outlet: u64,
        number: u64,
        refund: u8,
        amount: u64,
    },
    Revoke {
        outlet: u64,
    },
    Anchor {
        ahead: u64,
    },
    RequestPayout {
        guest: u8,
    },
    FullSettlement,
    Consent {
        outlet: u64,
        camera: u64,
        guest: u64,
        purposes: u8,
    },
    Basis {
        outlet: u64,
        camera: u64,
    },
    EndConsent {
        back: usize,
        by: u8,
    },
    Pin {
        back: usize,
        number: u64,
        ago_ms: u64,
    },
    Erase {
        outlet: u64,
        number: u64,
        by_owner: bool,
    },
    Wait {
        ms: u64,
    },
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
        3 => (1..3u64, 0..3u64, 0..4u64, 0..3u8).prop_map(|(outlet, camera, guest, purposes)| Action::Consent {
            outlet, camera, guest, purposes
        }),
        1 => (1..3u64, 0..3u64).prop_map(|(outlet, camera)| Action::Basis { outlet, camera }),
        1 => (0..4usize, 0..4u8).prop_map(|(back, by)| Action::EndConsent { back, by }),
        4 => (0..4usize, 0..12u64, 0..40_000u64).prop_map(|(back, number, ago_ms)| Action::Pin { back, number, ago_ms }),
        2 => (1..3u64, 0..12u64, any::<bool>()).prop_map(|(outlet, number, by_owner)| Action::Erase {
            outlet, number, by_owner
        }),
        2 => (0..2 * DAY_MS).prop_map(|ms| Action::Wait { ms }),
        6 => Just(Action::Block),
    ]
}

pub fn transaction(chain: &mut Chain, action: &Action) -> Option<SignedTransaction> {
    let kinds = [BuyerKind::None, BuyerKind::Wallet, BuyerKind::Receipt];
    Some(match action {
        Action::Sale {
            outlet,
            number,
            kind,
        } => {
            let sale = chain.sale(*outlet, *number, kinds[usize::from(*kind)]);
            chain.sign_sale(sale)
        }
        Action::Claim {
            outlet,
            number,
            guest,
        } => chain.claim(*outlet, *number, &format!("guest {guest}")),
        Action::Refund {
            outlet,
            number,
            refund,
            amount,
        } => chain.refund(
            *outlet,
            *number,
            *refund,
            *amount,
            &format!("owner {outlet}"),
        ),
        Action::Revoke { outlet } => chain.revoke_terminal(*outlet, &format!("till {outlet}")),
        Action::Anchor { ahead } => {
            let epoch = chain.ledger.epoch() + ahead;
            chain.set_anchor(epoch)
        }
        Action::RequestPayout { guest } => chain.request_payout(&format!("guest {guest}")),
        Action::FullSettlement => chain.full_settlement(),
        Action::Consent {
            outlet,
            camera,
            guest,
            purposes,
        } => {
            let purposes =
                [Purposes::Recording, Purposes::Stream, Purposes::Both][usize::from(*purposes)];
            chain.consent_to(*outlet, *camera, *guest, purposes)
        }
        Action::Basis { outlet, camera } => chain.legal_basis(*outlet, *camera),
        Action::EndConsent { back, by } => {
            let (id, consent) = chain.consent_back(*back)?;
            let by = match (consent.grounds, by) {
                (Grounds::Guest { .. }, 0) => format!("till {}", consent.outlet),
                (Grounds::Guest { guest, .. }, 1..) => (0..4)
                    .map(|n| format!("guest {n}"))
                    .find(|name| address(name) == guest)?,
                _ => format!("owner {}", consent.outlet),
            };
            chain.revoke_consent(id, &by)
        }
        Action::Pin {
            back,
            number,
            ago_ms,
        } => {
            let (id, consent) = chain.consent_back(*back)?;
            let ended_at_ms = chain.now_ms - ago_ms;
            let recording = chain.recording(consent.outlet, consent.camera, id, *number);
            chain.pin(PinRecording {
                started_at_ms: ended_at_ms - 4_000,
                ended_at_ms,
                ..recording
            })
        }
        Action::Erase {
            outlet,
            number,
            by_owner,
        } => {
            let pinned = chain.ledger.recording(cid(&format!("recording {number}")));
            let outlet = &pinned.map_or(*outlet, |recording| recording.pinned.outlet);
            let by = if *by_owner { "owner" } else { "agent" };
            chain.erase(*outlet, *number, &format!("{by} {outlet}"))
        }
        Action::Wait { .. } | Action::Block => return None,
    })
}

/// A chain with nothing that waits for its next block.
pub fn start(genesis: Genesis) -> (Chain, Vec<SignedTransaction>) {
    (Chain::with_agents(genesis), Vec::new())
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
    let time = || prop_oneof![Just(DAY_MS), Just(3 * DAY_MS), Just(365 * DAY_MS)];
    (
        1..4u64,
        prop_oneof![Just(0u64), Just(DAY_MS)],
        1..3u64,
        time(),
        time(),
    )
        .prop_map(
            |(blocks, maturity_ms, settlement_epochs, receipt_ms, pool_ms)| {
                let epoch_length = domain::genesis::EpochLength::Blocks(blocks);
                let parameters = Parameters {
                    receipt_ms,
                    pool_ms,
                    ..genesis().parameters
                };
                Genesis {
                    epoch_length,
                    maturity_ms,
                    settlement_epochs,
                    parameters,
                    ..genesis()
                }
            },
        )
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
            prop_assert_eq!(check_anchorable(before, checkpoint), Ok(()));
            let paid = closed.settlement.payouts().iter();
            prop_assert!(paid.map(|p| u128::from(p.released)).sum::<u128>() <= checkpoint.total_released);
            head = Some(AnchorHead {
                epoch: checkpoint.epoch,
                last_height: checkpoint.last_height,
                total_released: checkpoint.total_released,
            });
        }
    }

    /// Each pin and each erasure is a leaf of exactly one checkpoint, in the ledger's order; a pin lies within its
    /// consent, and a revoked guest's takes none.
    #[test]
    fn every_recording_is_anchored_once_and_allowed(actions in proptest::collection::vec(action(), 0..80)) {
        let mut chain = run(genesis(), &actions);
        let set = chain.set_anchor(chain.ledger.epoch());
        let _ = chain.block(&[set]);
        chain.finish_epoch();
        chain.finish_epoch();
        let anchored: Vec<B256> = chain.checkpoints.iter().flat_map(|closed| closed.recording_leaves.clone()).collect();
        let happened: Vec<B256> = chain.recording_entries().iter().map(|entry| entry.leaf()).collect();
        prop_assert_eq!(anchored, happened);
        for closed in &chain.checkpoints {
            prop_assert_eq!(closed.checkpoint.recordings_root, merkle::root(&closed.recording_leaves));
        }
        let mut revoked = std::collections::BTreeSet::new();
        for event in &chain.events {
            match event {
                Event::ConsentRevoked { id, .. } => drop(revoked.insert(*id)),
                Event::RecordingPinned { pinned, .. } => {
                    let consent = chain.ledger.consent(pinned.consent).unwrap();
                    prop_assert!(!consent.is_guests() || !revoked.contains(&pinned.consent));
                    prop_assert!(pinned.started_at_ms + 10_000 >= consent.recorded_at_ms);
                    prop_assert!(pinned.ended_at_ms <= consent.until_ms + 10_000);
                    prop_assert_eq!((pinned.outlet, pinned.camera), (consent.outlet, consent.camera));
                }
                _ => {}
            }
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
