//! What the EVM node gives, and whether it can be believed.

use alloy::primitives::{Address, B256, Bloom, BloomInput, Bytes};

/// The part of an EVM block that is needed to follow the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The block number, from 0 on.
    pub number: u64,
    /// The block's hash, as the node gives it.
    pub hash: B256,
    /// Whether the hash is that of the node's fields, so that who trusts the hash may trust them. It is not where a
    /// field was changed on the way, and never on a chain that hashes other fields or in another way.
    pub is_sealed: bool,
    /// The block before.
    pub parent_hash: B256,
    /// Seconds since the Unix epoch.
    pub time_s: u64,
    /// Filter over addresses and topics of its logs: no false negatives.
    pub bloom: Bloom,
    /// Root over its receipts.
    pub receipts_root: B256,
}

/// An event that a contract logged, undecoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// The block it is in.
    pub block_number: u64,
    /// Hash of that block: tells its branch.
    pub block_hash: B256,
    /// Place in the block.
    pub log_index: u64,
    /// Hash of the transaction that logged it.
    pub tx_hash: B256,
    /// Its place in the block.
    pub tx_index: u64,
    /// The contract that logged it.
    pub address: Address,
    /// At most four.
    pub topics: Vec<B256>,
    /// The event's parameters that are not indexed, ABI-encoded.
    pub data: Bytes,
}

/// A block with all its logs of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Every log names this very block.
    pub header: Header,
    /// Ascending by place.
    pub logs: Vec<Log>,
}

/// Why logs are not those of the blocks asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the message says what each field is")]
pub enum LogsError {
    #[error("a log of block {number} ({found}) where it is {expected}")]
    OtherBlock {
        number: u64,
        expected: B256,
        found: B256,
    },
    #[error("a log of block {number}, which was not asked for")]
    NotAskedFor { number: u64 },
    #[error("two logs at place {log_index} of block {number}")]
    Twice { number: u64, log_index: u64 },
}

/// Whether a block with this filter may hold logs of one of the addresses; false is certain.
pub fn may_hold(bloom: &Bloom, addresses: &[Address]) -> bool {
    addresses
        .iter()
        .any(|address| bloom.contains_input(BloomInput::Raw(address.as_slice())))
}

/// Whether an empty answer needs no proof: the header says so itself, and is what its hash commits to.
pub fn is_surely_empty(block: &Block, addresses: &[Address]) -> bool {
    let header = &block.header;
    block.logs.is_empty() && header.is_sealed && !may_hold(&header.bloom, addresses)
}

/// Blocks with the logs that a node gave for them. Logs that do not fit are as good as none: what is in each block is
/// for its receipts to say.
pub fn assemble_or_doubt(headers: Vec<Header>, logs: Vec<Log>) -> (Vec<Block>, Option<LogsError>) {
    match assemble_blocks(headers.clone(), logs) {
        Ok(blocks) => (blocks, None),
        Err(error) => (headers.into_iter().map(without_logs).collect(), Some(error)),
    }
}

fn without_logs(header: Header) -> Block {
    Block {
        header,
        logs: Vec::new(),
    }
}

/// Puts each log into its block; each must name the very block that the header is of. Headers ascend by one.
fn assemble_blocks(headers: Vec<Header>, mut logs: Vec<Log>) -> Result<Vec<Block>, LogsError> {
    logs.sort_by_key(|log| (log.block_number, log.log_index));
    let first = headers.first().map_or(0, |header| header.number);
    let mut blocks: Vec<Block> = headers.into_iter().map(without_logs).collect();

    for log in logs {
        let number = log.block_number;
        let place = number
            .checked_sub(first)
            .and_then(|place| usize::try_from(place).ok());
        let block = place
            .and_then(|place| blocks.get_mut(place))
            .ok_or(LogsError::NotAskedFor { number })?;
        add_log(block, log)?;
    }

    Ok(blocks)
}

fn add_log(block: &mut Block, log: Log) -> Result<(), LogsError> {
    let number = block.header.number;
    if log.block_hash != block.header.hash {
        return Err(LogsError::OtherBlock {
            number,
            expected: block.header.hash,
            found: log.block_hash,
        });
    }

    if block
        .logs
        .last()
        .is_some_and(|last| last.log_index == log.log_index)
    {
        return Err(LogsError::Twice {
            number,
            log_index: log.log_index,
        });
    }

    block.logs.push(log);
    Ok(())
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub fn header(number: u64, branch: u8) -> Header {
        let hash =
            |number: u64| B256::left_padding_from(&[&[branch], &number.to_be_bytes()[..]].concat());
        Header {
            number,
            hash: hash(number),
            is_sealed: true,
            parent_hash: hash(number - 1),
            time_s: number,
            bloom: Bloom::ZERO,
            receipts_root: B256::ZERO,
        }
    }

    pub fn log(header: &Header, log_index: u64) -> Log {
        Log {
            block_number: header.number,
            block_hash: header.hash,
            log_index,
            tx_hash: B256::ZERO,
            tx_index: 0,
            address: Address::ZERO,
            topics: vec![],
            data: Bytes::new(),
        }
    }

    #[test]
    fn an_empty_answer_is_sure_only_where_a_sealed_filter_excludes_the_contracts() {
        let (ours, other) = (Address::repeat_byte(1), Address::repeat_byte(2));
        let mut block = without_logs(header(5, 0));
        assert!(is_surely_empty(&block, &[ours]));
        block.header.is_sealed = false;
        assert!(!is_surely_empty(&block, &[ours]));

        block.header.is_sealed = true;
        block.header.bloom.accrue(BloomInput::Raw(ours.as_slice()));
        assert!(!is_surely_empty(&block, &[other, ours]));
        assert!(is_surely_empty(&block, &[other]));
        block.logs.push(log(&block.header, 0));
        assert!(!is_surely_empty(&block, &[other]));
    }

    #[test]
    fn logs_that_do_not_fit_are_none() {
        let headers = vec![header(7, 0), header(8, 0)];
        let twice = vec![log(&headers[1], 2), log(&headers[1], 2)];
        let (blocks, doubt) = assemble_or_doubt(headers.clone(), twice);
        assert_eq!(
            blocks,
            headers
                .iter()
                .cloned()
                .map(without_logs)
                .collect::<Vec<_>>()
        );
        assert!(matches!(doubt, Some(LogsError::Twice { .. })));

        let once = vec![log(&headers[1], 2)];
        let (blocks, doubt) = assemble_or_doubt(headers, once.clone());
        assert_eq!((blocks[1].logs.clone(), doubt), (once, None));
    }

    #[test]
    fn logs_go_to_their_blocks_in_order() {
        let headers = vec![header(7, 0), header(8, 0)];
        let logs = vec![
            log(&headers[1], 3),
            log(&headers[1], 1),
            log(&headers[0], 0),
        ];
        let blocks = assemble_blocks(headers, logs).unwrap();
        let places = |block: &Block| {
            block
                .logs
                .iter()
                .map(|log| log.log_index)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            (places(&blocks[0]), places(&blocks[1])),
            (vec![0], vec![1, 3])
        );
    }

    #[test]
    fn logs_of_another_branch_or_block_or_twice_are_refused() {
        let (ours, fork, later) = (header(7, 0), header(7, 1), header(8, 0));
        let expected = LogsError::OtherBlock {
            number: 7,
            expected: ours.hash,
            found: fork.hash,
        };
        assert_eq!(
            assemble_blocks(vec![ours.clone()], vec![log(&fork, 0)]),
            Err(expected)
        );
        assert_eq!(
            assemble_blocks(vec![ours.clone()], vec![log(&later, 0)]),
            Err(LogsError::NotAskedFor { number: 8 })
        );
        let twice = vec![log(&ours, 2), log(&ours, 2)];
        assert_eq!(
            assemble_blocks(vec![ours], twice),
            Err(LogsError::Twice {
                number: 7,
                log_index: 2
            })
        );
    }

    #[test]
    fn the_views_decode_the_events_of_the_contracts() {
        use alloy::sol_types::SolEvent;
        use contract_bindings::{CheckpointAnchor, FranchiseToken};
        let migration = include_str!("../../../migrations/0002_chain.sql");
        let events = [
            FranchiseToken::Transfer::SIGNATURE_HASH,
            CheckpointAnchor::ChunkIssued::SIGNATURE_HASH,
            CheckpointAnchor::CheckpointAnchored::SIGNATURE_HASH,
        ];
        for event in events {
            assert!(
                migration.contains(&format!("'\\x{}'", alloy::hex::encode(event))),
                "{event}"
            );
        }
    }
}
