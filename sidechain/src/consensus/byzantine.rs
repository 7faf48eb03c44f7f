//! A validator that proposes what no block may be, beside three honest ones, over the real engine and network.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::context::{Address, BlockHash, Height, HotPot};
use super::engine::{Engine, Voter, launch_engine, start};
use super::handler::Handler;
use super::streams::StreamedBlock;
use crate::config::NodeConfig;
use crate::core::mempool::Source;
use crate::io::guard_file::GuardFile;
use crate::io::store::Store;
use crate::node::Node;
use arc_malachitebft_app_channel::app::streaming::StreamId;
use arc_malachitebft_app_channel::app::types::LocallyProposedValue;
use arc_malachitebft_app_channel::app::types::core::Round;
use arc_malachitebft_app_channel::{AppMsg, Channels, NetworkMsg};
use bytes::Bytes;
use domain::crypto::address_of_secret;
use domain::genesis::EpochLength;
use domain::limits::BLOCK_AHEAD_MS_MAX;
use domain::parameters::{ElectionRules, Parameters};
use domain::transaction::{SetParameters, VerifiedTransaction};
use domain::{B256, Block, Genesis, Payload, Signature, SignedTransaction, Validator};
use secp256k1::{SECP256K1, SecretKey};
use service_kit::clock::now_ms;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const VALIDATORS: usize = 4;
/// Which of them lies.
const LIAR: usize = 3;
/// Proposals of the liar that are waited for, and heights after them.
const LIES: u64 = 3;
const HEIGHTS: u64 = 4;
const PATIENCE: Duration = Duration::from_secs(60);
/// What the forged transaction would set.
const FORGED_UNBONDING_MS: u64 = 77_777;

/// What is wrong with each block that the liar proposes; all else in it is right, and so are its own signatures.
#[derive(Clone, Copy, Debug)]
enum Lie {
    /// Another state than the blocks before lead to.
    State,
    /// The founder's transaction, which the founder never signed.
    Forgery,
    /// A time that honest clocks have not reached.
    Future,
    /// Bytes that are no block.
    Noise,
}

fn key(number: usize) -> SecretKey {
    SecretKey::from_byte_array([u8::try_from(number + 1).unwrap(); 32]).unwrap()
}

fn founder() -> SecretKey {
    key(VALIDATORS)
}

fn genesis() -> Genesis {
    let validator = |number| Validator {
        address: address_of_secret(&key(number)),
        power: 10,
        public_key: key(number).public_key(SECP256K1).serialize().into(),
    };
    let mut validators: Vec<Validator> = (0..VALIDATORS).map(validator).collect();
    validators.sort_by_key(|validator| validator.address);
    Genesis {
        name: "byzantine".into(),
        evm_chain_id: 31337,
        time_ms: 0,
        first_height: 1,
        parent_hash: B256::ZERO,
        founder: address_of_secret(&founder()),
        guardian: address_of_secret(&founder()),
        registrar: address_of_secret(&founder()),
        epoch_length: EpochLength::Blocks(1_000),
        settlement_epochs: 1,
        maturity_ms: 0,
        change_delay_ms: 0,
        parameters: Parameters::DEFAULT,
        election: ElectionRules::default(),
        validators: validators.try_into().unwrap(),
    }
}

fn node(folder: &Path, number: usize, addresses: &[String]) -> Arc<Node> {
    let mut config = NodeConfig {
        data_dir: folder.join(number.to_string()),
        ..NodeConfig::default()
    };
    config.p2p.listen = addresses[number].clone();
    config.p2p.peers = addresses
        .iter()
        .filter(|address| **address != addresses[number])
        .cloned()
        .collect();
    config.consensus.heartbeat_ms = 100;
    std::fs::create_dir(&config.data_dir).unwrap();
    let store = Store::open(&config.data_dir.join("store.redb")).unwrap();
    let mut node = Node::open(genesis(), store, config).unwrap();
    node.validator = Some(address_of_secret(&key(number)));
    Arc::new(node)
}

fn voter(node: &Node, number: usize) -> Voter {
    Voter {
        key: key(number),
        guard: GuardFile::open(&node.config.data_dir.join("guard"), 1, true).unwrap(),
    }
}

/// As the founder would sign it, but for the signature.
fn forged(node: &Node, nonce: u64) -> VerifiedTransaction {
    let parameters = Parameters {
        unbonding_ms: FORGED_UNBONDING_MS,
        ..Parameters::DEFAULT
    };
    let payload = Payload::SetParameters(SetParameters { parameters, nonce });
    let id = node.ledger().domain().transaction_digest(&payload);
    let signature = Signature::sign(id, &key(LIAR));
    VerifiedTransaction {
        transaction: SignedTransaction { payload, signature },
        id,
        signer: genesis().founder,
    }
}

/// The bytes of the block that is proposed, and the hash that is voted on.
fn lie(node: &Node, lie: Lie, told: u64) -> (Bytes, B256) {
    if matches!(lie, Lie::Forgery) {
        node.admit(forged(node, told + 1), None, Source::Peer)
            .unwrap();
    }
    let mut block: Block = node.build_block(address_of_secret(&key(LIAR))).block;
    match lie {
        Lie::State => block.header.state_digest = B256::repeat_byte(9),
        Lie::Forgery => assert!(!block.transactions.is_empty()),
        Lie::Future => block.header.time_ms = now_ms() + 6 * BLOCK_AHEAD_MS_MAX,
        Lie::Noise => return (Bytes::from_static(b"no block"), block.header.hash()),
    }
    (block.encode().into(), block.header.hash())
}

/// The node's side of consensus as everybody's, but for what is proposed. Tells of each lie.
async fn liar(
    node: Arc<Node>,
    what: Lie,
    told: mpsc::UnboundedSender<u64>,
    stop: CancellationToken,
) {
    let voter = voter(&node, LIAR);
    let Engine {
        channels,
        signer,
        handle,
    } = launch_engine(&node, Some(voter)).await.unwrap();
    let signer = signer.unwrap();
    let Channels {
        consensus: mut asked,
        network,
        events,
        requests,
        net_requests,
    } = channels;
    let (passed_on, consensus) = mpsc::channel(64);
    let channels = Channels::<HotPot> {
        consensus,
        network: network.clone(),
        events,
        requests,
        net_requests,
    };
    let handler = Handler::new(Arc::clone(&node), Some(signer.clone()), mpsc::channel(64).0);
    let handler = tokio::spawn(handler.run(channels, stop.clone()));
    let mut lies = 0;
    while let Some(Some(message)) = stop.run_until_cancelled(asked.recv()).await {
        let AppMsg::GetValue {
            height,
            round,
            reply,
            ..
        } = message
        else {
            // Told to stop, the honest part may end first.
            if passed_on.send(message).await.is_err() {
                break;
            }
            continue;
        };
        let (bytes, hash) = lie(&node, what, lies);
        let signature = signer.sign_parts(height, round, hash).unwrap();
        let _ = reply.send(LocallyProposedValue::new(height, round, BlockHash(hash)));
        let streamed = StreamedBlock {
            height,
            round,
            pol_round: Round::Nil,
            proposer: Address(signer.address()),
            bytes,
            signature,
        };
        publish(streamed, lies, &network).await;
        lies += 1;
        let Height(height) = height;
        let _ = told.send(height);
    }
    drop(passed_on);
    let _ = handler.await.unwrap();
    handle.actor.stop(None);
}

async fn publish(streamed: StreamedBlock, number: u64, network: &mpsc::Sender<NetworkMsg<HotPot>>) {
    let id = StreamId::new(Bytes::copy_from_slice(&number.to_be_bytes()));
    for message in streamed.into_messages(id) {
        network
            .send(NetworkMsg::PublishProposalPart(message))
            .await
            .unwrap();
    }
}

async fn reach(node: &Node, height: u64) {
    let mut now = node.height.subscribe();
    now.wait_for(|now| *now >= height).await.unwrap();
}

/// What all honest validators have decided is valid, the same, and not the liar's.
fn check(honest: &[Arc<Node>], what: Lie) {
    let last = honest
        .iter()
        .map(|node| node.ledger().height())
        .min()
        .unwrap();
    for height in 1..=last {
        let blocks: Vec<Block> = honest
            .iter()
            .map(|node| node.store.block(height).unwrap().unwrap())
            .collect();
        assert!(
            blocks.iter().all(|block| *block == blocks[0]),
            "{what:?}: two blocks of height {height}"
        );
        let header = &blocks[0].header;
        assert_ne!(
            header.proposer,
            address_of_secret(&key(LIAR)),
            "{what:?}: decided at height {height}"
        );
        assert!(
            header.time_ms <= now_ms() + BLOCK_AHEAD_MS_MAX,
            "{what:?}: time of height {height}"
        );
    }
    for node in honest {
        assert_ne!(
            node.ledger().parameters().unbonding_ms,
            FORGED_UNBONDING_MS,
            "{what:?}"
        );
    }
}

async fn story(what: Lie) {
    let folder = tempfile::tempdir().unwrap();
    let address = |_| {
        format!(
            "/ip4/127.0.0.1/tcp/{}",
            local_services::free_port().unwrap()
        )
    };
    let addresses: Vec<String> = (0..VALIDATORS).map(address).collect();
    let nodes: Vec<Arc<Node>> = (0..VALIDATORS)
        .map(|number| node(folder.path(), number, &addresses))
        .collect();
    let stop = CancellationToken::new();
    let mut running = JoinSet::new();
    for (number, node) in nodes
        .iter()
        .enumerate()
        .filter(|(number, _)| *number != LIAR)
    {
        let voter = voter(node, number);
        running.spawn(start(
            Arc::clone(node),
            Some(voter),
            mpsc::channel(64).0,
            stop.clone(),
        ));
    }
    let (tell, mut told) = mpsc::unbounded_channel();
    let lying = tokio::spawn(liar(Arc::clone(&nodes[LIAR]), what, tell, stop.clone()));
    let honest = &nodes[..LIAR];
    let after_lies = async {
        for _ in 1..LIES {
            told.recv().await.unwrap();
        }
        let last = told.recv().await.unwrap();
        for node in honest {
            reach(node, last + HEIGHTS).await;
        }
    };
    let went_on = tokio::select! {
        () = after_lies => true,
        () = tokio::time::sleep(PATIENCE) => false,
        ended = running.join_next() => panic!("{what:?}: an honest validator ended: {ended:?}"),
    };
    assert!(
        went_on,
        "{what:?}: heights {:?}",
        nodes
            .iter()
            .map(|node| node.ledger().height())
            .collect::<Vec<_>>()
    );
    check(honest, what);
    stop.cancel();
    lying.await.unwrap();
    running
        .join_all()
        .await
        .into_iter()
        .for_each(|ended| ended.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proposer_of_a_wrong_state_is_voted_down() {
    story(Lie::State).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proposer_of_a_forged_signature_is_voted_down() {
    story(Lie::Forgery).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proposer_with_a_clock_far_ahead_is_voted_down() {
    story(Lie::Future).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proposer_of_no_block_at_all_is_voted_down() {
    story(Lie::Noise).await;
}
