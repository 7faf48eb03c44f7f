//! What a block's receipts say of its logs, and whether its header commits to them. A header commits to all receipts
//! at once, by a root over their bytes; where the node says that a log stands is no part of them.

use crate::core::logs::{Block, Header, Log};
use alloy::consensus::Eip658Value;
use alloy::consensus::proofs::ordered_trie_root_encoded;
use alloy::primitives::{Address, B256, logs_bloom};
use alloy::rlp::{self, Encodable};

/// The last type of transaction that Ethereum itself has.
const ETHEREUM_KIND_MAX: u64 = 4;
/// A deposit of the OP stack, whose receipt has two fields of its own.
const OP_DEPOSIT_KIND: u64 = 0x7e;

/// A receipt as far as a header can commit to it, and whose it is said to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The transaction's type; 0 for those without one.
    pub kind: u64,
    /// Success, or the state root that old blocks have in its place; `None` where the node gives neither.
    pub status: Option<Eip658Value>,
    /// Gas of the block's transactions up to this one.
    pub cumulative_gas: u64,
    /// What an OP deposit's receipt holds since Canyon.
    pub deposit: Option<Deposit>,
    /// Hash of the transaction.
    pub tx_hash: B256,
    /// All logs of the transaction, in their order.
    pub logs: Vec<Log>,
}

/// The fields that only the receipt of an OP deposit has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deposit {
    /// The depositor's nonce.
    pub nonce: u64,
    /// The receipt's version.
    pub version: u64,
}

/// Why logs may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// The header commits to the receipts that hold them.
    ReceiptsRoot,
    /// No header can tell here, and `eth_getLogs` and the receipts hold the same.
    TwoAnswers,
}

/// Why no logs may be written for a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the message says what each field is")]
pub enum NotProven {
    #[error("its receipts do not lead to its receipts root")]
    OtherRoot,
    #[error("log {log_index} is said to stand elsewhere than the receipts' order puts it")]
    Misplaced { log_index: u64 },
    #[error("eth_getLogs and the receipts name two transactions for log {log_index}")]
    TwoTransactions { log_index: u64 },
    #[error("its receipts cannot be proved, and hold other logs than eth_getLogs gives")]
    Disagree,
}

/// The logs of ours in a block, and why they may be believed.
///
/// `roots_hold`: receipts of this chain led to their header's root before. A root says something in a sealed header and
/// on such a chain; elsewhere it may be a constant.
pub fn believe_logs(
    given: &Block,
    receipts: &[Receipt],
    addresses: &[Address],
    roots_hold: bool,
) -> Result<(Vec<Log>, Ground), NotProven> {
    let header = &given.header;
    let root_binds = header.is_sealed || roots_hold;

    if let Some(committed) = committed_receipts(header, receipts, root_binds) {
        let logs = place_logs(header, &committed, addresses)?;
        check_transactions(&given.logs, &logs)?;
        return Ok((logs, Ground::ReceiptsRoot));
    }
    if root_binds && receipts.iter().all(has_known_form) {
        return Err(NotProven::OtherRoot);
    }

    let logs = own_logs(receipts, addresses);
    if logs == given.logs {
        Ok((logs, Ground::TwoAnswers))
    } else {
        Err(NotProven::Disagree)
    }
}

/// The receipts that the header commits to, in order. They are all of the block's, whatever else the node lists.
fn committed_receipts<'a>(
    header: &Header,
    receipts: &'a [Receipt],
    root_binds: bool,
) -> Option<Vec<&'a Receipt>> {
    readings(receipts).into_iter().find(|reading| {
        // Headers of some chains hold the empty list's root whatever happened.
        (root_binds || !reading.is_empty()) && receipts_root(reading) == Some(header.receipts_root)
    })
}

/// As the node lists them; and without what some chains list though no header commits to it: receipts of types of
/// their own, or a last one for what came from another chain (Polygon).
fn readings(receipts: &[Receipt]) -> [Vec<&Receipt>; 3] {
    let all: Vec<&Receipt> = receipts.iter().collect();
    let ethereum = all
        .iter()
        .copied()
        .filter(|receipt| receipt.kind <= ETHEREUM_KIND_MAX)
        .collect();
    let all_but_last = all[..all.len().saturating_sub(1)].to_vec();

    [all, ethereum, all_but_last]
}

/// `None` where one of them cannot be encoded.
fn receipts_root(receipts: &[&Receipt]) -> Option<B256> {
    let encoded: Option<Vec<Vec<u8>>> = receipts
        .iter()
        .map(|receipt| encode_receipt(receipt))
        .collect();
    Some(ordered_trie_root_encoded(&encoded?))
}

/// The bytes in the tree. A type that nobody knows here is taken to have the common fields, as most have; if it has
/// others, the root will not fit.
fn encode_receipt(receipt: &Receipt) -> Option<Vec<u8>> {
    let kind = u8::try_from(receipt.kind).ok()?;
    let logs: Vec<alloy::primitives::Log> = receipt.logs.iter().map(bare_log).collect();

    let mut fields = Vec::new();
    receipt.status?.encode(&mut fields);
    receipt.cumulative_gas.encode(&mut fields);
    logs_bloom(&logs).encode(&mut fields);
    logs.encode(&mut fields);
    if let (OP_DEPOSIT_KIND, Some(deposit)) = (receipt.kind, receipt.deposit) {
        deposit.nonce.encode(&mut fields);
        deposit.version.encode(&mut fields);
    }

    let mut encoded = Vec::new();
    if kind != 0 {
        encoded.push(kind);
    }
    let list = rlp::Header {
        list: true,
        payload_length: fields.len(),
    };
    list.encode(&mut encoded);
    encoded.append(&mut fields);
    Some(encoded)
}

fn bare_log(log: &Log) -> alloy::primitives::Log {
    alloy::primitives::Log::new_unchecked(log.address, log.topics.clone(), log.data.clone())
}

/// Whether it is sure how the receipt is encoded.
fn has_known_form(receipt: &Receipt) -> bool {
    let is_known = receipt.kind <= ETHEREUM_KIND_MAX || receipt.kind == OP_DEPOSIT_KIND;
    is_known && receipt.status.is_some()
}

/// Logs of ours in receipts that are proved. No header commits to the places that the node names, but the order of the
/// receipts does.
fn place_logs(
    header: &Header,
    receipts: &[&Receipt],
    addresses: &[Address],
) -> Result<Vec<Log>, NotProven> {
    let in_order = (0..).zip(receipts).flat_map(|(tx_index, receipt)| {
        let logs = receipt.logs.iter();
        logs.map(move |log| (tx_index, receipt.tx_hash, log))
    });

    (0..)
        .zip(in_order)
        .filter(|(_, (_, _, log))| addresses.contains(&log.address))
        .map(|(log_index, (tx_index, tx_hash, log))| {
            let expected = (header.number, header.hash, log_index, tx_index, tx_hash);
            if expected == place_of(log) {
                Ok(log.clone())
            } else {
                Err(NotProven::Misplaced { log_index })
            }
        })
        .collect()
}

/// Block, place in the block, and the same of the transaction.
const fn place_of(log: &Log) -> (u64, B256, u64, u64, B256) {
    (
        log.block_number,
        log.block_hash,
        log.log_index,
        log.tx_index,
        log.tx_hash,
    )
}

/// Which transaction a receipt is of stands in no root either, but `eth_getLogs` says it a second time. Both ascend.
fn check_transactions(given: &[Log], proven: &[Log]) -> Result<(), NotProven> {
    let other = proven.iter().find(|log| {
        let same_place = given.binary_search_by_key(&log.log_index, |given| given.log_index);
        same_place.is_ok_and(|place| given[place].tx_hash != log.tx_hash)
    });
    other.map_or(Ok(()), |log| {
        Err(NotProven::TwoTransactions {
            log_index: log.log_index,
        })
    })
}

/// Logs of ours in receipts that nobody can prove, by the places that the node names.
fn own_logs(receipts: &[Receipt], addresses: &[Address]) -> Vec<Log> {
    let all = receipts.iter().flat_map(|receipt| &receipt.logs);
    let mut ours: Vec<Log> = all
        .filter(|log| addresses.contains(&log.address))
        .cloned()
        .collect();
    ours.sort_by_key(|log| log.log_index);
    ours
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::logs::tests;
    use alloy::hex;
    use alloy::primitives::{Bytes, keccak256};

    const OURS: Address = Address::repeat_byte(1);
    const OTHER: Address = Address::repeat_byte(2);

    /// Receipts of a block: their types, and by whom their logs are.
    fn receipts_of(header: &Header, kinds: &[u64], logs: &[&[Address]]) -> Vec<Receipt> {
        let mut log_index = 0;
        let mut receipt = |(tx_index, (kind, addresses)): (u64, (&u64, &&[Address]))| {
            let tx_hash = keccak256(tx_index.to_be_bytes());
            let logs = addresses.iter().map(|address| {
                let log = Log {
                    tx_hash,
                    tx_index,
                    address: *address,
                    topics: vec![B256::repeat_byte(9)],
                    data: Bytes::from(vec![log_index as u8; 32]),
                    ..tests::log(header, log_index)
                };
                log_index += 1;
                log
            });
            Receipt {
                kind: *kind,
                status: Some(Eip658Value::success()),
                cumulative_gas: 21_000 * (tx_index + 1),
                deposit: None,
                tx_hash,
                logs: logs.collect(),
            }
        };
        (0..)
            .zip(kinds.iter().zip(logs))
            .map(&mut receipt)
            .collect()
    }

    /// A block whose header commits to what `receipts_of` gives, with the logs that a node gave for it.
    fn block_of(receipts: &[Receipt], logs: Vec<Log>) -> Block {
        let refs: Vec<&Receipt> = receipts.iter().collect();
        let header = Header {
            receipts_root: receipts_root(&refs).unwrap(),
            ..tests::header(7, 0)
        };
        Block { header, logs }
    }

    fn ethereum_block() -> (Block, Vec<Receipt>) {
        let logs: [&[Address]; 3] = [&[OTHER, OURS, OURS], &[], &[OURS, OTHER]];
        let receipts = receipts_of(&tests::header(7, 0), &[2, 0, 2], &logs);
        (block_of(&receipts, vec![]), receipts)
    }

    fn believe(block: &Block, receipts: &[Receipt]) -> Result<(Vec<Log>, Ground), NotProven> {
        believe_logs(block, receipts, &[OURS], false)
    }

    /// Case: the OP stack's own vector of a deposit after Canyon.
    #[test]
    fn an_op_deposit_is_encoded_with_its_nonce_and_version() {
        let receipt = Receipt {
            kind: OP_DEPOSIT_KIND,
            status: Some(Eip658Value::success()),
            cumulative_gas: 46_913,
            deposit: Some(Deposit {
                nonce: 4_012_991,
                version: 1,
            }),
            tx_hash: B256::ZERO,
            logs: vec![],
        };
        let bloom = "00".repeat(256);
        let expected = format!("7ef9010d0182b741b90100{bloom}c0833d3bbf01");
        assert_eq!(hex::encode(encode_receipt(&receipt).unwrap()), expected);

        let before_canyon = Receipt {
            deposit: None,
            ..receipt
        };
        let expected = format!("7ef901080182b741b90100{bloom}c0");
        assert_eq!(
            hex::encode(encode_receipt(&before_canyon).unwrap()),
            expected
        );
    }

    #[test]
    fn the_logs_of_the_receipts_that_the_header_commits_to_are_believed_whatever_was_given() {
        let (mut block, receipts) = ethereum_block();
        let all = receipts.iter().flat_map(|receipt| receipt.logs.clone());
        let ours: Vec<Log> = all.filter(|log| log.address == OURS).collect();
        assert_eq!(ours.len(), 3);
        let proven = Ok((ours.clone(), Ground::ReceiptsRoot));
        assert_eq!(believe(&block, &receipts), proven);
        block.logs = ours[..2].to_vec();
        assert_eq!(believe(&block, &receipts), proven);
        block.logs = ours;
        assert_eq!(believe(&block, &receipts), proven);
    }

    #[test]
    fn receipts_with_a_log_dropped_doubled_moved_or_changed_prove_nothing_though_getlogs_agrees() {
        let (block, honest) = ethereum_block();
        let lies: [fn(&mut Vec<Log>); 4] = [
            |logs| drop(logs.pop()),
            |logs| logs.push(logs[2].clone()),
            |logs| logs.swap(1, 2),
            |logs| logs[1].data = Bytes::new(),
        ];
        for lie in lies {
            let mut receipts = honest.clone();
            lie(&mut receipts[0].logs);
            let block = Block {
                logs: own_logs(&receipts, &[OURS]),
                ..block.clone()
            };
            assert_eq!(believe(&block, &receipts), Err(NotProven::OtherRoot));
        }
        assert_eq!(believe(&block, &[]), Err(NotProven::OtherRoot));
    }

    #[test]
    fn places_that_the_order_contradicts_and_a_second_transaction_are_refused() {
        let (mut block, honest) = ethereum_block();
        let mut receipts = honest.clone();
        receipts[2].logs[0].log_index = 9;
        let misplaced = Err(NotProven::Misplaced { log_index: 3 });
        assert_eq!(believe(&block, &receipts), misplaced);
        receipts = honest.clone();
        receipts[2].logs[0].tx_hash = B256::ZERO;
        assert_eq!(believe(&block, &receipts), misplaced);

        block.logs = vec![Log {
            tx_hash: B256::ZERO,
            ..honest[2].logs[0].clone()
        }];
        let two = Err(NotProven::TwoTransactions { log_index: 3 });
        assert_eq!(believe(&block, &honest), two);
    }

    #[test]
    fn types_of_other_chains_are_proved_by_their_common_fields() {
        let logs: [&[Address]; 2] = [&[], &[OURS]];
        // Arbitrum's start of a block, and a type that nobody has yet.
        let receipts = receipts_of(&tests::header(7, 0), &[0x6a, 0x55], &logs);
        let proven = believe(&block_of(&receipts, vec![]), &receipts);
        assert_eq!(proven, Ok((receipts[1].logs.clone(), Ground::ReceiptsRoot)));
    }

    #[test]
    fn receipts_that_no_header_commits_to_are_passed_over() {
        let (block, receipts) = ethereum_block();
        let (logs, _) = believe(&block, &receipts).unwrap();
        let extra = |kind| Receipt {
            kind,
            logs: vec![],
            ..receipts[0].clone()
        };
        let typed = [vec![extra(OP_DEPOSIT_KIND)], receipts.clone()].concat();
        let proven = Ok((logs, Ground::ReceiptsRoot));
        assert_eq!(believe(&block, &typed), proven);
        let synced = [receipts.clone(), vec![extra(0)]].concat();
        assert_eq!(believe(&block, &synced), proven);
        let both = [vec![extra(2)], receipts].concat();
        assert_eq!(believe(&block, &both), Err(NotProven::OtherRoot));
    }

    #[test]
    fn what_nobody_can_prove_is_believed_when_two_answers_agree() {
        let (mut block, mut receipts) = ethereum_block();
        // Of a type with a form of its own.
        receipts[2].kind = 0x7b;
        let logs = own_logs(&receipts, &[OURS]);
        assert_eq!(believe(&block, &receipts), Err(NotProven::Disagree));
        block.logs = logs.clone();
        assert_eq!(believe(&block, &receipts), Ok((logs, Ground::TwoAnswers)));
    }

    #[test]
    fn a_root_says_nothing_in_a_header_that_is_not_sealed_until_one_has_held() {
        let (mut block, receipts) = ethereum_block();
        block.header.is_sealed = false;
        let proven = believe(&block, &receipts).unwrap();
        assert_eq!(proven.1, Ground::ReceiptsRoot);

        // A constant root, as Filecoin has.
        block.header.receipts_root = receipts_root(&[]).unwrap();
        block.logs = proven.0.clone();
        let agreed = Ok((proven.0, Ground::TwoAnswers));
        assert_eq!(believe(&block, &receipts), agreed);
        assert_eq!(
            believe_logs(&block, &receipts, &[OURS], true),
            Err(NotProven::OtherRoot)
        );

        // One receipt is not left out to fit the empty list's root.
        assert_eq!(believe(&block, &receipts[2..]), Err(NotProven::Disagree));
        assert_eq!(believe(&block, &[]), Err(NotProven::Disagree));
        block.logs.clear();
        assert_eq!(believe(&block, &[]), Ok((vec![], Ground::TwoAnswers)));
    }
}
