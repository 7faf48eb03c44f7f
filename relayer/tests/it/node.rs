//! A sidechain in one struct, and the part of a node's API that the relayer uses.

use alloy::signers::local::PrivateKeySigner;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use client::CheckpointAnswer;
use domain::checkpoint::{CheckpointSignature, SignedCheckpoint};
use domain::eip712::DomainSeparator;
use domain::payout::{Chunk, Payout, Settlement};
use domain::{Address, B256, Checkpoint, Signature, Validator, ValidatorSet, merkle};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use wallet::SecretKey;

pub const SIDECHAIN_ID: B256 = B256::repeat_byte(0x11);
const BLOCKS_PER_EPOCH: u64 = 10;

pub struct Epoch {
    pub signed: SignedCheckpoint,
    pub digest: B256,
    pub settlement: Settlement,
}

pub struct Sidechain {
    chain_id: u64,
    anchor: Address,
    keys: Vec<SecretKey>,
    released: BTreeMap<Address, u64>,
    pub epochs: Vec<Epoch>,
}

pub type Shared = Arc<Mutex<Sidechain>>;

fn key(seed: u8) -> SecretKey {
    SecretKey::from_byte_array([seed; 32]).unwrap()
}

fn validator(key: &SecretKey) -> Validator {
    let signer = PrivateKeySigner::from_bytes(&B256::from(key.secret_bytes())).unwrap();
    let public_key = signer.credential().verifying_key().to_encoded_point(true);
    Validator {
        address: signer.address(),
        power: 10,
        public_key: public_key.as_bytes().try_into().unwrap(),
    }
}

fn set(keys: &[SecretKey]) -> ValidatorSet {
    let mut validators: Vec<Validator> = keys.iter().map(validator).collect();
    validators.sort_by_key(|validator| validator.address);
    validators.try_into().unwrap()
}

impl Sidechain {
    pub fn new(chain_id: u64) -> Self {
        let keys = (1..=4).map(key).collect();
        Self {
            chain_id,
            anchor: Address::ZERO,
            keys,
            released: BTreeMap::new(),
            epochs: Vec::new(),
        }
    }

    pub fn bind(&mut self, anchor: Address) {
        self.anchor = anchor;
    }

    pub fn validators(&self) -> ValidatorSet {
        set(&self.keys)
    }

    /// Ends an epoch that pays `units` more to each of the accounts `first..first + count`.
    pub fn end_epoch(&mut self, first: u64, count: u64, units: u64) {
        let next_keys = self.keys.clone();
        self.end_epoch_with(first, count, units, next_keys);
    }

    /// Ends an epoch after which other validators sign.
    pub fn end_epoch_and_rotate(&mut self, first: u64, count: u64, units: u64, next_seeds: &[u8]) {
        self.end_epoch_with(
            first,
            count,
            units,
            next_seeds.iter().copied().map(key).collect(),
        );
    }

    fn end_epoch_with(&mut self, first: u64, count: u64, units: u64, next_keys: Vec<SecretKey>) {
        let settlement = self.settle(first, count, units);
        let number = self.epochs.len() as u64 + 1;
        let checkpoint = Checkpoint {
            sidechain_id: SIDECHAIN_ID,
            epoch: number,
            first_height: (number - 1) * BLOCKS_PER_EPOCH + 1,
            last_height: number * BLOCKS_PER_EPOCH,
            blocks_root: B256::with_last_byte(1),
            state_root: B256::with_last_byte(2),
            payout_root: settlement.root(),
            recordings_root: merkle::EMPTY_ROOT,
            total_released: self.total_released(),
            next_validators_hash: set(&next_keys).hash(),
        };
        let digest =
            DomainSeparator::checkpoints(self.chain_id, self.anchor).checkpoint_digest(&checkpoint);
        let signed = self.sign(checkpoint, digest, set(&next_keys));
        self.epochs.push(Epoch {
            signed,
            digest,
            settlement,
        });
        self.keys = next_keys;
    }

    fn settle(&mut self, first: u64, count: u64, units: u64) -> Settlement {
        let payouts = (first..first + count).map(|index| {
            let account = account(index);
            let released = self.released.entry(account).or_default();
            *released += units;
            Payout {
                account,
                released: *released,
            }
        });
        Settlement::new(payouts.collect())
    }

    fn sign(
        &self,
        checkpoint: Checkpoint,
        digest: B256,
        next_validators: ValidatorSet,
    ) -> SignedCheckpoint {
        let validators = self.validators();
        let anchor = self.anchor;
        let mut signed = SignedCheckpoint {
            checkpoint,
            anchor,
            validators,
            next_validators,
            signatures: Vec::new(),
        };
        for key in &self.keys {
            let signature = CheckpointSignature {
                validator: validator(key).address,
                signature: Signature::sign(digest, key),
            };
            assert!(signed.add(digest, signature));
        }
        signed
    }

    pub fn total_released(&self) -> u128 {
        self.released.values().map(|units| u128::from(*units)).sum()
    }

    pub fn released(&self) -> Vec<(Address, u64)> {
        self.released
            .iter()
            .map(|(account, units)| (*account, *units))
            .collect()
    }

    pub fn chunk_count(&self) -> usize {
        self.epochs
            .iter()
            .map(|epoch| epoch.settlement.chunks().len())
            .sum()
    }
}

pub fn account(index: u64) -> Address {
    Address::left_padding_from(&(0x1_0000 + index).to_be_bytes())
}

pub fn router(sidechain: Shared) -> Router {
    Router::new()
        .route("/api/v1/checkpoints/latest", get(latest))
        .route("/api/v1/checkpoints/{epoch}", get(checkpoint))
        .route("/api/v1/checkpoints/{epoch}/payouts", get(payouts))
        .with_state(sidechain)
}

async fn latest(State(sidechain): State<Shared>) -> Result<Json<CheckpointAnswer>, StatusCode> {
    sidechain
        .lock()
        .unwrap()
        .epochs
        .last()
        .map(|epoch| Json(answer(epoch)))
        .ok_or(StatusCode::NOT_FOUND)
}

async fn checkpoint(
    State(sidechain): State<Shared>,
    Path(epoch): Path<usize>,
) -> Result<Json<CheckpointAnswer>, StatusCode> {
    sidechain
        .lock()
        .unwrap()
        .epochs
        .get(epoch - 1)
        .map(|epoch| Json(answer(epoch)))
        .ok_or(StatusCode::NOT_FOUND)
}

async fn payouts(
    State(sidechain): State<Shared>,
    Path(epoch): Path<usize>,
) -> Result<Json<Vec<Chunk>>, StatusCode> {
    let sidechain = sidechain.lock().unwrap();
    sidechain
        .epochs
        .get(epoch - 1)
        .map(|epoch| Json(epoch.settlement.chunks()))
        .ok_or(StatusCode::NOT_FOUND)
}

fn answer(epoch: &Epoch) -> CheckpointAnswer {
    let signed = &epoch.signed;
    CheckpointAnswer {
        checkpoint: signed.checkpoint,
        anchor: signed.anchor,
        digest: epoch.digest,
        quorum: signed.has_quorum(),
        validators: signed.validators.clone().into(),
        next_validators: signed.next_validators.clone().into(),
        signatures: signed.signatures.clone(),
        payouts: epoch.settlement.payouts().len(),
    }
}
