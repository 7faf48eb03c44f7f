//! Chains as `hotpot export blocks` writes them, for the second implementation: `scripts/replay`.

use crate::actors::{Chain, address, cid, key};
use crate::properties::{Action, action, parameters, transaction};
use alloy_primitives::hex::encode_prefixed;
use domain::checkpoint::{CheckpointSignature, SignedCheckpoint};
use domain::crypto::address_of_secret;
use domain::genesis::EpochLength;
use domain::ledger::EpochCheckpoint;
use domain::limits::{
    BASIS_MS_MAX, CAMERA_MAX, CONSENT_MS_MAX, DAY_MS, SALE_AHEAD_MS_MAX, SALE_LATE_MS_MAX,
    SALE_TOTAL_MAX, SEQUENCE_MAX,
};
use domain::transaction::RegisterOutlet;
use domain::*;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

const CHAINS: usize = 200;

/// One line each: the genesis, the blocks with their certificates, the checkpoints with all signatures, and what was
/// refused.
pub fn lines(chain: &Chain) -> String {
    let genesis = chain.ledger.genesis();
    let first =
        json!({"type": "genesis", "sidechain_id": genesis.sidechain_id(), "genesis": genesis});
    let certificates = chain
        .blocks
        .iter()
        .skip(1)
        .map(|next| &next.last_commit)
        .chain([&chain.last_commit]);
    let blocks = chain
        .blocks
        .iter()
        .zip(certificates)
        .map(|(block, certificate)| line_of_block(block, certificate));
    let checkpoints = chain
        .checkpoints
        .iter()
        .map(|closed| line_of_checkpoint(genesis, closed));
    let refused = chain.refused.iter().map(|(height, place, transaction, why)| {
        json!({"type": "refused", "height": height, "place": place, "transaction": transaction, "code": why.code()})
    });
    [first]
        .into_iter()
        .chain(blocks)
        .chain(checkpoints)
        .chain(refused)
        .map(|line| format!("{line}\n"))
        .collect()
}

fn line_of_block(block: &Block, certificate: &Option<CommitCertificate>) -> Value {
    let Block {
        header,
        transactions,
        ..
    } = block;
    let raw = encode_prefixed(block.encode());
    let block = json!({"hash": header.hash(), "header": header, "certificate": certificate,
        "transactions": transactions, "raw": raw});
    json!({"type": "block", "block": block})
}

fn line_of_checkpoint(genesis: &Genesis, closed: &EpochCheckpoint) -> Value {
    let EpochCheckpoint {
        checkpoint,
        anchor,
        validators,
        next_validators,
        settlement,
        ..
    } = closed.clone();
    let digest = eip712::DomainSeparator::checkpoints(genesis.evm_chain_id, anchor)
        .checkpoint_digest(&checkpoint);
    let mut keys: Vec<_> = (0..12).map(|i| key(&format!("validator {i}"))).collect();
    keys.retain(|key| validators.get(address_of_secret(key)).is_some());
    keys.sort_by_key(address_of_secret);
    let sign = |key| CheckpointSignature {
        validator: address_of_secret(key),
        signature: Signature::sign(digest, key),
    };
    let signatures = keys.iter().map(sign).collect();
    let signed = SignedCheckpoint {
        checkpoint,
        anchor,
        validators,
        next_validators,
        signatures,
    };
    json!({"type": "checkpoint", "checkpoint": signed, "chunks": settlement.chunks()})
}

/// Genesis parameters in all their kinds.
fn any_genesis() -> impl Strategy<Value = Genesis> {
    let length = prop_oneof![
        2 => (1..4u64).prop_map(EpochLength::Blocks),
        1 => (1..2 * DAY_MS).prop_map(EpochLength::Milliseconds)
    ];
    (
        parameters(),
        length,
        1..20u64,
        any_parameters(),
        prop_oneof![Just(0), Just(DAY_MS)],
    )
        .prop_map(
            |(genesis, epoch_length, first_height, parameters, change_delay_ms)| {
                let parent_hash = if first_height == 1 {
                    B256::ZERO
                } else {
                    keccak256("parent")
                };
                let city_weights = CITIES
                    .into_iter()
                    .map(|city| (city.to_owned(), 600_000))
                    .collect();
                let election = ElectionRules {
                    city_weights,
                    ..ElectionRules::default()
                };
                Genesis {
                    epoch_length,
                    first_height,
                    parent_hash,
                    parameters,
                    change_delay_ms,
                    election,
                    ..genesis
                }
            },
        )
}

const CITIES: [&str; 4] = ["Tbilisi", "Batumi", "Kutaisi", "Gori"];

/// Times short enough to be over within a chain.
fn any_parameters() -> impl Strategy<Value = Parameters> {
    let total_min = prop_oneof![3 => Just(0u64), 1 => Just(1699u64)];
    let time = || prop_oneof![Just(1), Just(DAY_MS), Just(5 * DAY_MS)];
    (total_min, 0..3u64, time(), time(), time(), time()).prop_map(
        |(sale_total_min, election_epochs, unbonding_ms, jail_ms, receipt_ms, pool_ms)| {
            Parameters {
                sale_total_min,
                election_epochs,
                unbonding_ms,
                jail_ms,
                receipt_ms,
                pool_ms,
                owner_debt_max: 60,
                ..Parameters::DEFAULT
            }
        },
    )
}

/// What the actions of the properties do not hold yet.
#[derive(Clone, Debug)]
enum Step {
    Old(Action),
    Heartbeats(u16),
    Silent(usize),
    Bond(usize, u32),
    Unbond(usize, u64),
    Unjail(usize),
    Evidence {
        offender: usize,
        back: u64,
        by: usize,
    },
    Parameters(Parameters),
    Cancel(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        40 => action().prop_map(|action| Step::Old(dense(action))),
        4 => any::<u16>().prop_map(Step::Heartbeats),
        1 => (0..8usize).prop_map(Step::Silent),
        2 => (0..8usize, 0..1_000_002u32).prop_map(|(i, ppm)| Step::Bond(i, ppm)),
        2 => (0..8usize, 0..40u64).prop_map(|(i, units)| Step::Unbond(i, units)),
        1 => (0..8usize).prop_map(Step::Unjail),
        2 => (0..9usize, 0..20u64, 0..9usize).prop_map(|(offender, back, by)| Step::Evidence { offender, back, by }),
        1 => any_parameters().prop_map(Step::Parameters),
        1 => (1..4u64).prop_map(Step::Cancel),
    ]
}

/// Outlet 10 + i has validator i.
fn owner(i: usize) -> String {
    format!("owner {}", 10 + i)
}

fn transactions(chain: &mut Chain, step: &Step) -> Vec<SignedTransaction> {
    match step {
        Step::Old(action) => transaction(chain, action).into_iter().collect(),
        Step::Heartbeats(who) => (0..9)
            .filter(|i| who >> i & 1 == 1)
            .map(|i| chain.heartbeat(&format!("validator {i}")))
            .collect(),
        Step::Silent(i) => {
            chain.silent = vec![format!("validator {i}")];
            vec![]
        }
        Step::Bond(i, ppm) => vec![chain.set_bonding(&owner(*i), *ppm)],
        Step::Unbond(i, units) => vec![chain.unbond(&owner(*i), *units)],
        Step::Unjail(i) => vec![chain.unjail(10 + *i as u64, &format!("validator {i}"))],
        Step::Evidence { offender, back, by } => {
            let offender = format!("validator {offender}");
            let offence =
                chain.double_vote(&offender, chain.ledger.next_height().saturating_sub(*back));
            vec![chain.evidence(&offender, offence, &format!("validator {by}"))]
        }
        Step::Parameters(parameters) => vec![chain.set_parameters(*parameters)],
        Step::Cancel(back) => {
            let change = chain
                .ledger
                .waiting_changes()
                .map(|(number, _)| number)
                .last()
                .unwrap_or(*back);
            vec![chain.cancel_change(change)]
        }
    }
}

/// A transaction with one field changed or another signer: most have no right to be in a block.
#[derive(Clone, Copy, Debug)]
struct Twist {
    field: usize,
    value: usize,
    signer: usize,
}

const SIGNERS: [&str; 14] = [
    "founder",
    "registrar",
    "owner 1",
    "owner 2",
    "owner 3",
    "till 1",
    "till 2",
    "till 3",
    "guest 0",
    "guest 1",
    "guest 2",
    "guest 3",
    "agent 1",
    "agent 2",
];

/// Values that a field of this kind may have, within and beyond its bounds.
fn values(field: &str, old: &Value, now_ms: u64) -> Vec<Value> {
    let late_ms = now_ms - SALE_LATE_MS_MAX;
    let accounts = ["token", "anchor", "till 1", "till 3", "owner 2", "guest 1"]
        .map(|name| json!(address(name)));
    match (field, old) {
        ("occurred_at_ms", _) => [
            late_ms - 1,
            late_ms,
            now_ms + SALE_AHEAD_MS_MAX,
            now_ms + SALE_AHEAD_MS_MAX + 1,
        ]
        .map(Value::from)
        .to_vec(),
        ("approval_expires_at_ms", _) => [now_ms - 1, now_ms, now_ms + 1].map(Value::from).to_vec(),
        ("total" | "amount", _) => [0, 1, 1698, SALE_TOTAL_MAX, SALE_TOTAL_MAX + 1]
            .map(Value::from)
            .to_vec(),
        ("city", _) => [0, 1, 64, 65]
            .map(|bytes| Value::from("c".repeat(bytes)))
            .to_vec(),
        ("currency", _) => vec!["EUR".into()],
        ("camera", _) => [0, 1, 2, CAMERA_MAX, CAMERA_MAX + 1]
            .map(Value::from)
            .to_vec(),
        ("sequence", _) => [0, SEQUENCE_MAX, SEQUENCE_MAX + 1]
            .map(Value::from)
            .to_vec(),
        ("retention_days", _) => [0, 1, 30, 31].map(Value::from).to_vec(),
        ("until_ms", _) => {
            let ends = [
                CONSENT_MS_MAX,
                CONSENT_MS_MAX + 1,
                BASIS_MS_MAX,
                BASIS_MS_MAX + 1,
            ];
            [now_ms, now_ms + 1]
                .into_iter()
                .chain(ends.map(|ms| now_ms + ms))
                .map(Value::from)
                .collect()
        }
        ("started_at_ms" | "ended_at_ms", old) => {
            let old = old.as_u64().unwrap();
            let near = [
                now_ms + 10_000,
                now_ms + 10_001,
                old - 600_000,
                old + 4_000,
                old + 600_000,
                old + 596_001,
            ];
            near.map(Value::from).to_vec()
        }
        ("purposes", _) => vec![
            json!(["recording"]),
            json!(["stream"]),
            json!(["stream", "recording"]),
        ],
        ("reason", _) => ["revoked", "retention", "request", "other"]
            .map(Value::from)
            .to_vec(),
        ("kind", Value::String(old)) if ["security", "chef"].contains(&old.as_str()) => {
            ["security", "chef"].map(Value::from).to_vec()
        }
        ("kind", Value::String(old))
            if ["physical", "gateway", "video_agent"].contains(&old.as_str()) =>
        {
            ["physical", "gateway", "video_agent"]
                .map(Value::from)
                .to_vec()
        }
        ("cid", _) => (0..30)
            .map(|n| json!(cid(&format!("recording {n}"))))
            .collect(),
        ("bonding_ppm", _) => [0, 250_000, 1_000_000, 1_000_001].map(Value::from).to_vec(),
        (_, Value::Number(old)) => [
            0,
            1,
            2,
            3,
            4,
            old.as_u64().unwrap() + 1,
            1_000,
            1_001,
            u64::from(u32::MAX),
        ]
        .map(Value::from)
        .to_vec(),
        (_, Value::String(old)) if old.len() == 42 => {
            [json!(Address::ZERO)].into_iter().chain(accounts).collect()
        }
        (_, Value::String(old)) if old.len() == 66 => {
            vec![json!(B256::ZERO), json!(keccak256(1u64.to_be_bytes()))]
        }
        (_, Value::String(old)) if old.len() == 32 => {
            (0..20).map(|n| format!("{n:032x}").into()).collect()
        }
        _ => vec![old.clone()],
    }
}

/// The signer stays the same in every second case.
fn twisted(chain: &Chain, signed: &SignedTransaction, twist: Twist) -> SignedTransaction {
    let mut value = serde_json::to_value(signed).unwrap();
    let object = value.as_object_mut().unwrap();
    let fields: Vec<String> = object
        .keys()
        .filter(|name| !name.ends_with("signature"))
        .cloned()
        .collect();
    let field = &fields[twist.field % fields.len()];
    let values = values(field, &object[field], chain.now_ms + 250);
    object.insert(field.clone(), values[twist.value % values.len()].clone());
    let Ok(changed) = serde_json::from_value::<SignedTransaction>(value) else {
        return signed.clone();
    };
    let before = signed.signer(chain.ledger.domain()).unwrap();
    let same = SIGNERS.iter().find(|name| address(name) == before);
    let payload = approved(chain, changed.payload, twist);
    let by = same
        .filter(|_| twist.signer.is_multiple_of(2))
        .unwrap_or(&SIGNERS[twist.signer % SIGNERS.len()]);
    chain.sign(payload, by)
}

/// What the registrar approved or a terminal witnessed is twisted only in every third case.
fn approved(chain: &Chain, payload: Payload, twist: Twist) -> Payload {
    match payload {
        Payload::RecordConsent(t) if !twist.signer.is_multiple_of(3) => chain.witnessed(t).payload,
        Payload::RegisterOutlet(t) if !twist.signer.is_multiple_of(3) => {
            let domain = chain.ledger.domain();
            let digest =
                domain.approval_digest(t.outlet, t.owner, t.approval_ref, t.approval_expires_at_ms);
            Payload::RegisterOutlet(RegisterOutlet {
                approval_signature: Signature::sign(digest, &key("registrar")),
                ..t
            })
        }
        other => other,
    }
}

/// Few sales, so that most claims and refunds find theirs.
fn dense(action: Action) -> Action {
    match action {
        Action::Sale {
            outlet,
            number,
            kind,
        } => {
            let outlet = if number < 20 { outlet } else { 10 + number % 4 };
            Action::Sale {
                outlet,
                number: number % 12,
                kind,
            }
        }
        Action::Claim {
            outlet,
            number,
            guest,
        } => Action::Claim {
            outlet,
            number: number % 12,
            guest,
        },
        Action::Refund {
            outlet,
            number,
            refund,
            amount,
        } => {
            let (refund, amount) = (
                amount as u8 % 20,
                if refund == 0 { amount } else { amount / 20 },
            );
            Action::Refund {
                outlet,
                number: number % 3,
                refund,
                amount,
            }
        }
        other => other,
    }
}

fn twist() -> impl Strategy<Value = Option<Twist>> {
    proptest::option::of(
        (0..20usize, 0..20usize, 0..40usize).prop_map(|(field, value, signer)| Twist {
            field,
            value,
            signer,
        }),
    )
}

/// What happens, and each transaction once more with a twist; then the epoch ends.
fn play(chain: &mut Chain, steps: &[(Step, Option<Twist>)]) {
    let mut waiting = Vec::new();
    for (step, twist) in steps {
        match step {
            Step::Old(Action::Wait { ms }) => chain.now_ms += ms,
            Step::Old(Action::Block) => {
                let _ = chain.block(&std::mem::take(&mut waiting));
                assert!(chain.ledger.conserves());
            }
            other => {
                let signed = transactions(chain, other);
                let twisted = signed
                    .first()
                    .zip(*twist)
                    .map(|(signed, twist)| twisted(chain, signed, twist));
                waiting.extend(twisted.into_iter().chain(signed).collect::<Vec<_>>());
            }
        }
    }
    chain.now_ms += 2 * DAY_MS;
    chain.finish_epoch();
    assert!(chain.ledger.conserves());
}

/// Three outlets: the third with a quota; and its registration with a twist before.
fn begin(genesis: Genesis, quota: u32, candidates: usize, twists: &[Option<Twist>]) -> Chain {
    let mut chain = Chain::with_agents(genesis);
    for i in 0..candidates {
        chain.add_candidate(i, CITIES[i % 4]);
    }
    for twist in twists.iter().flatten() {
        let outlet = chain.register_outlet(3, OutletKind::Franchised, quota);
        let terminal = chain.register_terminal(3, "till 3");
        let twisted = [
            twisted(&chain, &outlet, *twist),
            outlet,
            twisted(&chain, &terminal, *twist),
            terminal,
        ];
        let _ = chain.block(&twisted);
    }
    chain
}

/// `EXPORTS=FOLDER SEED=N cargo test -p domain exports -- --ignored`; the same seed gives the same chains.
#[test]
#[ignore = "scripts/test runs it and replays what it writes"]
#[allow(clippy::disallowed_methods, reason = "say what to write and where")]
fn exports_of_random_chains() {
    let folder = std::env::var("EXPORTS").expect("EXPORTS names the folder to write to");
    let seed: u8 = std::env::var("SEED").map_or(0, |seed| {
        seed.parse().expect("SEED is a number from 0 to 255")
    });
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(ProptestConfig::default(), rng);
    let actions = proptest::collection::vec((step(), twist()), 0..180);
    let cases = (
        any_genesis(),
        actions,
        0..3u32,
        0..8usize,
        proptest::collection::vec(twist(), 0..4),
    );
    for number in 0..CHAINS {
        let (genesis, actions, quota, candidates, twists) =
            cases.new_tree(&mut runner).unwrap().current();
        let mut chain = begin(genesis, quota, candidates, &twists);
        play(&mut chain, &actions);
        std::fs::write(format!("{folder}/{number}.jsonl"), lines(&chain)).unwrap();
    }
}
