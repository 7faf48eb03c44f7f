//! A small chain with known keys, for the tests of this crate.

use domain::certificate::{CommitSignature, VoteStep, vote_preimage};
use domain::consent::{BasisKind, Consent, Purposes};
use domain::crypto::address_of_secret;
use domain::eip712::WitnessedConsent;
use domain::evidence::{Offence, SignedVote};
use domain::genesis::EpochLength;
use domain::ledger::{BlockExecution, EpochCheckpoint};
use domain::limits::QUOTA_UNLIMITED;
use domain::recording::{EraseReason, RecordingEntry};
use domain::transaction::{
    CancelChange, ClaimReceipt, EraseRecording, Evidence, FullSettlement, Heartbeat, PinRecording,
    RecordConsent, RecordLegalBasis, Refund, RegisterOutlet, RegisterTerminal, RegisterValidator,
    RequestPayout, RevokeConsent, RevokeTerminal, SetAnchor, SetBonding, SetParameters, Unbond,
    Unjail, VerifiedTransaction,
};
use domain::*;
use secp256k1::{SECP256K1, SecretKey};

pub const START_MS: u64 = 1_700_000_000_000;

pub fn key(name: &str) -> SecretKey {
    SecretKey::from_byte_array(keccak256(name).0).unwrap()
}

pub fn address(name: &str) -> Address {
    address_of_secret(&key(name))
}

/// The first four validate from genesis on; all may be registered.
const VALIDATORS: usize = 12;

pub fn validator_keys() -> Vec<SecretKey> {
    let mut keys: Vec<SecretKey> = (0..4).map(|i| key(&format!("validator {i}"))).collect();
    keys.sort_by_key(address_of_secret);
    keys
}

pub fn genesis() -> Genesis {
    let validator = |key: &SecretKey| Validator {
        address: address_of_secret(key),
        power: 10,
        public_key: key.public_key(SECP256K1).serialize().into(),
    };
    Genesis {
        name: "test".into(),
        evm_chain_id: 31337,
        time_ms: START_MS,
        first_height: 1,
        parent_hash: B256::ZERO,
        founder: address("founder"),
        guardian: address("guardian"),
        registrar: address("registrar"),
        epoch_length: EpochLength::Blocks(3),
        settlement_epochs: 1,
        maturity_ms: 0,
        change_delay_ms: 0,
        parameters: Parameters {
            owner_debt_max: 60,
            ..Parameters::DEFAULT
        },
        election: ElectionRules::default(),
        validators: validator_keys()
            .iter()
            .map(validator)
            .collect::<Vec<_>>()
            .try_into()
            .unwrap(),
    }
}

/// A chain that executes each block the way a validator does: built from transactions, then checked as a stranger.
pub struct Chain {
    pub ledger: Ledger,
    pub now_ms: u64,
    pub events: Vec<Event>,
    pub checkpoints: Vec<EpochCheckpoint>,
    pub blocks: Vec<Block>,
    /// What was refused: at which height, after how many transactions of the block, and why.
    pub refused: Vec<(u64, usize, SignedTransaction, Rejection)>,
    /// Why the last block is final.
    pub last_commit: Option<CommitCertificate>,
    /// Validators that sign nothing.
    pub silent: Vec<String>,
    nonce: u64,
}

impl Chain {
    pub fn new(genesis: Genesis) -> Self {
        let ledger = Ledger::new(genesis).unwrap();
        Self {
            ledger,
            now_ms: START_MS,
            events: vec![],
            checkpoints: vec![],
            blocks: vec![],
            refused: vec![],
            silent: vec![],
            last_commit: None,
            nonce: 0,
        }
    }

    /// One outlet of each kind with one terminal each, contracts bound from epoch 1.
    pub fn with_outlets(genesis: Genesis) -> Self {
        let mut chain = Self::new(genesis);
        for (outlet, kind) in [(1, OutletKind::OwnerOperated), (2, OutletKind::Franchised)] {
            let register = chain.register_outlet(outlet, kind, QUOTA_UNLIMITED);
            chain.block(&[register]).unwrap();
            let enrol = chain.register_terminal(outlet, &format!("till {outlet}"));
            chain.block(&[enrol]).unwrap();
        }
        chain
    }

    /// The same, and a video agent behind the cameras of each.
    pub fn with_agents(genesis: Genesis) -> Self {
        let mut chain = Self::with_outlets(genesis);
        let agent = |chain: &mut Self, outlet: u64| {
            chain.register_terminal_of(outlet, &format!("agent {outlet}"), TerminalKind::VideoAgent)
        };
        let agents = [agent(&mut chain, 1), agent(&mut chain, 2)];
        chain.block(&agents).unwrap();
        chain
    }

    /// The consent that came so many before the last one.
    pub fn consent_back(&self, back: usize) -> Option<(B256, Consent)> {
        let made = |event: &Event| match event {
            Event::ConsentRecorded { id, .. } => Some((*id, *self.ledger.consent(*id)?)),
            _ => None,
        };
        self.events.iter().rev().filter_map(made).nth(back)
    }

    /// What happened to recordings, in order.
    pub fn recording_entries(&self) -> Vec<RecordingEntry> {
        let entry = |event: &Event| match event {
            Event::RecordingPinned { pinned, .. } => Some(RecordingEntry::Pinned(*pinned)),
            Event::RecordingErased { erased } => Some(RecordingEntry::Erased(*erased)),
            _ => None,
        };
        self.events.iter().filter_map(entry).collect()
    }

    pub fn sign(&self, payload: Payload, by: &str) -> SignedTransaction {
        let signature =
            Signature::sign(self.ledger.domain().transaction_digest(&payload), &key(by));
        SignedTransaction { payload, signature }
    }

    pub fn nonce(&mut self) -> u64 {
        self.nonce += 1;
        self.nonce
    }

    pub fn register_outlet(
        &mut self,
        outlet: u64,
        kind: OutletKind,
        quota_per_day: u32,
    ) -> SignedTransaction {
        self.register_outlet_in(outlet, kind, quota_per_day, "Tbilisi")
    }

    pub fn register_outlet_in(
        &mut self,
        outlet: u64,
        kind: OutletKind,
        quota_per_day: u32,
        city: &str,
    ) -> SignedTransaction {
        let owner = address(&format!("owner {outlet}"));
        let approval_ref = keccak256(outlet.to_be_bytes());
        let approval_expires_at_ms = self.now_ms + 1_000_000;
        let digest = self.ledger.domain().approval_digest(
            outlet,
            owner,
            approval_ref,
            approval_expires_at_ms,
        );
        let register = RegisterOutlet {
            outlet,
            owner,
            kind,
            city: city.into(),
            currency: "GEL".parse().unwrap(),
            quota_per_day,
            terminal_quota_per_day: QUOTA_UNLIMITED,
            approval_ref,
            approval_expires_at_ms,
            approval_signature: Signature::sign(digest, &key("registrar")),
            nonce: self.nonce(),
        };
        self.sign(Payload::RegisterOutlet(register), "founder")
    }

    pub fn register_terminal(&mut self, outlet: u64, name: &str) -> SignedTransaction {
        self.register_terminal_of(outlet, name, TerminalKind::Physical)
    }

    pub fn register_terminal_of(
        &mut self,
        outlet: u64,
        name: &str,
        kind: TerminalKind,
    ) -> SignedTransaction {
        let nonce = self.nonce();
        let enrol = RegisterTerminal {
            outlet,
            terminal: address(name),
            kind,
            nonce,
        };
        self.sign(Payload::RegisterTerminal(enrol), &format!("owner {outlet}"))
    }

    pub fn revoke_terminal(&mut self, outlet: u64, name: &str) -> SignedTransaction {
        let nonce = self.nonce();
        let revoke = RevokeTerminal {
            outlet,
            terminal: address(name),
            nonce,
        };
        self.sign(Payload::RevokeTerminal(revoke), &format!("owner {outlet}"))
    }

    pub fn sale(&self, outlet: u64, number: u64, buyer_kind: BuyerKind) -> Sale {
        let buyer = match buyer_kind {
            BuyerKind::None => Address::ZERO,
            BuyerKind::Wallet => address(&format!("guest {}", number % 3)),
            BuyerKind::Receipt => address(&format!("receipt {outlet} {number}")),
        };
        let mut sale_id = [0u8; 16];
        sale_id[8..].copy_from_slice(&number.to_be_bytes());
        Sale {
            outlet,
            terminal: address(&format!("till {outlet}")),
            sale_id: SaleId(sale_id),
            occurred_at_ms: self.now_ms,
            currency: "GEL".parse().unwrap(),
            total: 1698,
            lines_hash: B256::repeat_byte(7),
            buyer_kind,
            buyer,
        }
    }

    pub fn sign_sale(&self, sale: Sale) -> SignedTransaction {
        let by = format!("till {}", sale.outlet);
        self.sign(Payload::Sale(sale), &by)
    }

    pub fn claim(&self, outlet: u64, number: u64, wallet: &str) -> SignedTransaction {
        let sale_id = self.sale(outlet, number, BuyerKind::Receipt).sale_id;
        let claim = ClaimReceipt {
            outlet,
            sale_id,
            wallet: address(wallet),
        };
        self.sign(
            Payload::ClaimReceipt(claim),
            &format!("receipt {outlet} {number}"),
        )
    }

    pub fn refund(
        &self,
        outlet: u64,
        number: u64,
        refund: u8,
        amount: u64,
        by: &str,
    ) -> SignedTransaction {
        let sale_id = self.sale(outlet, number, BuyerKind::None).sale_id;
        let refund = Refund {
            outlet,
            sale_id,
            refund_id: RefundId([refund; 16]),
            amount,
        };
        self.sign(Payload::Refund(refund), by)
    }

    pub fn request_payout(&mut self, name: &str) -> SignedTransaction {
        let request = RequestPayout {
            account: address(name),
            nonce: self.nonce(),
        };
        self.sign(Payload::RequestPayout(request), name)
    }

    pub fn full_settlement(&mut self) -> SignedTransaction {
        let full = FullSettlement {
            nonce: self.nonce(),
        };
        self.sign(Payload::FullSettlement(full), "founder")
    }

    pub fn set_anchor(&mut self, from_epoch: u64) -> SignedTransaction {
        let set = SetAnchor {
            token: address("token"),
            anchor: address("anchor"),
            from_epoch,
            validators_hash: self.ledger.validators().hash(),
            nonce: self.nonce(),
        };
        self.sign(Payload::SetAnchor(set), "founder")
    }

    /// Tries the transactions in the next block; the block holds those that are not rejected.
    /// Returns the first rejection, after the block was executed.
    pub fn block(&mut self, transactions: &[SignedTransaction]) -> Result<(), Rejection> {
        self.now_ms += 250;
        let domain = *self.ledger.domain();
        let mut rejection = Ok(());
        let mut taken = Vec::new();
        let mut execution = BlockExecution::begin(&self.ledger, self.now_ms);
        for transaction in transactions {
            let verified = VerifiedTransaction::verify(transaction.clone(), &domain).unwrap();
            match execution.apply(&verified) {
                Ok(()) => taken.push(transaction.clone()),
                Err(error) => {
                    let place = (self.ledger.next_height(), taken.len());
                    self.refused
                        .push((place.0, place.1, transaction.clone(), error.clone()));
                    rejection = rejection.and(Err(error));
                }
            }
        }
        let proposer = self.ledger.validators().as_slice()[0].address;
        let header = execution.header(proposer, self.last_commit.as_ref());
        let block = Block {
            header,
            last_commit: self.last_commit.clone(),
            transactions: taken,
        };
        self.execute(&block);
        rejection
    }

    fn execute(&mut self, block: &Block) {
        let block = Block::decode(&block.encode()).unwrap();
        let mut verify = |t: &SignedTransaction, d: &_| VerifiedTransaction::verify(t.clone(), d);
        let executed = self.ledger.execute(&block, &mut verify).unwrap();
        self.blocks.push(block.clone());
        self.last_commit = Some(self.certify(&block.header));
        for event in self.ledger.commit(executed) {
            if let Event::EpochClosed {
                checkpoint: Some(checkpoint),
                ..
            } = &event
            {
                self.checkpoints.push((**checkpoint).clone());
            }
            self.events.push(event);
        }
    }

    /// Empty blocks until the epoch has ended.
    pub fn finish_epoch(&mut self) {
        let epoch = self.ledger.epoch();
        while self.ledger.epoch() == epoch {
            self.block(&[]).unwrap();
        }
    }

    /// The certificate of a block: everybody of the set signs but the silent ones.
    fn certify(&self, header: &Header) -> CommitCertificate {
        let (id, hash) = (self.ledger.sidechain_id(), header.hash());
        let digest = keccak256(vote_preimage(
            id,
            VoteStep::Precommit,
            header.height,
            0,
            Some(hash),
        ));
        let names = (0..VALIDATORS)
            .map(|i| format!("validator {i}"))
            .filter(|name| !self.silent.contains(name));
        let mut signers: Vec<SecretKey> = names.map(|name| key(&name)).collect();
        signers.retain(|key| {
            self.ledger
                .validators()
                .get(address_of_secret(key))
                .is_some()
        });
        signers.sort_by_key(address_of_secret);
        let sign = |key: &SecretKey| CommitSignature {
            validator: address_of_secret(key),
            signature: Signature::sign(digest, key),
        };
        let signatures = signers.iter().map(sign).collect();
        CommitCertificate {
            height: header.height,
            round: 0,
            block_hash: hash,
            signatures,
        }
    }

    /// Outlet `10 + i` in a city, owned by `owner 1i`, with validator i.
    pub fn add_candidate(&mut self, i: usize, city: &str) {
        let outlet = 10 + i as u64;
        let register =
            self.register_outlet_in(outlet, OutletKind::OwnerOperated, QUOTA_UNLIMITED, city);
        self.block(&[register]).unwrap();
        let enrol = self.register_terminal(outlet, &format!("till {outlet}"));
        let validator = self.register_validator(outlet, &format!("validator {i}"));
        self.block(&[enrol, validator]).unwrap();
    }

    pub fn register_validator(&mut self, outlet: u64, name: &str) -> SignedTransaction {
        let owner = format!("owner {outlet}");
        let digest = self
            .ledger
            .domain()
            .validator_consent_digest(outlet, address(&owner));
        let register = RegisterValidator {
            outlet,
            public_key: key(name).public_key(SECP256K1).serialize().into(),
            consent: Signature::sign(digest, &key(name)),
            nonce: self.nonce(),
        };
        self.sign(Payload::RegisterValidator(register), &owner)
    }

    pub fn heartbeat(&self, name: &str) -> SignedTransaction {
        let heartbeat = Heartbeat {
            validator: address(name),
            epoch: self.ledger.epoch(),
        };
        self.sign(Payload::Heartbeat(heartbeat), name)
    }

    pub fn set_bonding(&mut self, name: &str, bonding_ppm: u32) -> SignedTransaction {
        let set = SetBonding {
            account: address(name),
            bonding_ppm,
            nonce: self.nonce(),
        };
        self.sign(Payload::SetBonding(set), name)
    }

    pub fn unbond(&mut self, name: &str, units: u64) -> SignedTransaction {
        let unbond = Unbond {
            account: address(name),
            units,
            nonce: self.nonce(),
        };
        self.sign(Payload::Unbond(unbond), name)
    }

    pub fn unjail(&mut self, outlet: u64, name: &str) -> SignedTransaction {
        let unjail = Unjail {
            validator: address(name),
            nonce: self.nonce(),
        };
        self.sign(Payload::Unjail(unjail), &format!("owner {outlet}"))
    }

    pub fn set_parameters(&mut self, parameters: Parameters) -> SignedTransaction {
        let set = SetParameters {
            parameters,
            nonce: self.nonce(),
        };
        self.sign(Payload::SetParameters(set), "founder")
    }

    pub fn cancel_change(&mut self, change: u64) -> SignedTransaction {
        let cancel = CancelChange {
            change,
            nonce: self.nonce(),
        };
        self.sign(Payload::CancelChange(cancel), "guardian")
    }

    /// Two precommits of one validator for one place.
    pub fn double_vote(&self, name: &str, height: u64) -> Offence {
        let vote = |block_hash: Option<B256>| {
            let preimage = vote_preimage(
                self.ledger.sidechain_id(),
                VoteStep::Precommit,
                height,
                0,
                block_hash,
            );
            SignedVote {
                block_hash,
                signature: Signature::sign(keccak256(preimage), &key(name)),
            }
        };
        let (first, second) = (vote(None), vote(Some(B256::repeat_byte(9))));
        Offence::DoubleVote {
            step: VoteStep::Precommit,
            height,
            round: 0,
            first,
            second,
        }
    }

    pub fn evidence(&self, offender: &str, offence: Offence, by: &str) -> SignedTransaction {
        self.sign(
            Payload::Evidence(Box::new(Evidence {
                offender: address(offender),
                offence,
            })),
            by,
        )
    }

    /// `guest n` allows a camera of an outlet for an hour, seen by the outlet's till.
    pub fn consent(&self, outlet: u64, camera: u64, guest: u64) -> SignedTransaction {
        self.consent_to(outlet, camera, guest, Purposes::Recording)
    }

    pub fn consent_to(
        &self,
        outlet: u64,
        camera: u64,
        guest: u64,
        purposes: Purposes,
    ) -> SignedTransaction {
        self.witnessed(RecordConsent {
            outlet,
            camera,
            purposes,
            commitment: keccak256(format!("table {camera} guest {guest}")),
            guest: address(&format!("guest {guest}")),
            until_ms: self.now_ms + 3_600_000,
            witness: address(&format!("till {outlet}")),
            witness_signature: Signature([0; 65]),
        })
    }

    /// Signs as the witness and as the guest.
    pub fn witnessed(&self, mut consent: RecordConsent) -> SignedTransaction {
        let digest = self
            .ledger
            .domain()
            .consent_witness_digest(&WitnessedConsent::from(&consent));
        let key_of = |prefix: &str, of: Address, numbers: std::ops::Range<u64>| {
            let mut names = numbers.map(|number| format!("{prefix} {number}"));
            names
                .find(|name| address(name) == of)
                .unwrap_or_else(|| "stranger".into())
        };
        let till = key_of("till", consent.witness, 0..20);
        consent.witness_signature = Signature::sign(digest, &key(&till));
        let guest = key_of("guest", consent.guest, 0..100);
        self.sign(Payload::RecordConsent(consent), &guest)
    }

    pub fn legal_basis(&mut self, outlet: u64, camera: u64) -> SignedTransaction {
        let basis = RecordLegalBasis {
            outlet,
            camera,
            kind: BasisKind::Chef,
            notice_hash: keccak256("notice"),
            retention_days: 3,
            until_ms: self.now_ms + 30 * 86_400_000,
            nonce: self.nonce(),
        };
        self.sign(Payload::RecordLegalBasis(basis), &format!("owner {outlet}"))
    }

    pub fn revoke_consent(&self, consent: B256, by: &str) -> SignedTransaction {
        self.sign(Payload::RevokeConsent(RevokeConsent { consent }), by)
    }

    /// Four seconds until now.
    pub fn recording(&self, outlet: u64, camera: u64, consent: B256, number: u64) -> PinRecording {
        PinRecording {
            outlet,
            camera,
            consent,
            cid: cid(&format!("recording {number}")),
            manifest_hash: keccak256(format!("manifest {number}")),
            sequence: number,
            started_at_ms: self.now_ms - 4_000,
            ended_at_ms: self.now_ms,
        }
    }

    pub fn pin(&self, recording: PinRecording) -> SignedTransaction {
        let by = format!("agent {}", recording.outlet);
        self.sign(Payload::PinRecording(recording), &by)
    }

    pub fn erase(&self, outlet: u64, number: u64, by: &str) -> SignedTransaction {
        let cid = cid(&format!("recording {number}"));
        self.sign(
            Payload::EraseRecording(EraseRecording {
                outlet,
                cid,
                reason: EraseReason::Retention,
            }),
            by,
        )
    }

    pub fn id(&self, transaction: &SignedTransaction) -> B256 {
        transaction.id(self.ledger.domain())
    }
}

/// The id of a raw block whose hash is that of a name.
pub fn cid(name: &str) -> Cid {
    let mut bytes = [0u8; 36];
    bytes[..4].copy_from_slice(&[0x01, 0x55, 0x12, 0x20]);
    bytes[4..].copy_from_slice(keccak256(name).as_slice());
    Cid::new(bytes).unwrap()
}
