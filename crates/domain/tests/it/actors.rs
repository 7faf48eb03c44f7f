//! A small chain with known keys, for the tests of this crate.

use domain::certificate::{CommitSignature, VoteStep, vote_preimage};
use domain::crypto::address_of_secret;
use domain::genesis::EpochLength;
use domain::ledger::{BlockExecution, EpochCheckpoint};
use domain::limits::QUOTA_UNLIMITED;
use domain::transaction::{
    ClaimReceipt, FullSettlement, Refund, RegisterOutlet, RegisterTerminal, RequestPayout, RevokeTerminal, SetAnchor,
    VerifiedTransaction,
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
        sale_total_min: 0,
        owner_debt_max: 60,
        validators: validator_keys().iter().map(validator).collect::<Vec<_>>().try_into().unwrap(),
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

    pub fn sign(&self, payload: Payload, by: &str) -> SignedTransaction {
        let signature = Signature::sign(self.ledger.domain().transaction_digest(&payload), &key(by));
        SignedTransaction { payload, signature }
    }

    pub fn nonce(&mut self) -> u64 {
        self.nonce += 1;
        self.nonce
    }

    pub fn register_outlet(&mut self, outlet: u64, kind: OutletKind, quota_per_day: u32) -> SignedTransaction {
        let owner = address(&format!("owner {outlet}"));
        let approval_ref = keccak256(outlet.to_be_bytes());
        let approval_expires_at_ms = self.now_ms + 1_000_000;
        let digest = self.ledger.domain().approval_digest(outlet, owner, approval_ref, approval_expires_at_ms);
        let register = RegisterOutlet {
            outlet,
            owner,
            kind,
            city: "Tbilisi".into(),
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
        let nonce = self.nonce();
        let enrol = RegisterTerminal { outlet, terminal: address(name), kind: TerminalKind::Physical, nonce };
        self.sign(Payload::RegisterTerminal(enrol), &format!("owner {outlet}"))
    }

    pub fn revoke_terminal(&mut self, outlet: u64, name: &str) -> SignedTransaction {
        let nonce = self.nonce();
        let revoke = RevokeTerminal { outlet, terminal: address(name), nonce };
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
        let claim = ClaimReceipt { outlet, sale_id, wallet: address(wallet) };
        self.sign(Payload::ClaimReceipt(claim), &format!("receipt {outlet} {number}"))
    }

    pub fn refund(&self, outlet: u64, number: u64, refund: u8, amount: u64, by: &str) -> SignedTransaction {
        let sale_id = self.sale(outlet, number, BuyerKind::None).sale_id;
        let refund = Refund { outlet, sale_id, refund_id: RefundId([refund; 16]), amount };
        self.sign(Payload::Refund(refund), by)
    }

    pub fn request_payout(&mut self, name: &str) -> SignedTransaction {
        let request = RequestPayout { account: address(name), nonce: self.nonce() };
        self.sign(Payload::RequestPayout(request), name)
    }

    pub fn full_settlement(&mut self) -> SignedTransaction {
        let full = FullSettlement { nonce: self.nonce() };
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
                    self.refused.push((place.0, place.1, transaction.clone(), error.clone()));
                    rejection = rejection.and(Err(error));
                }
            }
        }
        let header = execution.header(address("validator 0"), self.last_commit.as_ref());
        let block = Block { header, last_commit: self.last_commit.clone(), transactions: taken };
        self.execute(&block);
        rejection
    }

    fn execute(&mut self, block: &Block) {
        let block = Block::decode(&block.encode()).unwrap();
        let mut verify = |t: &SignedTransaction, d: &_| VerifiedTransaction::verify(t.clone(), d);
        let executed = self.ledger.execute(&block, &mut verify).unwrap();
        self.blocks.push(block.clone());
        self.last_commit = Some(certify(&self.ledger, &block.header));
        for event in self.ledger.commit(executed) {
            if let Event::EpochClosed { checkpoint: Some(checkpoint), .. } = &event {
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
}

fn certify(ledger: &Ledger, header: &Header) -> CommitCertificate {
    let (id, hash) = (ledger.sidechain_id(), header.hash());
    let digest = keccak256(vote_preimage(id, VoteStep::Precommit, header.height, 0, Some(hash)));
    let sign = |key: &SecretKey| CommitSignature {
        validator: address_of_secret(key),
        signature: Signature::sign(digest, key),
    };
    let signatures = validator_keys().iter().take(3).map(sign).collect();
    CommitCertificate { height: header.height, round: 0, block_hash: hash, signatures }
}
