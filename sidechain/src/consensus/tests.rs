//! The codec against hostile bytes, and streams against hostile peers.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::codec::{Encoded, Wire, decode_every_message};
use super::context::{Address, BlockHash, EngineSignature, Height, HotPot, Part, Proposal, Vote};
use super::signer::GuardedSigner;
use super::streams::{StreamedBlock, Streams};
use crate::io::guard_file::GuardFile;
use arc_malachitebft_app_channel::Signer as _;
use arc_malachitebft_app_channel::app::consensus::SignedConsensusMsg;
use arc_malachitebft_app_channel::app::streaming::{StreamId, StreamMessage};
use arc_malachitebft_app_channel::app::types::codec::Codec;
use arc_malachitebft_app_channel::app::types::core::{NilOrVal, Round, SignedMessage, VoteType};
use arc_malachitebft_app_channel::app::types::{Keypair, PeerId};
use bytes::Bytes;
use proptest::prelude::*;
use secp256k1::SecretKey;
use tokio::sync::watch;

fn signature() -> EngineSignature {
    EngineSignature::new(domain::Signature([7; 65]))
}

fn peer() -> PeerId {
    let identity = Keypair::ed25519_from_bytes([5; 32])
        .unwrap()
        .public()
        .to_peer_id();
    PeerId::from_bytes(&identity.to_bytes()).unwrap()
}

fn streamed(bytes: Vec<u8>) -> StreamedBlock {
    StreamedBlock {
        height: Height(5),
        round: Round::new(1),
        pol_round: Round::Nil,
        proposer: Address(domain::Address::repeat_byte(3)),
        bytes: bytes.into(),
        signature: signature(),
    }
}

fn messages(bytes: Vec<u8>) -> Vec<StreamMessage<Part>> {
    streamed(bytes).into_messages(StreamId::new(Bytes::from_static(b"stream")))
}

#[test]
fn a_vote_survives_the_codec() {
    let vote = Vote {
        step: VoteType::Precommit,
        height: Height(9),
        round: Round::new(2),
        value: NilOrVal::Val(BlockHash(domain::B256::repeat_byte(8))),
        validator: Address(domain::Address::repeat_byte(1)),
        extension: None,
    };
    let message = SignedConsensusMsg::<HotPot>::Vote(SignedMessage::new(vote, signature()));
    let decoded: SignedConsensusMsg<HotPot> = Wire.decode(Wire.encode(&message).unwrap()).unwrap();
    assert_eq!(decoded, message);
}

#[tokio::test]
async fn a_second_message_for_the_same_place_gets_no_signature() {
    let folder = tempfile::tempdir().unwrap();
    let guard = GuardFile::open(&folder.path().join("guard"), 1, true).unwrap();
    let refusal = watch::channel(None).0;
    let key = SecretKey::from_byte_array([3; 32]).unwrap();
    let signer = GuardedSigner::new(key, domain::B256::ZERO, guard, refusal.clone());
    let value = |byte| BlockHash(domain::B256::repeat_byte(byte));
    let vote = |byte| Vote {
        step: VoteType::Prevote,
        height: Height(9),
        round: Round::new(0),
        value: NilOrVal::Val(value(byte)),
        validator: Address(signer.address()),
        extension: None,
    };
    let first = signer.sign_vote(vote(1)).await.unwrap();
    assert!(signer.sign_vote(vote(2)).await.is_err(), "another value");
    assert!(refusal.borrow().is_some(), "it is told why");
    assert_eq!(
        signer.sign_vote(vote(1)).await.unwrap(),
        first,
        "the same one is signed again"
    );
    let proposal = |byte| Proposal {
        height: Height(10),
        round: Round::new(0),
        value: value(byte),
        pol_round: Round::Nil,
        proposer: Address(signer.address()),
    };
    signer.sign_proposal(proposal(1)).await.unwrap();
    assert!(
        signer.sign_proposal(proposal(2)).await.is_err(),
        "another proposal"
    );
}

#[test]
fn rounds_out_of_range_are_refused_without_a_panic() {
    for round in [i64::MIN, -2, i64::from(u32::MAX) + 1, i64::MAX] {
        assert!(Round::decode_from(&mut Bytes::copy_from_slice(&round.to_be_bytes())).is_err());
    }
}

proptest! {
    #[test]
    fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        decode_every_message(&bytes);
    }

    /// Parts in any order, twice, and over the wire: the same block.
    #[test]
    fn a_block_is_put_together_from_parts_in_any_order(
        size in 0usize..400_000,
        seed in any::<u64>(),
    ) {
        let bytes: Vec<u8> = (0..size).map(|i| (i % 251) as u8).collect();
        let mut parts = messages(bytes.clone());
        let first = parts[0].clone();
        parts.sort_by_key(|part| part.sequence.wrapping_mul(seed | 1).rotate_left(17));
        let mut streams = Streams::default();
        let peer = peer();
        prop_assert!(streams.insert(peer, first).is_none());
        let mut done = None;
        for part in parts {
            let wire: Bytes = Wire.encode(&part).unwrap();
            done = streams.insert(peer, Wire.decode(wire).unwrap()).or(done);
        }
        prop_assert_eq!(done, Some(streamed(bytes)));
    }
}

#[test]
fn a_stream_without_end_and_one_too_long_leave_nothing_behind() {
    let mut streams = Streams::default();
    let peer = peer();
    for stream in 0..1_000u32 {
        let id = StreamId::new(Bytes::copy_from_slice(&stream.to_be_bytes()));
        let part = streamed(vec![0; 10]).into_messages(id).remove(0);
        assert!(streams.insert(peer, part).is_none());
    }
    assert!(streams.open_streams() <= 64);
    let mut far = messages(vec![0; 10]).remove(1);
    far.sequence = u64::MAX;
    assert!(streams.insert(peer, far).is_none());
}
