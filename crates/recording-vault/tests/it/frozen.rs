//! Frozen byte formats, and what strangers may send. `UPDATE_VECTORS=1 cargo test -p recording-vault frozen` writes them
//! anew: a deliberate act.

use crate::actors::{agent_key, domain, noise};
use domain::{B256, keccak256};
use ipfs::{Cid, Codec};
use proptest::prelude::*;
use recording_vault::core::envelope::{ENVELOPE_BYTES, Key, open, seal, segment_key};
use recording_vault::{Capture, Manifest, ManifestError, SignedManifest, check_chain};
use serde_json::json;
use zeroize::Zeroizing;

#[allow(clippy::disallowed_methods, reason = "a switch of the test run")]
fn check(name: &str, found: &serde_json::Value) {
    let path = format!("{}/tests/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = format!("{}\n", serde_json::to_string_pretty(found).unwrap());
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(&path).unwrap_or_default(),
        text,
        "{name}: the format changed"
    );
}

fn manifest(sequence: u64, previous: B256) -> Manifest {
    let capture = Capture {
        outlet: 1,
        camera: 4,
        consent: keccak256("consent"),
        sequence,
        previous,
        started_at_ms: 1_732_600_000_000 + sequence * 4_000,
        ended_at_ms: 1_732_600_004_000 + sequence * 4_000,
        keep_until_ms: 1_733_000_000_000,
        mask_policy: "silhouettes+centerface t.1 x1.6".into(),
        model: keccak256("model"),
        plaintext_hash: keccak256("segment"),
        plaintext_bytes: 7,
    };
    let sealed = sealed(&capture);
    Manifest {
        cid: ipfs::unixfs::cid_of(&sealed),
        ciphertext_hash: keccak256(&sealed),
        ciphertext_bytes: sealed.len() as u32,
        capture,
    }
}

fn key() -> Key {
    Zeroizing::new(keccak256("key").0)
}

fn sealed(capture: &Capture) -> Vec<u8> {
    let salt = Zeroizing::new(keccak256("salt").0);
    seal(
        &segment_key(&key(), &salt, capture.hash()),
        [5; 24],
        capture.hash(),
        capture.sequence,
        b"segment",
    )
}

#[test]
fn manifest_and_envelope() {
    let manifest = manifest(0, B256::ZERO);
    let signed = manifest.clone().sign(&domain(), &agent_key());
    check(
        "manifest",
        &json!({
            "domain_separator": domain().0,
            "agent": wallet::address(&agent_key()),
            "capture_hash": manifest.capture.hash(),
            "manifest_hash": manifest.hash(),
            "digest": manifest.digest(&domain()),
            "cid": manifest.cid,
            "encoded": format!("0x{}", hex::encode(signed.encode())),
            "signature": signed.signature,
            "shared_key": format!("0x{}", hex::encode(key().as_slice())),
            "salt": keccak256("salt"),
            "envelope": format!("0x{}", hex::encode(sealed(&manifest.capture))),
        }),
    );
    assert_eq!(SignedManifest::decode(&signed.encode()).unwrap(), signed);
    signed
        .check_signer(&domain(), wallet::address(&agent_key()))
        .unwrap();
}

#[test]
fn a_row_of_manifests_shows_what_is_missing_and_who_signed() {
    let mut row = vec![manifest(0, B256::ZERO)];
    for sequence in 1..5 {
        row.push(manifest(sequence, row.last().unwrap().hash()));
    }
    check_chain(&row).unwrap();
    check_chain(&row[2..]).unwrap();
    let without = [&row[0], &row[1], &row[3]];
    assert_eq!(
        check_chain(without),
        Err(ManifestError::Chain { sequence: 3 })
    );
    let mut changed = row.clone();
    changed[2].capture.mask_policy = "none".into();
    assert_eq!(
        check_chain(&changed),
        Err(ManifestError::Chain { sequence: 3 })
    );
    let stranger = wallet::SecretKey::from_byte_array([1; 32]).unwrap();
    let signed = row[0].clone().sign(&domain(), &stranger);
    assert!(matches!(
        signed.check_signer(&domain(), wallet::address(&agent_key())),
        Err(ManifestError::Signer { .. })
    ));
}

#[test]
fn what_no_agent_writes_is_named() {
    let of = |change: &dyn Fn(&mut Capture)| {
        let mut manifest = manifest(0, B256::ZERO);
        change(&mut manifest.capture);
        SignedManifest::decode(&manifest.sign(&domain(), &agent_key()).encode())
            .unwrap_err()
            .to_string()
    };
    assert!(of(&|c| c.ended_at_ms = c.started_at_ms).contains("ended_at_ms"));
    assert!(of(&|c| c.ended_at_ms = c.started_at_ms + 600_001).contains("ended_at_ms"));
    assert!(of(&|c| c.keep_until_ms = 0).contains("keep_until_ms"));
    assert!(of(&|c| c.mask_policy = String::new()).contains("mask_policy"));
    assert!(of(&|c| c.mask_policy = "x".repeat(201)).contains("mask_policy"));
    assert!(of(&|c| c.plaintext_bytes = 0).contains("plaintext_bytes"));
    assert!(of(&|c| c.sequence = 1).contains("previous"));
    assert!(
        SignedManifest::decode(&[0; 2000])
            .unwrap_err()
            .to_string()
            .contains("2000 bytes")
    );
    assert!(SignedManifest::decode(&[]).is_err() && SignedManifest::decode(&[2, 0]).is_err());
}

proptest! {
    #[test]
    fn any_bytes_as_a_manifest_give_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..700), version: bool) {
        let mut bytes = bytes;
        if version && !bytes.is_empty() {
            bytes[0] = 1;
        }
        if let Ok(signed) = SignedManifest::decode(&bytes) {
            prop_assert_eq!(signed.encode(), bytes);
        }
    }

    #[test]
    fn a_changed_byte_is_no_manifest_of_ours(at in 0usize..500, to: u8) {
        let signed = manifest(0, B256::ZERO).sign(&domain(), &agent_key());
        let mut bytes = signed.encode();
        let at = at % bytes.len();
        bytes[at] = to;
        if let Ok(other) = SignedManifest::decode(&bytes) {
            let valid = other.check_signer(&domain(), wallet::address(&agent_key())).is_ok();
            prop_assert_eq!(valid, bytes == signed.encode());
        }
    }

    #[test]
    fn an_envelope_opens_with_its_key_and_its_manifest_only(
        segment in prop::collection::vec(any::<u8>(), 0..300),
        sequence: u64, nonce: [u8; 24], capture: [u8; 32], at: prop::sample::Index, bit in 0u8..8,
    ) {
        let (key, capture) = (key(), B256::from(capture));
        let envelope = seal(&key, nonce, capture, sequence, &segment);
        prop_assert_eq!(envelope.len(), segment.len() + ENVELOPE_BYTES);
        let opened = open(&key, capture, sequence, &envelope).unwrap();
        prop_assert_eq!(opened.as_slice(), segment.as_slice());
        prop_assert!(open(&key, capture, sequence.wrapping_add(1), &envelope).is_err());
        prop_assert!(open(&key, keccak256(capture), sequence, &envelope).is_err());
        prop_assert!(open(&Zeroizing::new([0; 32]), capture, sequence, &envelope).is_err());
        let mut flipped = envelope.clone();
        flipped[at.index(envelope.len())] ^= 1 << bit;
        prop_assert!(open(&key, capture, sequence, &flipped).is_err());
        prop_assert!(open(&key, capture, sequence, &envelope[..at.index(envelope.len())]).is_err());
    }

    #[test]
    fn any_bytes_as_an_envelope_stay_closed(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(open(&key(), B256::ZERO, 0, &bytes).is_err());
    }
}

#[test]
fn a_segment_needs_both_key_and_salt() {
    let (capture, salt) = (B256::repeat_byte(1), Zeroizing::new([2; 32]));
    let of =
        |shared: [u8; 32], salt: &Key, capture| segment_key(&Zeroizing::new(shared), salt, capture);
    let right = of([1; 32], &salt, capture);
    for other in [
        of([3; 32], &salt, capture),
        of([1; 32], &Zeroizing::new([3; 32]), capture),
        of([1; 32], &salt, B256::ZERO),
    ] {
        assert_ne!(*right, *other);
    }
    assert_ne!(
        Cid::of_block(Codec::Raw, &noise(1, 9)),
        Cid::of_block(Codec::DagPb, &noise(1, 9))
    );
}
