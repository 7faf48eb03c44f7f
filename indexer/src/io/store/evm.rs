//! EVM blocks and logs: raw first, everything typed from the raw rows by SQL.

use crate::core::logs::{Block, Header, Log};
use crate::core::rows::to_bigint;
use crate::error::Error;
use crate::io::store::cursor::{Move, advance_cursor};
use crate::io::store::notify::{Kind, notify_readers};
use crate::io::store::{Stream, Writer, from_bigint, parse_hash};
use alloy::primitives::B256;
use sqlx::Connection;
use sqlx::postgres::PgConnection;
use std::collections::BTreeMap;

/// Everything that one transaction does.
#[derive(Debug)]
pub struct EvmWrite<'a> {
    /// The EVM chain id of all rows.
    pub chain_id: u64,
    /// The cursor's position before: the last block mirrored.
    pub from: u64,
    /// What has to go first.
    pub replaced: Option<Replaced>,
    /// What comes: consecutive blocks, or none when only finality moved.
    pub blocks: &'a [Block],
    /// The last block, of those that are mirrored then, that cannot be replaced any more.
    pub finalized: u64,
}

/// Blocks of ours that another branch replaces.
#[derive(Clone, Copy, Debug)]
pub struct Replaced {
    /// The last block that stays.
    pub fork: u64,
    /// Hash of our head.
    pub old_hash: B256,
}

impl Writer {
    /// Our hashes from a block on.
    pub async fn hashes_from(
        &mut self,
        chain_id: u64,
        from: u64,
    ) -> Result<BTreeMap<u64, B256>, Error> {
        let rows = sqlx::query!(
            "SELECT number, hash FROM chain.evm_block WHERE chain_id = $1 AND number >= $2",
            to_bigint("chain id", chain_id)?,
            to_bigint("number", from)?
        )
        .fetch_all(&mut self.connection)
        .await
        .map_err(Error::store("read block hashes"))?;

        rows.into_iter()
            .map(|row| {
                Ok((
                    from_bigint("number", row.number)?,
                    parse_hash("hash", &row.hash)?,
                ))
            })
            .collect()
    }

    /// Time of the last mirrored block, seconds since the Unix epoch.
    pub async fn last_block_time_s(&mut self) -> Result<u64, Error> {
        let time = sqlx::query_scalar!(
            r#"SELECT COALESCE(extract(epoch FROM max(time)), 0)::bigint AS "time!" FROM chain.evm_block"#
        )
        .fetch_one(&mut self.connection)
        .await
        .map_err(Error::store("read the last block"))?;
        from_bigint("time", time)
    }

    /// Undoes, applies, moves the cursor and says so, in one transaction.
    pub async fn write_evm(&mut self, write: &EvmWrite<'_>) -> Result<(), Error> {
        let stream = self.stream;
        let mut tx = self
            .connection
            .begin()
            .await
            .map_err(Error::store("begin"))?;

        if let Some(replaced) = &write.replaced {
            undo_blocks(&mut tx, stream, write, replaced).await?;
        }
        apply_blocks(&mut tx, stream, write).await?;
        finalize_blocks(&mut tx, write).await?;

        if write.replaced.is_none() && write.blocks.is_empty() {
            notify_readers(&mut tx, stream, write.from + 1, write.from, Kind::Apply).await?;
        }

        tx.commit().await.map_err(Error::store("commit"))
    }
}

async fn undo_blocks(
    connection: &mut PgConnection,
    stream: Stream,
    write: &EvmWrite<'_>,
    replaced: &Replaced,
) -> Result<(), Error> {
    let first = replaced.fork + 1;
    let (chain_id, from) = (
        to_bigint("chain id", write.chain_id)?,
        to_bigint("number", first)?,
    );

    add_to_balances(connection, chain_id, from, i64::MAX, -1).await?;
    delete_typed(connection, chain_id, from).await?;

    let removed = sqlx::query!(
        "DELETE FROM chain.raw_log WHERE chain_id = $1 AND block_number >= $2",
        chain_id,
        from
    )
    .execute(&mut *connection)
    .await
    .map_err(Error::store("remove raw logs"))?;

    sqlx::query!(
        "DELETE FROM chain.evm_block WHERE chain_id = $1 AND number >= $2",
        chain_id,
        from
    )
    .execute(&mut *connection)
    .await
    .map_err(Error::store("remove blocks"))?;

    let new_hash = write
        .blocks
        .last()
        .map_or(replaced.old_hash, |block| block.header.hash);
    sqlx::query!(
        "INSERT INTO chain.reorg_log (chain_id, fork_number, depth, old_hash, new_hash, rows_removed)
         VALUES ($1, $2, $3, $4, $5, $6)",
        chain_id,
        to_bigint("number", replaced.fork)?,
        to_bigint("depth", write.from - replaced.fork)?,
        replaced.old_hash.as_slice(),
        new_hash.as_slice(),
        to_bigint("rows", removed.rows_affected())?,
    )
    .execute(&mut *connection)
    .await
    .map_err(Error::store("log the reorganisation"))?;

    notify_readers(connection, stream, first, write.from, Kind::Revert).await
}

async fn delete_typed(
    connection: &mut PgConnection,
    chain_id: i64,
    from: i64,
) -> Result<(), Error> {
    let failed = Error::store("remove typed rows");

    sqlx::query!(
        "DELETE FROM chain.payout WHERE chain_id = $1 AND block_number >= $2",
        chain_id,
        from
    )
    .execute(&mut *connection)
    .await
    .map_err(&failed)?;

    sqlx::query!(
        "DELETE FROM chain.chunk_issued WHERE chain_id = $1 AND block_number >= $2",
        chain_id,
        from
    )
    .execute(&mut *connection)
    .await
    .map_err(&failed)?;

    sqlx::query!(
        "DELETE FROM chain.checkpoint_anchored WHERE chain_id = $1 AND block_number >= $2",
        chain_id,
        from
    )
    .execute(&mut *connection)
    .await
    .map_err(&failed)?;

    sqlx::query!(
        "DELETE FROM chain.token_transfer WHERE chain_id = $1 AND block_number >= $2",
        chain_id,
        from
    )
    .execute(&mut *connection)
    .await
    .map_err(&failed)?;

    Ok(())
}

async fn apply_blocks(
    connection: &mut PgConnection,
    stream: Stream,
    write: &EvmWrite<'_>,
) -> Result<(), Error> {
    let (Some(first), Some(last)) = (write.blocks.first(), write.blocks.last()) else {
        return Ok(());
    };

    let (from, to) = (first.header.number, last.header.number);
    let chain_id = to_bigint("chain id", write.chain_id)?;
    insert_blocks(connection, chain_id, write.blocks, write.finalized).await?;

    let logs: Vec<(&Header, &Log)> = write
        .blocks
        .iter()
        .flat_map(|block| block.logs.iter().map(|log| (&block.header, log)))
        .collect();
    if !logs.is_empty() {
        insert_logs(connection, chain_id, &logs).await?;
        decode_logs(
            connection,
            chain_id,
            to_bigint("number", from)?,
            to_bigint("number", to)?,
        )
        .await?;
    }

    let step = Move {
        from: write.from,
        to,
        hash: Some(last.header.hash),
        finalized: write.finalized,
    };
    advance_cursor(connection, stream, step).await?;
    notify_readers(connection, stream, from, to, Kind::Apply).await
}

async fn insert_blocks(
    connection: &mut PgConnection,
    chain_id: i64,
    blocks: &[Block],
    finalized: u64,
) -> Result<(), Error> {
    let headers = || blocks.iter().map(|block| &block.header);
    let numbers = headers()
        .map(|h| to_bigint("number", h.number))
        .collect::<Result<Vec<_>, _>>()?;
    let hashes: Vec<Vec<u8>> = headers().map(|h| h.hash.to_vec()).collect();
    let parents: Vec<Vec<u8>> = headers().map(|h| h.parent_hash.to_vec()).collect();
    let times = headers()
        .map(|h| to_bigint("time", h.time_s.saturating_mul(1000)))
        .collect::<Result<Vec<_>, _>>()?;

    sqlx::query!(
        "INSERT INTO chain.evm_block (chain_id, number, hash, parent_hash, time, finalized)
         SELECT $1, b.number, b.hash, b.parent_hash, chain.time_of_ms(b.time_ms), b.number <= $6
         FROM unnest($2::bigint[], $3::bytea[], $4::bytea[], $5::bigint[]) AS b (number, hash, parent_hash, time_ms)",
        chain_id,
        &numbers,
        &hashes,
        &parents,
        &times,
        to_bigint("finalized", finalized)?,
    )
    .execute(connection)
    .await
    .map_err(Error::store("write blocks"))?;

    Ok(())
}

async fn insert_logs(
    connection: &mut PgConnection,
    chain_id: i64,
    logs: &[(&Header, &Log)],
) -> Result<(), Error> {
    let numbers = |field: &'static str, get: fn(&Header, &Log) -> u64| {
        logs.iter()
            .map(|(header, log)| to_bigint(field, get(header, log)))
            .collect::<Result<Vec<i64>, Error>>()
    };

    let bytes = |get: fn(&Log) -> Vec<u8>| {
        logs.iter()
            .map(|(_, log)| get(log))
            .collect::<Vec<Vec<u8>>>()
    };

    let topics = |place: usize| {
        logs.iter()
            .map(|(_, log)| log.topics.get(place).map(|topic| topic.to_vec()))
            .collect::<Vec<_>>()
    };

    sqlx::query!(
        "INSERT INTO chain.raw_log (chain_id, block_number, log_index, block_hash, block_time, tx_hash, tx_index,
                                    address, topic0, topic1, topic2, topic3, data)
         SELECT $1, l.number, l.log_index, l.block_hash, chain.time_of_ms(l.time_ms), l.tx_hash, l.tx_index,
                l.address, l.topic0, l.topic1, l.topic2, l.topic3, l.data
         FROM unnest($2::bigint[], $3::bigint[], $4::bytea[], $5::bigint[], $6::bytea[], $7::bigint[], $8::bytea[],
                     $9::bytea[], $10::bytea[], $11::bytea[], $12::bytea[], $13::bytea[])
              AS l (number, log_index, block_hash, time_ms, tx_hash, tx_index, address, topic0, topic1, topic2,
                    topic3, data)",
        chain_id,
        &numbers("number", |header, _| header.number)?,
        &numbers("log index", |_, log| log.log_index)?,
        &bytes(|log| log.block_hash.to_vec()),
        &numbers("time", |header, _| header.time_s.saturating_mul(1000))?,
        &bytes(|log| log.tx_hash.to_vec()),
        &numbers("transaction index", |_, log| log.tx_index)?,
        &bytes(|log| log.address.to_vec()),
        &topics(0) as &[Option<Vec<u8>>],
        &topics(1) as &[Option<Vec<u8>>],
        &topics(2) as &[Option<Vec<u8>>],
        &topics(3) as &[Option<Vec<u8>>],
        &bytes(|log| log.data.to_vec()),
    )
    .execute(connection)
    .await
    .map_err(Error::store("write raw logs"))?;

    Ok(())
}

/// Typed rows of a range, from its raw logs.
async fn decode_logs(
    connection: &mut PgConnection,
    chain_id: i64,
    from: i64,
    to: i64,
) -> Result<(), Error> {
    let failed = Error::store("decode logs");

    sqlx::query!(
        "INSERT INTO chain.token_transfer
                (chain_id, block_number, log_index, block_time, tx_hash, token, sender, recipient, value)
         SELECT chain_id, block_number, log_index, block_time, tx_hash, token, sender, recipient, value
         FROM chain.token_transfer_of_log WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3",
        chain_id,
        from,
        to
    )
    .execute(&mut *connection)
    .await
    .map_err(&failed)?;

    sqlx::query!(
        "INSERT INTO chain.chunk_issued (chain_id, block_number, log_index, tx_hash, anchor, epoch, chunk_root, minted)
         SELECT chain_id, block_number, log_index, tx_hash, anchor, epoch, chunk_root, minted
         FROM chain.chunk_issued_of_log WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3",
        chain_id,
        from,
        to
    )
    .execute(&mut *connection)
    .await
    .map_err(&failed)?;

    sqlx::query!(
        "INSERT INTO chain.checkpoint_anchored
                (chain_id, block_number, log_index, block_time, tx_hash, anchor, epoch, first_height, last_height,
                 blocks_root, state_root, payout_root, recordings_root, total_released, next_validators_hash)
         SELECT chain_id, block_number, log_index, block_time, tx_hash, anchor, epoch, first_height, last_height,
                blocks_root, state_root, payout_root, recordings_root, total_released, next_validators_hash
         FROM chain.checkpoint_anchored_of_log WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3",
        chain_id,
        from,
        to
    )
    .execute(&mut *connection)
    .await
    .map_err(&failed)?;

    sqlx::query!(
        "INSERT INTO chain.payout
                (chain_id, block_number, log_index, block_time, tx_hash, token, account, value, epoch)
         SELECT chain_id, block_number, log_index, block_time, tx_hash, token, account, value, epoch
         FROM chain.payout_of_log WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3",
        chain_id,
        from,
        to
    )
    .execute(&mut *connection)
    .await
    .map_err(&failed)?;

    add_to_balances(connection, chain_id, from, to, 1).await
}

/// Adds the transfers of a range to the balances, or with sign -1 takes them back.
async fn add_to_balances(
    connection: &mut PgConnection,
    chain_id: i64,
    from: i64,
    to: i64,
    sign: i32,
) -> Result<(), Error> {
    sqlx::query!(
        "MERGE INTO chain.balance AS b
         USING (SELECT chain_id, token, holder, $4::int * sum(change) AS change
                FROM chain.balance_change
                WHERE chain_id = $1 AND block_number BETWEEN $2 AND $3
                GROUP BY chain_id, token, holder
                HAVING sum(change) <> 0) AS d
         ON b.chain_id = d.chain_id AND b.token = d.token AND b.holder = d.holder
         WHEN MATCHED AND b.value + d.change = 0 THEN DELETE
         WHEN MATCHED THEN UPDATE SET value = b.value + d.change
         WHEN NOT MATCHED THEN INSERT (chain_id, token, holder, value)
                               VALUES (d.chain_id, d.token, d.holder, d.change)",
        chain_id,
        from,
        to,
        sign
    )
    .execute(connection)
    .await
    .map_err(Error::store("add up balances"))?;
    Ok(())
}

async fn finalize_blocks(connection: &mut PgConnection, write: &EvmWrite<'_>) -> Result<(), Error> {
    let (chain_id, finalized) = (
        to_bigint("chain id", write.chain_id)?,
        to_bigint("number", write.finalized)?,
    );

    sqlx::query!(
        "UPDATE chain.evm_block SET finalized = true WHERE chain_id = $1 AND number <= $2 AND NOT finalized",
        chain_id,
        finalized
    )
    .execute(&mut *connection)
    .await
    .map_err(Error::store("mark final blocks"))?;

    sqlx::query!(
        "UPDATE chain.cursor SET finalized = $1 WHERE stream = 'evm'",
        finalized
    )
    .execute(connection)
    .await
    .map_err(Error::store("mark final blocks"))?;

    Ok(())
}
