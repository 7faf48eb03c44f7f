//! Signs and verifies for the engine. Nothing is signed that the double-sign guard has not made durable first.

use super::context::{
    EngineKey, EngineSignature, EthCurve, Height, HotPot, Proposal, Vote, parts_bytes,
    proposal_bytes, vote_bytes,
};
use crate::core::guard::{Slot, Step};
use crate::io::guard_file::{GuardError, GuardFile};
use arc_malachitebft_app_channel::app::types::core::{
    Round, SignedMessage, ValidatorProof, VoteExtensionScope, VoteType,
};
use arc_malachitebft_signing::{Error, Signer, VerificationResult, Verifier};
use arc_malachitebft_signing_ecdsa::CurveConfig;
use async_trait::async_trait;
use bytes::Bytes;
use domain::crypto::address_of_secret;
use domain::{Address, B256, keccak256};
use secp256k1::{PublicKey, SECP256K1, SecretKey};
use std::error::Error as _;
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

/// Checks the signatures of other validators.
#[derive(Clone, Copy, Debug)]
pub struct VoteVerifier {
    pub sidechain_id: B256,
}

fn verify_signature(
    message: &[u8],
    signature: &EngineSignature,
    key: &EngineKey,
) -> Result<VerificationResult, Error> {
    Ok(VerificationResult::from_bool(
        key.verify(message, signature).is_ok(),
    ))
}

#[async_trait]
impl Verifier<HotPot> for VoteVerifier {
    async fn verify_signed_vote(
        &self,
        vote: &Vote,
        signature: &EngineSignature,
        key: &EngineKey,
    ) -> Result<VerificationResult, Error> {
        verify_signature(&vote_bytes(self.sidechain_id, vote), signature, key)
    }

    async fn verify_signed_proposal(
        &self,
        proposal: &Proposal,
        signature: &EngineSignature,
        key: &EngineKey,
    ) -> Result<VerificationResult, Error> {
        verify_signature(&proposal_bytes(self.sidechain_id, proposal), signature, key)
    }

    /// This chain uses no vote extensions: checkpoints are signed after the decision.
    async fn verify_signed_vote_extension(
        &self,
        _scope: &VoteExtensionScope<HotPot>,
        _extension: &Bytes,
        _signature: &EngineSignature,
        _key: &EngineKey,
    ) -> Result<VerificationResult, Error> {
        Ok(VerificationResult::Invalid)
    }

    async fn verify_validator_proof(
        &self,
        proof: &ValidatorProof<HotPot>,
    ) -> Result<VerificationResult, Error> {
        match proof.decoded_public_key() {
            Ok(key) => verify_signature(&proof.preimage(), &proof.signature, &key),
            Err(_) => Ok(VerificationResult::Invalid),
        }
    }
}

/// Signs with the validator's key, behind the guard.
#[derive(Clone)]
pub struct GuardedSigner {
    key: SecretKey,
    sidechain_id: B256,
    guard: Arc<Mutex<GuardFile>>,
    /// Told why a signature is refused, until one is given again.
    refusal: watch::Sender<Option<String>>,
}

impl GuardedSigner {
    pub fn new(
        key: SecretKey,
        sidechain_id: B256,
        guard: GuardFile,
        refusal: watch::Sender<Option<String>>,
    ) -> Self {
        Self {
            key,
            sidechain_id,
            guard: Arc::new(Mutex::new(guard)),
            refusal,
        }
    }

    /// Whose signatures these are.
    pub fn address(&self) -> Address {
        address_of_secret(&self.key)
    }

    /// What they are checked with.
    pub fn public_key(&self) -> PublicKey {
        self.key.public_key(SECP256K1)
    }

    fn guarded(&self, slot: Slot, message: &[u8]) -> Result<EngineSignature, Error> {
        let refused = |error: GuardError| {
            tracing::error!(%error, ?slot, "the double-sign guard refuses to sign");
            metrics::counter!("hotpot_node_guard_refusals_total").increment(1);
            self.refusal.send_replace(Some(with_cause(&error)));
            error
        };

        let mut guard = self
            .guard
            .lock()
            .map_err(|_| engine_error(GuardError::Poisoned))?;
        guard
            .permit(slot, keccak256(message))
            .map_err(refused)
            .map_err(engine_error)?;

        self.refusal
            .send_if_modified(|refusal| refusal.take().is_some());
        self.signature(message)
    }

    fn signature(&self, message: &[u8]) -> Result<EngineSignature, Error> {
        EthCurve::sign(&self.key, message)
            .map(EngineSignature::new)
            .map_err(engine_error)
    }

    /// Signs the parts of a proposed block: covered by the guard through the proposal that follows.
    pub fn sign_parts(
        &self,
        height: Height,
        round: Round,
        block_hash: B256,
    ) -> Result<EngineSignature, Error> {
        self.signature(&parts_bytes(self.sidechain_id, height, round, block_hash))
    }
}

fn with_cause(error: &GuardError) -> String {
    error
        .source()
        .map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}

fn engine_error(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::from_source(error)
}

#[async_trait]
impl Signer<HotPot> for GuardedSigner {
    async fn sign_vote(&self, vote: Vote) -> Result<SignedMessage<HotPot, Vote>, Error> {
        let step = match vote.step {
            VoteType::Prevote => Step::Prevote,
            VoteType::Precommit => Step::Precommit,
        };
        let slot = Slot {
            height: vote.height.0,
            round: vote.round.as_i64(),
            step,
        };
        let signature = self.guarded(slot, &vote_bytes(self.sidechain_id, &vote))?;
        Ok(SignedMessage::new(vote, signature))
    }

    async fn sign_proposal(
        &self,
        proposal: Proposal,
    ) -> Result<SignedMessage<HotPot, Proposal>, Error> {
        let slot = Slot {
            height: proposal.height.0,
            round: proposal.round.as_i64(),
            step: Step::Propose,
        };
        let signature = self.guarded(slot, &proposal_bytes(self.sidechain_id, &proposal))?;
        Ok(SignedMessage::new(proposal, signature))
    }

    async fn sign_vote_extension(
        &self,
        _scope: VoteExtensionScope<HotPot>,
        _extension: Bytes,
    ) -> Result<SignedMessage<HotPot, Bytes>, Error> {
        Err(engine_error(GuardError::NoExtensions))
    }

    async fn sign_validator_proof(
        &self,
        public_key: Vec<u8>,
        peer_id: Vec<u8>,
    ) -> Result<ValidatorProof<HotPot>, Error> {
        let signature = self.signature(&ValidatorProof::<HotPot>::signing_bytes(
            &public_key,
            &peer_id,
        ))?;
        Ok(ValidatorProof::new(public_key, peer_id, signature))
    }
}
