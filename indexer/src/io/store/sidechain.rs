//! Sidechain blocks and what happened in them.

use crate::core::replica::RawBlock;
use crate::core::rows::{
    BlockRow, CheckpointRow, ClaimRow, ConsentRevocationRow, ConsentRow, ErasureRow, OutletRow,
    RecordingRow, RefundRow, RefundShareRow, ReleaseRow, Rows, SaleRow, ShareRow, TerminalRow,
    to_bigint,
};
use crate::error::Error;
use crate::io::store::cursor::{Cursor, Move, advance_cursor, insert_cursor};
use crate::io::store::notify::{Kind, notify_readers};
use crate::io::store::{Writer, from_bigint, parse_hash};
use alloy::primitives::{Address, B256};
use domain::ledger::Supply;
use domain::limits::GENESIS_UNITS;
use domain::{Genesis, Ledger};
use sqlx::Connection;
use sqlx::postgres::PgConnection;

impl Writer {
    /// The genesis of this database's sidechain; `None` when it was never begun.
    pub async fn genesis(&mut self) -> Result<Option<Genesis>, Error> {
        let row = sqlx::query!("SELECT sidechain_id, genesis FROM chain.sidechain")
            .fetch_optional(&mut self.connection)
            .await
            .map_err(Error::store("read the genesis"))?;
        let Some(row) = row else { return Ok(None) };
        let genesis: Genesis =
            borsh::from_slice(&row.genesis).map_err(|_| Error::Damaged { what: "genesis" })?;
        let sidechain_id = parse_hash("sidechain id", &row.sidechain_id)?;
        if genesis.sidechain_id() != sidechain_id {
            return Err(Error::Damaged { what: "genesis" });
        }
        Ok(Some(genesis))
    }

    /// Writes the genesis, the founder's units and the first cursor.
    pub async fn begin_sidechain(&mut self, genesis: &Genesis) -> Result<(), Error> {
        let stream = self.stream;
        let identity = genesis.sidechain_id();
        let mut tx = self
            .connection
            .begin()
            .await
            .map_err(Error::store("begin"))?;

        sqlx::query!(
            "INSERT INTO chain.sidechain (sidechain_id, genesis, evm_chain_id, first_height, genesis_units)
             VALUES ($1, $2, $3, $4, $5)",
            identity.as_slice(),
            borsh::to_vec(genesis).unwrap_or_default(),
            to_bigint("chain id", genesis.evm_chain_id)?,
            to_bigint("first height", genesis.first_height)?,
            to_bigint("genesis units", GENESIS_UNITS)?,
        )
        .execute(&mut *tx)
        .await
        .map_err(Error::store("write the genesis"))?;

        let ledger = Ledger::new(genesis.clone()).map_err(Error::Genesis)?;
        let before = ledger.height();
        let units = to_bigint("genesis units", GENESIS_UNITS)?;
        let release = ReleaseRow {
            height: to_bigint("height", before)?,
            account: genesis.founder,
            units,
            debt_paid: 0,
            bonded: 0,
        };
        insert_releases(&mut tx, &[release]).await?;
        put_supply(&mut tx, before, &ledger.supply()).await?;

        let cursor = Cursor {
            identity,
            scope: String::new(),
            position: before,
            hash: None,
            finalized: before,
        };
        insert_cursor(&mut tx, stream, &cursor).await?;

        tx.commit().await.map_err(Error::store("commit"))
    }

    /// Stored blocks after a height, at most `count`.
    pub async fn blocks_after(&mut self, height: u64, count: i64) -> Result<Vec<RawBlock>, Error> {
        let rows = sqlx::query!(
            "SELECT raw, certificate FROM chain.sidechain_block WHERE height > $1 ORDER BY height LIMIT $2",
            to_bigint("height", height)?,
            count
        )
        .fetch_all(&mut self.connection)
        .await
        .map_err(Error::store("read blocks"))?;

        let decode = |bytes: &[u8]| {
            borsh::from_slice(bytes).map_err(|_| Error::Damaged {
                what: "certificate",
            })
        };

        rows.into_iter()
            .map(|row| {
                Ok(RawBlock {
                    certificate: decode(&row.certificate)?,
                    raw: row.raw,
                })
            })
            .collect()
    }

    /// Hash of a stored block.
    pub async fn sidechain_hash(&mut self, height: u64) -> Result<Option<B256>, Error> {
        let found = sqlx::query_scalar!(
            "SELECT hash FROM chain.sidechain_block WHERE height = $1",
            to_bigint("height", height)?
        )
        .fetch_optional(&mut self.connection)
        .await
        .map_err(Error::store("read a block's hash"))?;
        found.map(|bytes| parse_hash("hash", &bytes)).transpose()
    }

    /// Writes blocks with everything that happened in them and moves the cursor, in one transaction.
    /// `supply` is the ledger's after the last of them.
    pub async fn write_sidechain(
        &mut self,
        from: u64,
        rows: &Rows,
        supply: &Supply,
    ) -> Result<(), Error> {
        let Some(last) = rows.blocks.last() else {
            return Ok(());
        };

        let to = from_bigint("height", last.height)?;
        let stream = self.stream;
        let mut tx = self
            .connection
            .begin()
            .await
            .map_err(Error::store("begin"))?;

        insert_all(&mut tx, rows).await?;
        put_supply(&mut tx, to, supply).await?;
        advance_cursor(
            &mut tx,
            stream,
            Move {
                from,
                to,
                hash: Some(last.hash),
                finalized: to,
            },
        )
        .await?;

        notify_readers(&mut tx, stream, from + 1, to, Kind::Apply).await?;
        tx.commit().await.map_err(Error::store("commit"))
    }
}

async fn insert_all(tx: &mut PgConnection, rows: &Rows) -> Result<(), Error> {
    insert_blocks(tx, &rows.blocks).await?;

    if !rows.outlets.is_empty() {
        insert_outlets(tx, &rows.outlets).await?;
    }
    if !rows.terminals.is_empty() {
        insert_terminals(tx, &rows.terminals).await?;
    }
    for (terminal, height) in &rows.revocations {
        revoke_terminal(tx, *terminal, *height).await?;
    }

    if !rows.sales.is_empty() {
        insert_sales(tx, &rows.sales).await?;
    }
    if !rows.shares.is_empty() {
        insert_shares(tx, &rows.shares).await?;
    }
    if !rows.claims.is_empty() {
        insert_claims(tx, &rows.claims).await?;
    }
    if !rows.refunds.is_empty() {
        insert_refunds(tx, &rows.refunds).await?;
        insert_refund_shares(tx, &rows.refund_shares).await?;
    }

    if !rows.releases.is_empty() {
        insert_releases(tx, &rows.releases).await?;
    }
    for checkpoint in &rows.checkpoints {
        insert_checkpoint(tx, checkpoint).await?;
    }

    insert_video(tx, rows).await
}

/// What was made comes before what ended it: both may be of one batch.
async fn insert_video(tx: &mut PgConnection, rows: &Rows) -> Result<(), Error> {
    if !rows.consents.is_empty() {
        insert_consents(tx, &rows.consents).await?;
    }
    if !rows.consent_revocations.is_empty() {
        revoke_consents(tx, &rows.consent_revocations).await?;
    }

    if !rows.recordings.is_empty() {
        insert_recordings(tx, &rows.recordings).await?;
    }
    if !rows.erasures.is_empty() {
        erase_recordings(tx, &rows.erasures).await?;
    }

    Ok(())
}

/// One column of many rows.
fn column<R, T>(rows: &[R], get: impl Fn(&R) -> T) -> Vec<T> {
    rows.iter().map(get).collect()
}

fn address_bytes(address: Option<Address>) -> Option<Vec<u8>> {
    address.map(|address| address.to_vec())
}

fn hash_bytes(hash: Option<B256>) -> Option<Vec<u8>> {
    hash.map(|hash| hash.to_vec())
}

async fn insert_blocks(connection: &mut PgConnection, rows: &[BlockRow]) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO chain.sidechain_block
                (height, hash, parent_hash, time, proposer, transactions, raw, certificate)
         SELECT b.height, b.hash, b.parent_hash, chain.time_of_ms(b.time_ms), b.proposer, b.transactions, b.raw,
                b.certificate
         FROM unnest($1::bigint[], $2::bytea[], $3::bytea[], $4::bigint[], $5::bytea[], $6::bigint[], $7::bytea[],
                     $8::bytea[])
              AS b (height, hash, parent_hash, time_ms, proposer, transactions, raw, certificate)",
        &column(rows, |row| row.height),
        &column(rows, |row| row.hash.to_vec()),
        &column(rows, |row| row.parent_hash.to_vec()),
        &column(rows, |row| row.time_ms),
        &column(rows, |row| row.proposer.to_vec()),
        &column(rows, |row| row.transactions),
        &column(rows, |row| row.raw.clone()),
        &column(rows, |row| row.certificate.clone()),
    )
    .execute(connection)
    .await
    .map_err(Error::store("write sidechain blocks"))?;
    Ok(())
}

async fn insert_outlets(connection: &mut PgConnection, rows: &[OutletRow]) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO chain.outlet
                (outlet, owner, kind, city, currency, quota_per_day, terminal_quota_per_day, height)
         SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::text[], $4::text[], $5::text[], $6::bigint[],
                              $7::bigint[], $8::bigint[])",
        &column(rows, |row| row.outlet),
        &column(rows, |row| row.owner.to_vec()),
        &column(rows, |row| row.kind.to_owned()),
        &column(rows, |row| row.city.clone()),
        &column(rows, |row| row.currency.clone()),
        &column(rows, |row| row.quota_per_day),
        &column(rows, |row| row.terminal_quota_per_day),
        &column(rows, |row| row.height),
    )
    .execute(connection)
    .await
    .map_err(Error::store("write outlets"))?;
    Ok(())
}

async fn insert_terminals(
    connection: &mut PgConnection,
    rows: &[TerminalRow],
) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO chain.terminal (terminal, outlet, kind, height)
         SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::text[], $4::bigint[])",
        &column(rows, |row| row.terminal.to_vec()),
        &column(rows, |row| row.outlet),
        &column(rows, |row| row.kind.to_owned()),
        &column(rows, |row| row.height),
    )
    .execute(connection)
    .await
    .map_err(Error::store("write terminals"))?;
    Ok(())
}

async fn revoke_terminal(
    connection: &mut PgConnection,
    terminal: Address,
    height: i64,
) -> Result<(), Error> {
    sqlx::query!(
        "UPDATE chain.terminal SET revoked_height = $2 WHERE terminal = $1 AND revoked_height IS NULL",
        terminal.as_slice(),
        height
    )
    .execute(connection)
    .await
    .map_err(Error::store("revoke a terminal"))?;
    Ok(())
}

async fn insert_sales(connection: &mut PgConnection, rows: &[SaleRow]) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO chain.sale
                (outlet, sale_id, tx_id, height, place, terminal, occurred_at, currency, total, lines_hash,
                 buyer_kind, buyer, issued, not_issued)
         SELECT s.outlet, s.sale_id, s.tx_id, s.height, s.place, s.terminal, chain.time_of_ms(s.occurred_at_ms),
                s.currency, s.total, s.lines_hash, s.buyer_kind, s.buyer, s.issued, s.not_issued
         FROM unnest($1::bigint[], $2::bytea[], $3::bytea[], $4::bigint[], $5::bigint[], $6::bytea[], $7::bigint[],
                     $8::text[], $9::bigint[], $10::bytea[], $11::text[], $12::bytea[], $13::bigint[], $14::text[])
              AS s (outlet, sale_id, tx_id, height, place, terminal, occurred_at_ms, currency, total, lines_hash,
                    buyer_kind, buyer, issued, not_issued)",
        &column(rows, |row| row.outlet),
        &column(rows, |row| row.sale_id.to_vec()),
        &column(rows, |row| row.tx_id.to_vec()),
        &column(rows, |row| row.height),
        &column(rows, |row| row.place),
        &column(rows, |row| row.terminal.to_vec()),
        &column(rows, |row| row.occurred_at_ms),
        &column(rows, |row| row.currency.clone()),
        &column(rows, |row| row.total),
        &column(rows, |row| row.lines_hash.to_vec()),
        &column(rows, |row| row.buyer_kind.to_owned()),
        &column(rows, |row| address_bytes(row.buyer)) as &[Option<Vec<u8>>],
        &column(rows, |row| row.issued),
        &column(rows, |row| row.not_issued.map(str::to_owned)) as &[Option<String>],
    )
    .execute(connection)
    .await
    .map_err(Error::store("write sales"))?;
    Ok(())
}

async fn insert_shares(connection: &mut PgConnection, rows: &[ShareRow]) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO chain.sale_share (outlet, sale_id, place, kind, account, units)
         SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::bigint[], $4::text[], $5::bytea[], $6::bigint[])",
        &column(rows, |row| row.outlet),
        &column(rows, |row| row.sale_id.to_vec()),
        &column(rows, |row| row.place),
        &column(rows, |row| row.kind.to_owned()),
        &column(rows, |row| address_bytes(row.account)) as &[Option<Vec<u8>>],
        &column(rows, |row| row.units),
    )
    .execute(connection)
    .await
    .map_err(Error::store("write shares"))?;
    Ok(())
}

async fn insert_claims(connection: &mut PgConnection, rows: &[ClaimRow]) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO chain.receipt_claim (outlet, sale_id, wallet, units, height)
         SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::bytea[], $4::bigint[], $5::bigint[])",
        &column(rows, |row| row.outlet),
        &column(rows, |row| row.sale_id.to_vec()),
        &column(rows, |row| row.wallet.to_vec()),
        &column(rows, |row| row.units),
        &column(rows, |row| row.height),
    )
    .execute(connection)
    .await
    .map_err(Error::store("write claims"))?;
    Ok(())
}

async fn insert_refunds(connection: &mut PgConnection, rows: &[RefundRow]) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO chain.refund (outlet, sale_id, refund_id, tx_id, height, amount, reversed, debt, owner)
         SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::bytea[], $4::bytea[], $5::bigint[], $6::bigint[],
                              $7::bigint[], $8::bigint[], $9::bytea[])",
        &column(rows, |row| row.outlet),
        &column(rows, |row| row.sale_id.to_vec()),
        &column(rows, |row| row.refund_id.to_vec()),
        &column(rows, |row| row.tx_id.to_vec()),
        &column(rows, |row| row.height),
        &column(rows, |row| row.amount),
        &column(rows, |row| row.reversed),
        &column(rows, |row| row.debt),
        &column(rows, |row| row.owner.to_vec()),
    )
    .execute(connection)
    .await
    .map_err(Error::store("write refunds"))?;
    Ok(())
}

async fn insert_refund_shares(
    connection: &mut PgConnection,
    rows: &[RefundShareRow],
) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO chain.refund_share (outlet, sale_id, refund_id, place, units)
         SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::bytea[], $4::bigint[], $5::bigint[])",
        &column(rows, |row| row.outlet),
        &column(rows, |row| row.sale_id.to_vec()),
        &column(rows, |row| row.refund_id.to_vec()),
        &column(rows, |row| row.place),
        &column(rows, |row| row.units),
    )
    .execute(connection)
    .await
    .map_err(Error::store("write what refunds took back"))?;
    Ok(())
}

async fn insert_releases(connection: &mut PgConnection, rows: &[ReleaseRow]) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO chain.release (height, account, units, debt_paid, bonded)
         SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::bigint[], $4::bigint[], $5::bigint[])",
        &column(rows, |row| row.height),
        &column(rows, |row| row.account.to_vec()),
        &column(rows, |row| row.units),
        &column(rows, |row| row.debt_paid),
        &column(rows, |row| row.bonded),
    )
    .execute(connection)
    .await
    .map_err(Error::store("write releases"))?;
    Ok(())
}

async fn put_supply(
    connection: &mut PgConnection,
    height: u64,
    supply: &Supply,
) -> Result<(), Error> {
    let Supply {
        issued,
        reversed,
        released,
        pending,
        receipts,
        pool,
        debt,
        bonded,
        slashed,
        sales,
    } = *supply;

    sqlx::query!(
        "INSERT INTO chain.supply
                (height, issued, reversed, released, pending, receipts, pool, debt, bonded, slashed, sales)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT (only_one) DO UPDATE SET height = EXCLUDED.height, issued = EXCLUDED.issued,
                reversed = EXCLUDED.reversed, released = EXCLUDED.released, pending = EXCLUDED.pending,
                receipts = EXCLUDED.receipts, pool = EXCLUDED.pool, debt = EXCLUDED.debt, bonded = EXCLUDED.bonded,
                slashed = EXCLUDED.slashed, sales = EXCLUDED.sales",
        to_bigint("height", height)?,
        to_bigint("issued", issued)?,
        to_bigint("reversed", reversed)?,
        to_bigint("released", released)?,
        to_bigint("pending", pending)?,
        to_bigint("receipts", receipts)?,
        to_bigint("pool", pool)?,
        to_bigint("debt", debt)?,
        to_bigint("bonded", bonded)?,
        to_bigint("slashed", slashed)?,
        to_bigint("sales", sales)?,
    )
    .execute(connection)
    .await
    .map_err(Error::store("write the supply"))?;

    Ok(())
}

async fn insert_checkpoint(
    connection: &mut PgConnection,
    row: &CheckpointRow,
) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO chain.epoch_checkpoint
                (epoch, height, anchor, first_height, last_height, blocks_root, state_root, payout_root,
                 recordings_root, total_released, next_validators_hash, payouts)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::text::numeric, $11, $12)",
        row.epoch,
        row.height,
        row.anchor.as_slice(),
        row.first_height,
        row.last_height,
        row.blocks_root.as_slice(),
        row.state_root.as_slice(),
        row.payout_root.as_slice(),
        row.recordings_root.as_slice(),
        row.total_released.to_string(),
        row.next_validators_hash.as_slice(),
        row.payouts,
    )
    .execute(connection)
    .await
    .map_err(Error::store("write a checkpoint"))?;
    Ok(())
}

async fn insert_consents(connection: &mut PgConnection, rows: &[ConsentRow]) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO chain.consent
                (id, height, place, kind, outlet, camera, purposes, commitment, guest, witness, notice_hash,
                 retention_days, owner, recorded_at, until)
         SELECT c.id, c.height, c.place, c.kind, c.outlet, c.camera, c.purposes, c.commitment, c.guest, c.witness,
                c.notice_hash, c.retention_days, c.owner, chain.time_of_ms(c.recorded_at_ms),
                chain.time_of_ms(c.until_ms)
         FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[],
                     $8::bytea[], $9::bytea[], $10::bytea[], $11::bytea[], $12::bigint[], $13::bytea[],
                     $14::bigint[], $15::bigint[])
              AS c (id, height, place, kind, outlet, camera, purposes, commitment, guest, witness, notice_hash,
                    retention_days, owner, recorded_at_ms, until_ms)",
        &column(rows, |row| row.id.to_vec()),
        &column(rows, |row| row.height),
        &column(rows, |row| row.place),
        &column(rows, |row| row.kind.to_owned()),
        &column(rows, |row| row.outlet),
        &column(rows, |row| row.camera),
        &column(rows, |row| row.purposes),
        &column(rows, |row| hash_bytes(row.commitment)) as &[Option<Vec<u8>>],
        &column(rows, |row| address_bytes(row.guest)) as &[Option<Vec<u8>>],
        &column(rows, |row| address_bytes(row.witness)) as &[Option<Vec<u8>>],
        &column(rows, |row| hash_bytes(row.notice_hash)) as &[Option<Vec<u8>>],
        &column(rows, |row| row.retention_days) as &[Option<i64>],
        &column(rows, |row| address_bytes(row.owner)) as &[Option<Vec<u8>>],
        &column(rows, |row| row.recorded_at_ms),
        &column(rows, |row| row.until_ms),
    )
    .execute(connection)
    .await
    .map_err(Error::store("write consents"))?;
    Ok(())
}

async fn revoke_consents(
    connection: &mut PgConnection,
    rows: &[ConsentRevocationRow],
) -> Result<(), Error> {
    sqlx::query!(
        "UPDATE chain.consent AS c
         SET revoked_at = chain.time_of_ms(r.at_ms), revoked_by = r.by, revoked_height = r.height
         FROM unnest($1::bytea[], $2::bigint[], $3::bytea[], $4::bigint[]) AS r (id, at_ms, by, height)
         WHERE c.id = r.id",
        &column(rows, |row| row.id.to_vec()),
        &column(rows, |row| row.at_ms),
        &column(rows, |row| row.by.to_vec()),
        &column(rows, |row| row.height),
    )
    .execute(connection)
    .await
    .map_err(Error::store("revoke consents"))?;
    Ok(())
}

async fn insert_recordings(
    connection: &mut PgConnection,
    rows: &[RecordingRow],
) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO chain.recording
                (cid, tx_id, height, place, outlet, camera, consent, manifest_hash, sequence, started_at, ended_at,
                 agent)
         SELECT r.cid, r.tx_id, r.height, r.place, r.outlet, r.camera, r.consent, r.manifest_hash, r.sequence,
                chain.time_of_ms(r.started_at_ms), chain.time_of_ms(r.ended_at_ms), r.agent
         FROM unnest($1::bytea[], $2::bytea[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bytea[],
                     $8::bytea[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bytea[])
              AS r (cid, tx_id, height, place, outlet, camera, consent, manifest_hash, sequence, started_at_ms,
                    ended_at_ms, agent)",
        &column(rows, |row| row.cid.as_bytes().to_vec()),
        &column(rows, |row| row.tx_id.to_vec()),
        &column(rows, |row| row.height),
        &column(rows, |row| row.place),
        &column(rows, |row| row.outlet),
        &column(rows, |row| row.camera),
        &column(rows, |row| row.consent.to_vec()),
        &column(rows, |row| row.manifest_hash.to_vec()),
        &column(rows, |row| row.sequence),
        &column(rows, |row| row.started_at_ms),
        &column(rows, |row| row.ended_at_ms),
        &column(rows, |row| row.agent.to_vec()),
    )
    .execute(connection)
    .await
    .map_err(Error::store("write recordings"))?;
    Ok(())
}

async fn erase_recordings(connection: &mut PgConnection, rows: &[ErasureRow]) -> Result<(), Error> {
    sqlx::query!(
        "UPDATE chain.recording AS r
         SET erased_height = e.height, erased_at = chain.time_of_ms(e.at_ms), erased_by = e.by, erase_reason = e.reason
         FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bytea[], $5::text[])
              AS e (cid, height, at_ms, by, reason)
         WHERE r.cid = e.cid",
        &column(rows, |row| row.cid.as_bytes().to_vec()),
        &column(rows, |row| row.height),
        &column(rows, |row| row.at_ms),
        &column(rows, |row| row.by.to_vec()),
        &column(rows, |row| row.reason.to_owned()),
    )
    .execute(connection)
    .await
    .map_err(Error::store("erase recordings"))?;
    Ok(())
}
