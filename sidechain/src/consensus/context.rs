//! The engine's types, filled in for this chain: 20-byte addresses, 65-byte recoverable secp256k1 signatures over
//! keccak256, a block's hash as the value. Blocks travel as proposal parts.

use arc_malachitebft_app_channel::app::types::core::{
    self as engine, NilOrVal, Round, SignedExtension, VoteType,
};
use arc_malachitebft_signing_ecdsa::{CurveConfig, Ecdsa, SignatureError};
use bytes::Bytes;
use domain::certificate::{VoteStep, proposal_preimage, vote_preimage};
use domain::{Address as EthAddress, B256, keccak256};
use secp256k1::{PublicKey, SECP256K1, SecretKey};
use std::fmt;
use std::sync::Arc;

/// secp256k1 with keccak256 and r‖s‖v: what `ecrecover` takes. Verified by libsecp256k1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EthCurve;

impl CurveConfig for EthCurve {
    type Signature = domain::Signature;
    type SigningKey = SecretKey;
    type VerifyingKey = PublicKey;

    const PRIVATE_KEY_TYPE: &'static str = "hotpot/PrivKeyEthSecp256k1";
    const PUBLIC_KEY_TYPE: &'static str = "hotpot/PubKeyEthSecp256k1";

    fn signing_key_random<R: rand::RngCore + rand::CryptoRng>(rng: &mut R) -> SecretKey {
        loop {
            let mut bytes = [0u8; 32];
            rng.fill_bytes(&mut bytes);
            if let Ok(key) = SecretKey::from_byte_array(bytes) {
                return key;
            }
        }
    }

    fn signing_key_from_bytes(bytes: &[u8]) -> Result<SecretKey, SignatureError> {
        let bytes = <[u8; 32]>::try_from(bytes).map_err(|_| SignatureError::new())?;
        SecretKey::from_byte_array(bytes).map_err(|_| SignatureError::new())
    }

    fn signing_key_to_bytes(key: &SecretKey) -> Vec<u8> {
        key.secret_bytes().to_vec()
    }

    fn verifying_key_from_signing(key: &SecretKey) -> PublicKey {
        key.public_key(SECP256K1)
    }

    fn verifying_key_from_sec1_bytes(bytes: &[u8]) -> Result<PublicKey, SignatureError> {
        PublicKey::from_slice(bytes).map_err(|_| SignatureError::new())
    }

    fn verifying_key_to_sec1_bytes(key: &PublicKey) -> Vec<u8> {
        key.serialize().to_vec()
    }

    fn signature_from_bytes(bytes: &[u8]) -> Result<domain::Signature, SignatureError> {
        <[u8; 65]>::try_from(bytes)
            .map(domain::Signature)
            .map_err(|_| SignatureError::new())
    }

    fn signature_to_bytes(signature: &domain::Signature) -> Vec<u8> {
        signature.0.to_vec()
    }

    fn sign(key: &SecretKey, message: &[u8]) -> Result<domain::Signature, SignatureError> {
        Ok(domain::Signature::sign(keccak256(message), key))
    }

    /// Recovers rather than verifies: a certificate is checked elsewhere by recovery, so v has to be right too.
    fn verify(
        key: &PublicKey,
        message: &[u8],
        signature: &domain::Signature,
    ) -> Result<(), SignatureError> {
        match signature.recover_key(keccak256(message)) {
            Ok(found) if found == *key => Ok(()),
            _ => Err(SignatureError::new()),
        }
    }
}

pub type Scheme = Ecdsa<EthCurve>;
pub type EngineKey = arc_malachitebft_signing_ecdsa::PublicKey<EthCurve>;
pub type EngineSignature = arc_malachitebft_signing_ecdsa::Signature<EthCurve>;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Height(pub u64);

impl fmt::Display for Height {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl engine::Height for Height {
    const ZERO: Self = Self(0);
    const INITIAL: Self = Self(1);

    fn increment_by(&self, n: u64) -> Self {
        Self(self.0.saturating_add(n))
    }

    fn decrement_by(&self, n: u64) -> Option<Self> {
        self.0.checked_sub(n).map(Self)
    }

    fn as_u64(&self) -> u64 {
        self.0
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(pub EthAddress);

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl engine::Address for Address {}

/// A block's hash: the value that consensus decides.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockHash(pub B256);

impl fmt::Display for BlockHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for BlockHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl engine::Value for BlockHash {
    type Id = Self;

    fn id(&self) -> Self {
        *self
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validator {
    pub address: Address,
    pub public_key: EngineKey,
    pub power: u64,
}

impl engine::Validator<HotPot> for Validator {
    fn address(&self) -> &Address {
        &self.address
    }

    fn public_key(&self) -> &EngineKey {
        &self.public_key
    }

    fn voting_power(&self) -> u64 {
        self.power
    }
}

/// The engine's set: power down, address up, as it demands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidatorSet {
    validators: Arc<Vec<Validator>>,
    /// Places of those who take turns to propose.
    proposers: Arc<Vec<usize>>,
}

impl ValidatorSet {
    /// The set of a ledger's next block. Who has been absent is passed over as a proposer.
    pub fn next(ledger: &domain::Ledger) -> Self {
        let mut set = Self::from(ledger.validators());
        let absent = ledger.absent();
        let present = |(_, validator): &(usize, &Validator)| !absent.contains(&validator.address.0);
        set.proposers = Arc::new(
            set.validators
                .iter()
                .enumerate()
                .filter(present)
                .map(|(place, _)| place)
                .collect(),
        );
        set
    }
}

impl From<&domain::ValidatorSet> for ValidatorSet {
    fn from(set: &domain::ValidatorSet) -> Self {
        let validator = |validator: &domain::Validator| {
            let public_key = PublicKey::from_slice(validator.public_key.as_slice()).ok()?;
            let address = Address(validator.address);
            Some(Validator {
                address,
                public_key: EngineKey::new(public_key),
                power: validator.power,
            })
        };
        // Every key was checked when the set was made.
        let mut validators: Vec<Validator> = set.as_slice().iter().filter_map(validator).collect();
        validators.sort_by(|a, b| b.power.cmp(&a.power).then(a.address.cmp(&b.address)));
        let proposers = Arc::new((0..validators.len()).collect());
        Self {
            validators: Arc::new(validators),
            proposers,
        }
    }
}

impl engine::ValidatorSet<HotPot> for ValidatorSet {
    fn count(&self) -> usize {
        self.validators.len()
    }

    fn total_voting_power(&self) -> u64 {
        self.validators
            .iter()
            .map(|validator| validator.power)
            .sum()
    }

    fn get_by_address(&self, address: &Address) -> Option<&Validator> {
        self.validators
            .iter()
            .find(|validator| validator.address == *address)
    }

    fn get_by_index(&self, index: usize) -> Option<&Validator> {
        self.validators.get(index)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    pub height: Height,
    pub round: Round,
    pub value: BlockHash,
    pub pol_round: Round,
    pub proposer: Address,
}

impl engine::Proposal<HotPot> for Proposal {
    fn height(&self) -> Height {
        self.height
    }

    fn round(&self) -> Round {
        self.round
    }

    fn value(&self) -> &BlockHash {
        &self.value
    }

    fn take_value(self) -> BlockHash {
        self.value
    }

    fn pol_round(&self) -> Round {
        self.pol_round
    }

    fn validator_address(&self) -> &Address {
        &self.proposer
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vote {
    pub step: VoteType,
    pub height: Height,
    pub round: Round,
    pub value: NilOrVal<BlockHash>,
    pub validator: Address,
    pub extension: Option<SignedExtension<HotPot>>,
}

impl engine::Vote<HotPot> for Vote {
    fn height(&self) -> Height {
        self.height
    }

    fn round(&self) -> Round {
        self.round
    }

    fn value(&self) -> &NilOrVal<BlockHash> {
        &self.value
    }

    fn take_value(self) -> NilOrVal<BlockHash> {
        self.value
    }

    fn vote_type(&self) -> VoteType {
        self.step
    }

    fn validator_address(&self) -> &Address {
        &self.validator
    }

    fn extension(&self) -> Option<&SignedExtension<HotPot>> {
        self.extension.as_ref()
    }

    fn take_extension(&mut self) -> Option<SignedExtension<HotPot>> {
        self.extension.take()
    }

    fn extend(self, extension: SignedExtension<HotPot>) -> Self {
        Self {
            extension: Some(extension),
            ..self
        }
    }
}

/// A piece of a proposed block on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Whose block for which round.
    Init {
        height: Height,
        round: Round,
        pol_round: Round,
        proposer: Address,
    },
    /// A slice of the encoded block.
    Data(Bytes),
    /// The proposer's signature over height, round and the block's hash.
    Fin { signature: EngineSignature },
}

impl engine::ProposalPart<HotPot> for Part {
    fn is_first(&self) -> bool {
        matches!(self, Self::Init { .. })
    }

    fn is_last(&self) -> bool {
        matches!(self, Self::Fin { .. })
    }
}

/// The chain, as the engine sees it.
#[derive(Clone, Copy, Debug)]
pub struct HotPot;

impl engine::Context for HotPot {
    type Address = Address;
    type Height = Height;
    type ProposalPart = Part;
    type Proposal = Proposal;
    type Validator = Validator;
    type ValidatorSet = ValidatorSet;
    type Timeouts = engine::LinearTimeouts;
    type Value = BlockHash;
    type Vote = Vote;
    type Extension = Bytes;
    type SigningScheme = Scheme;

    /// Round robin over the set: the next one for each height and each round.
    fn select_proposer<'a>(
        &self,
        set: &'a ValidatorSet,
        height: Height,
        round: Round,
    ) -> &'a Validator {
        let turn = height
            .0
            .wrapping_add(u64::from(round.as_u32().unwrap_or(0)));
        let turn = usize::try_from(turn % set.proposers.len() as u64).unwrap_or(0);
        &set.validators[set.proposers[turn]]
    }

    fn new_proposal(
        &self,
        height: Height,
        round: Round,
        value: BlockHash,
        pol_round: Round,
        proposer: Address,
    ) -> Proposal {
        Proposal {
            height,
            round,
            value,
            pol_round,
            proposer,
        }
    }

    fn new_prevote(
        &self,
        height: Height,
        round: Round,
        value: NilOrVal<BlockHash>,
        validator: Address,
    ) -> Vote {
        Vote {
            step: VoteType::Prevote,
            height,
            round,
            value,
            validator,
            extension: None,
        }
    }

    fn new_precommit(
        &self,
        height: Height,
        round: Round,
        value: NilOrVal<BlockHash>,
        validator: Address,
    ) -> Vote {
        Vote {
            step: VoteType::Precommit,
            height,
            round,
            value,
            validator,
            extension: None,
        }
    }
}

/// What a vote's signature covers; the same bytes that [`domain::CommitCertificate`] checks.
pub fn vote_bytes(sidechain_id: B256, vote: &Vote) -> Vec<u8> {
    let step = match vote.step {
        VoteType::Prevote => VoteStep::Prevote,
        VoteType::Precommit => VoteStep::Precommit,
    };
    let hash = match vote.value {
        NilOrVal::Nil => None,
        NilOrVal::Val(hash) => Some(hash.0),
    };
    vote_preimage(sidechain_id, step, vote.height.0, vote.round.as_i64(), hash)
}

/// What a proposal's signature covers.
pub fn proposal_bytes(sidechain_id: B256, proposal: &Proposal) -> Vec<u8> {
    let (round, pol_round) = (proposal.round.as_i64(), proposal.pol_round.as_i64());
    proposal_preimage(
        sidechain_id,
        proposal.height.0,
        round,
        pol_round,
        proposal.value.0,
    )
}

/// What the last part's signature covers.
pub fn parts_bytes(sidechain_id: B256, height: Height, round: Round, block_hash: B256) -> Vec<u8> {
    let mut bytes = b"HotPot parts 1".to_vec();
    bytes.extend_from_slice(sidechain_id.as_slice());
    bytes.extend_from_slice(&height.0.to_be_bytes());
    bytes.extend_from_slice(&round.as_i64().to_be_bytes());
    bytes.extend_from_slice(block_hash.as_slice());
    bytes
}
