//! The ledger as the indexer keeps it: each block is checked as a stranger would before it is believed.

use domain::block::BlockDecodeError;
use domain::certificate::CertificateError;
use domain::ledger::BlockError;
use domain::transaction::VerifiedTransaction;
use domain::{Block, CommitCertificate, Executed, Ledger, SignedTransaction};

/// A final block as a node or the database gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawBlock {
    /// The block's canonical encoding.
    pub raw: Vec<u8>,
    /// The precommits that make it final.
    pub certificate: CommitCertificate,
}

/// A block that may be believed, and what it does.
#[derive(Clone, Debug)]
pub struct Checked {
    /// As it came.
    pub source: RawBlock,
    /// The same block, decoded.
    pub block: Block,
    /// Its outcome on the ledger that it was checked against.
    pub executed: Executed,
}

/// Why a block is not believed.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The bytes are not a block.
    #[error("it cannot be decoded")]
    Decode(#[source] BlockDecodeError),
    /// The validators did not commit to it.
    #[error("its certificate does not hold")]
    Certificate(#[source] CertificateError),
    /// It breaks a rule of the ledger.
    #[error("it breaks the ledger's rules")]
    Execution(#[source] BlockError),
}

/// Checks the next block: certificate of the validators in force, header, every transaction. The ledger stays.
pub fn check_block(ledger: &Ledger, source: RawBlock) -> Result<Checked, Refusal> {
    let block = Block::decode(&source.raw).map_err(Refusal::Decode)?;
    let hash = block.header.hash();

    source
        .certificate
        .verify(
            ledger.sidechain_id(),
            ledger.next_height(),
            hash,
            ledger.validators(),
        )
        .map_err(Refusal::Certificate)?;

    let mut verify = |transaction: &SignedTransaction, domain: &_| {
        VerifiedTransaction::verify(transaction.clone(), domain)
    };
    let executed = ledger
        .execute(&block, &mut verify)
        .map_err(Refusal::Execution)?;

    Ok(Checked {
        source,
        block,
        executed,
    })
}
