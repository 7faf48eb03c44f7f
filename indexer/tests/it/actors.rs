//! A small sidechain with known keys.

use alloy::signers::SignerSync;
use alloy::signers::local::PrivateKeySigner;
use client::BlockAnswer;
use domain::certificate::{CommitSignature, VoteStep, vote_preimage};
use domain::checkpoint::{CheckpointSignature, SignedCheckpoint};
use domain::consent::{BasisKind, Purposes};
use domain::eip712::WitnessedConsent;
use domain::genesis::EpochLength;
use domain::ledger::{BlockExecution, EpochCheckpoint};
use domain::limits::QUOTA_UNLIMITED;
use domain::recording::EraseReason;
use domain::transaction::{
    ClaimReceipt, EraseRecording, PinRecording, RecordConsent, RecordLegalBasis, RegisterOutlet,
    RegisterTerminal, RevokeConsent, RevokeTerminal, SetAnchor, VerifiedTransaction,
};
use domain::*;

pub const START_MS: u64 = 1_700_000_000_000;
pub const EVM_CHAIN_ID: u64 = 31337;

pub fn key(name: &str) -> PrivateKeySigner {
    PrivateKeySigner::from_bytes(&keccak256(name)).unwrap()
}

pub fn address(name: &str) -> Address {
    key(name).address()
}

pub fn sign(digest: B256, key: &PrivateKeySigner) -> Signature {
    Signature(key.sign_hash_sync(&digest).unwrap().as_bytes())
}

fn validator_keys() -> Vec<PrivateKeySigner> {
    let mut keys: Vec<PrivateKeySigner> = (0..4).map(|i| key(&format!("validator {i}"))).collect();
    keys.sort_by_key(PrivateKeySigner::address);
    keys
}

fn validator(key: &PrivateKeySigner) -> Validator {
    let point = key.credential().verifying_key().to_encoded_point(true);
    let public_key = <[u8; 33]>::try_from(point.as_bytes()).unwrap().into();
    Validator {
        address: key.address(),
        power: 10,
        public_key,
    }
}

pub fn genesis(name: &str) -> Genesis {
    Genesis {
        name: name.into(),
        evm_chain_id: EVM_CHAIN_ID,
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
            sale_total_min: 100,
            owner_debt_max: 1_000,
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

pub struct Chain {
    pub ledger: Ledger,
    pub blocks: Vec<BlockAnswer>,
    pub checkpoints: Vec<EpochCheckpoint>,
    now_ms: u64,
    nonce: u64,
}

impl Chain {
    pub fn new(name: &str) -> Self {
        let ledger = Ledger::new(genesis(name)).unwrap();
        Self {
            ledger,
            blocks: vec![],
            checkpoints: vec![],
            now_ms: START_MS,
            nonce: 0,
        }
    }

    /// One outlet of each kind with one terminal each.
    pub fn with_outlets(name: &str) -> Self {
        let mut chain = Self::new(name);
        for (outlet, kind) in [(1, OutletKind::OwnerOperated), (2, OutletKind::Franchised)] {
            let register = chain.register_outlet(outlet, kind);
            let enrol = chain.register_terminal(outlet, &format!("till {outlet}"));
            chain.block(&[register, enrol]);
        }
        chain
    }

    fn sign(&self, payload: Payload, by: &str) -> SignedTransaction {
        let signature = sign(self.ledger.domain().transaction_digest(&payload), &key(by));
        SignedTransaction { payload, signature }
    }

    fn nonce(&mut self) -> u64 {
        self.nonce += 1;
        self.nonce
    }

    pub fn register_outlet(&mut self, outlet: u64, kind: OutletKind) -> SignedTransaction {
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
            city: "Tbilisi".into(),
            currency: "GEL".parse().unwrap(),
            quota_per_day: QUOTA_UNLIMITED,
            terminal_quota_per_day: 1000,
            approval_ref,
            approval_expires_at_ms,
            approval_signature: sign(digest, &key("registrar")),
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
        let revoke = RevokeTerminal {
            outlet,
            terminal: address(name),
            nonce: self.nonce(),
        };
        self.sign(Payload::RevokeTerminal(revoke), &format!("owner {outlet}"))
    }

    pub fn sale(
        &self,
        outlet: u64,
        number: u64,
        buyer_kind: BuyerKind,
        total: u64,
    ) -> SignedTransaction {
        let buyer = match buyer_kind {
            BuyerKind::None => Address::ZERO,
            BuyerKind::Wallet => address(&format!("guest {}", number % 3)),
            BuyerKind::Receipt => address(&format!("receipt {outlet} {number}")),
        };
        let sale = Sale {
            outlet,
            terminal: address(&format!("till {outlet}")),
            sale_id: sale_id(number),
            occurred_at_ms: self.now_ms,
            currency: "GEL".parse().unwrap(),
            total,
            lines_hash: B256::repeat_byte(7),
            buyer_kind,
            buyer,
        };
        self.sign(Payload::Sale(sale), &format!("till {outlet}"))
    }

    pub fn claim(&self, outlet: u64, number: u64, wallet: &str) -> SignedTransaction {
        let claim = ClaimReceipt {
            outlet,
            sale_id: sale_id(number),
            wallet: address(wallet),
        };
        self.sign(
            Payload::ClaimReceipt(claim),
            &format!("receipt {outlet} {number}"),
        )
    }

    /// A guest allows a camera of outlet 1 to be recorded and shown.
    pub fn consent(&self, camera: u64, guest: &str) -> SignedTransaction {
        let mut consent = RecordConsent {
            outlet: 1,
            camera,
            purposes: Purposes::Both,
            commitment: keccak256(guest),
            guest: address(guest),
            until_ms: self.now_ms + 3_600_000,
            witness: address("till 1"),
            witness_signature: Signature([0; 65]),
        };
        let digest = self
            .ledger
            .domain()
            .consent_witness_digest(&WitnessedConsent::from(&consent));
        consent.witness_signature = sign(digest, &key("till 1"));
        self.sign(Payload::RecordConsent(consent), guest)
    }

    pub fn legal_basis(&mut self, camera: u64) -> SignedTransaction {
        let basis = RecordLegalBasis {
            outlet: 1,
            camera,
            kind: BasisKind::Security,
            notice_hash: keccak256("notice"),
            retention_days: 30,
            until_ms: self.now_ms + 86_400_000,
            nonce: self.nonce(),
        };
        self.sign(Payload::RecordLegalBasis(basis), "owner 1")
    }

    pub fn revoke_consent(&self, consent: B256, by: &str) -> SignedTransaction {
        self.sign(Payload::RevokeConsent(RevokeConsent { consent }), by)
    }

    /// A recording of four seconds by `agent 1`.
    pub fn pin(&self, camera: u64, consent: B256, number: u64) -> SignedTransaction {
        let pin = PinRecording {
            outlet: 1,
            camera,
            consent,
            cid: cid(number),
            manifest_hash: keccak256(number.to_be_bytes()),
            sequence: number,
            started_at_ms: self.now_ms - 4_000,
            ended_at_ms: self.now_ms,
        };
        self.sign(Payload::PinRecording(pin), "agent 1")
    }

    pub fn erase(&self, number: u64, by: &str) -> SignedTransaction {
        let erase = EraseRecording {
            outlet: 1,
            cid: cid(number),
            reason: EraseReason::Request,
        };
        self.sign(Payload::EraseRecording(erase), by)
    }

    pub fn id(&self, transaction: &SignedTransaction) -> B256 {
        transaction.id(self.ledger.domain())
    }

    pub fn set_anchor(
        &mut self,
        token: Address,
        anchor: Address,
        from_epoch: u64,
    ) -> SignedTransaction {
        let validators_hash = self.ledger.validators().hash();
        let set = SetAnchor {
            token,
            anchor,
            from_epoch,
            validators_hash,
            nonce: self.nonce(),
        };
        self.sign(Payload::SetAnchor(set), "founder")
    }

    /// Makes the next block; every transaction must be valid.
    pub fn block(&mut self, transactions: &[SignedTransaction]) {
        self.now_ms += 250;
        let domain = *self.ledger.domain();
        let last_commit = self.blocks.last().map(|block| block.certificate.clone());
        let mut execution = BlockExecution::begin(&self.ledger, self.now_ms);
        for transaction in transactions {
            execution
                .apply(&VerifiedTransaction::verify(transaction.clone(), &domain).unwrap())
                .unwrap();
        }
        let header = execution.header(address("validator 0"), last_commit.as_ref());
        let block = Block {
            header,
            last_commit,
            transactions: transactions.to_vec(),
        };
        let mut verify = |t: &SignedTransaction, d: &_| VerifiedTransaction::verify(t.clone(), d);
        let executed = self.ledger.execute(&block, &mut verify).unwrap();
        self.blocks.push(answer(&self.ledger, &block));
        for event in self.ledger.commit(executed) {
            if let Event::EpochClosed {
                checkpoint: Some(checkpoint),
                ..
            } = event
            {
                self.checkpoints.push(*checkpoint);
            }
        }
    }

    pub fn sign_checkpoint(&self, closed: &EpochCheckpoint) -> SignedCheckpoint {
        let digest = closed.digest(EVM_CHAIN_ID);
        let mut signed = SignedCheckpoint {
            checkpoint: closed.checkpoint,
            anchor: closed.anchor,
            validators: closed.validators.clone(),
            next_validators: closed.next_validators.clone(),
            signatures: vec![],
        };
        for key in validator_keys().iter().take(3) {
            let signature = CheckpointSignature {
                validator: key.address(),
                signature: sign(digest, key),
            };
            assert!(signed.add(digest, signature));
        }
        signed
    }
}

pub fn cid(number: u64) -> Cid {
    let mut bytes = [0u8; 36];
    bytes[..4].copy_from_slice(&[0x01, 0x70, 0x12, 0x20]);
    bytes[4..].copy_from_slice(keccak256(number.to_le_bytes()).as_slice());
    Cid::new(bytes).unwrap()
}

fn sale_id(number: u64) -> SaleId {
    SaleId(u128::from(number).to_be_bytes())
}

fn answer(ledger: &Ledger, block: &Block) -> BlockAnswer {
    BlockAnswer {
        hash: block.header.hash(),
        header: block.header.clone(),
        certificate: certify(ledger, &block.header, 3),
        transactions: block.transactions.clone(),
        raw: format!("0x{}", alloy::hex::encode(block.encode())),
    }
}

/// The commit certificate of a block with the signatures of so many of the four validators.
pub fn certify(ledger: &Ledger, header: &Header, signatures: usize) -> CommitCertificate {
    let (id, hash) = (ledger.sidechain_id(), header.hash());
    let digest = keccak256(vote_preimage(
        id,
        VoteStep::Precommit,
        header.height,
        0,
        Some(hash),
    ));
    let sign = |key: &PrivateKeySigner| CommitSignature {
        validator: key.address(),
        signature: sign(digest, key),
    };
    let signatures = validator_keys().iter().take(signatures).map(sign).collect();
    CommitCertificate {
        height: header.height,
        round: 0,
        block_hash: hash,
        signatures,
    }
}
