//! The journal: what is wanted, which nonces are reserved for it, and every signed transaction.
//!
//! All of it goes over the one connection that holds the signer's lock. When that connection dies the lock is gone,
//! and with it the ability to write: two relayers can never both reserve nonces.

mod rows;

use crate::core::intent::{BlockId, Intent, IntentStage, Key};
use crate::core::slot::{Outcome, Slot, SlotStage, Variant};
use crate::error::Error;
use alloy::primitives::{Address, Bytes, keccak256};
use rows::{IntentRow, SlotRow, VariantRow};
use sqlx::Connection;
use sqlx::postgres::PgConnection;
use std::time::Duration;

/// How long connecting may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// A nonce to reserve, with its first transaction.
pub(crate) struct Reservation<'a> {
    pub(crate) intent_id: i64,
    pub(crate) nonce: u64,
    pub(crate) gas_limit: u64,
    pub(crate) variant: &'a Variant,
}

/// How the open intents stand.
pub(crate) struct Summary {
    /// Name of the stage and how many stand there.
    pub(crate) stages: Vec<(String, i64)>,
    /// Age of the oldest that is not final; 0 without any.
    pub(crate) oldest_s: i64,
}

/// The journal of one signer for one anchor.
pub(crate) struct Store {
    connection: PgConnection,
    chain_id: i64,
    anchor: Address,
    signer: Address,
}

impl Store {
    /// Connects; nothing may be written before [`Store::try_lock`] has succeeded.
    pub(crate) async fn connect(
        url: &str,
        chain_id: u64,
        anchor: Address,
        signer: Address,
    ) -> Result<Self, Error> {
        let connecting = tokio::time::timeout(CONNECT_LIMIT, PgConnection::connect(url)).await;
        let connecting = connecting.map_err(|_| Error::Stalled {
            limit: CONNECT_LIMIT,
        })?;
        let connection = connecting.map_err(failed("connect"))?;

        Ok(Self {
            connection,
            chain_id: rows::to_i64("chain_id", chain_id)?,
            anchor,
            signer,
        })
    }

    /// Takes the signer's lock for as long as the connection lives; false while another relayer holds it.
    pub(crate) async fn try_lock(&mut self) -> Result<bool, Error> {
        let key = lock_key(self.chain_id, self.signer);
        sqlx::query_scalar!(r#"SELECT pg_try_advisory_lock($1) AS "locked!""#, key)
            .fetch_one(&mut self.connection)
            .await
            .map_err(failed("take the lock"))
    }

    /// Fails when the connection, and so the lock, is gone.
    pub(crate) async fn check_lock(&mut self) -> Result<(), Error> {
        self.connection
            .ping()
            .await
            .map_err(|source| Error::LockLost { source })
    }

    /// Intents that are not final, old epochs first.
    pub(crate) async fn open_intents(&mut self) -> Result<Vec<Intent>, Error> {
        let rows = sqlx::query_as!(
            IntentRow,
            r#"SELECT id, kind, epoch, chunk, calldata, stage, block_number, block_hash,
                      (retry_after IS NULL OR retry_after <= now()) AS "may_retry!"
               FROM relayer.intents
               WHERE chain_id = $1 AND anchor = $2 AND stage NOT IN ('final', 'obsolete')
               ORDER BY epoch, kind, chunk"#,
            self.chain_id,
            self.anchor.as_slice(),
        )
        .fetch_all(&mut self.connection)
        .await
        .map_err(failed("open intents"))?;

        rows.into_iter().map(Intent::try_from).collect()
    }

    /// The signer's nonces that are not final, ascending, with everything signed for them.
    pub(crate) async fn open_slots(&mut self) -> Result<Vec<Slot>, Error> {
        let rows = sqlx::query_as!(
            SlotRow,
            r#"SELECT s.id, s.intent_id, i.kind, i.epoch, i.chunk, i.calldata, s.nonce, s.gas_limit, s.stage,
                      s.outcome, s.block_number, s.block_hash
               FROM relayer.slots s JOIN relayer.intents i ON i.id = s.intent_id
               WHERE s.chain_id = $1 AND s.anchor = $2 AND s.signer = $3 AND s.stage <> 'final'
               ORDER BY s.nonce"#,
            self.chain_id,
            self.anchor.as_slice(),
            self.signer.as_slice(),
        )
        .fetch_all(&mut self.connection)
        .await
        .map_err(failed("open slots"))?;

        let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
        let variants = self.variants(&ids).await?;

        rows.into_iter()
            .map(|row| row.with_variants(&variants))
            .collect()
    }

    async fn variants(&mut self, slots: &[i64]) -> Result<Vec<VariantRow>, Error> {
        sqlx::query_as!(
            VariantRow,
            "SELECT slot_id, hash, raw, max_fee_per_gas, max_priority_fee_per_gas, cancels, head_number
             FROM relayer.variants WHERE slot_id = ANY($1) ORDER BY slot_id, max_fee_per_gas",
            slots,
        )
        .fetch_all(&mut self.connection)
        .await
        .map_err(failed("variants"))
    }

    /// How far a checkpoint's intent has come, and how often it failed; `None` when there is none.
    pub(crate) async fn checkpoint_intent(
        &mut self,
        epoch: u64,
    ) -> Result<Option<(String, i64)>, Error> {
        let row = sqlx::query!(
            "SELECT stage, failures FROM relayer.intents
             WHERE chain_id = $1 AND anchor = $2 AND kind = 'checkpoint' AND epoch = $3",
            self.chain_id,
            self.anchor.as_slice(),
            rows::to_i64("epoch", epoch)?,
        )
        .fetch_optional(&mut self.connection)
        .await
        .map_err(failed("checkpoint's intent"))?;

        Ok(row.map(|row| (row.stage, row.failures)))
    }

    /// Wants a checkpoint that the chain does not hold. An intent that was closed is opened again, with all payouts
    /// from its epoch on: the chain went back beyond what it had called final.
    pub(crate) async fn want_checkpoint(
        &mut self,
        epoch: u64,
        calldata: &Bytes,
    ) -> Result<(), Error> {
        let epoch = rows::to_i64("epoch", epoch)?;
        let mut transaction = self.connection.begin().await.map_err(failed("begin"))?;

        sqlx::query!(
            "INSERT INTO relayer.intents (chain_id, anchor, kind, epoch, chunk, calldata)
             VALUES ($1, $2, 'checkpoint', $3, 0, $4)
             ON CONFLICT ON CONSTRAINT intents_key DO UPDATE
             SET calldata = excluded.calldata, stage = 'intended', block_number = NULL, block_hash = NULL,
                 updated_at = now()",
            self.chain_id,
            self.anchor.as_slice(),
            epoch,
            calldata.as_ref(),
        )
        .execute(&mut *transaction)
        .await
        .map_err(failed("want a checkpoint"))?;

        sqlx::query!(
            "UPDATE relayer.intents
             SET stage = 'intended', block_number = NULL, block_hash = NULL, updated_at = now()
             WHERE chain_id = $1 AND anchor = $2 AND kind = 'chunk' AND epoch >= $3 AND stage IN ('final', 'obsolete')",
            self.chain_id,
            self.anchor.as_slice(),
            epoch,
        )
        .execute(&mut *transaction)
        .await
        .map_err(failed("open payouts again"))?;

        transaction.commit().await.map_err(failed("commit"))
    }

    /// All anchored epochs up to this one have their chunks among the intents.
    pub(crate) async fn scanned_epoch(&mut self) -> Result<u64, Error> {
        let epoch = sqlx::query_scalar!(
            "SELECT epoch FROM relayer.scans WHERE chain_id = $1 AND anchor = $2",
            self.chain_id,
            self.anchor.as_slice(),
        )
        .fetch_optional(&mut self.connection)
        .await
        .map_err(failed("scanned epoch"))?;
        epoch.map_or(Ok(0), |epoch| rows::to_u64("epoch", epoch))
    }

    /// Wants the chunks of an anchored epoch and remembers that they are all there.
    pub(crate) async fn want_chunks(&mut self, epoch: u64, calls: &[Bytes]) -> Result<(), Error> {
        let epoch = rows::to_i64("epoch", epoch)?;
        let calls: Vec<Vec<u8>> = calls.iter().map(|call| call.to_vec()).collect();
        let mut transaction = self.connection.begin().await.map_err(failed("begin"))?;

        sqlx::query!(
            "INSERT INTO relayer.intents (chain_id, anchor, kind, epoch, chunk, calldata)
             SELECT $1, $2, 'chunk', $3, place - 1, calldata
             FROM unnest($4::bytea[]) WITH ORDINALITY AS chunks (calldata, place)
             ON CONFLICT ON CONSTRAINT intents_key DO NOTHING",
            self.chain_id,
            self.anchor.as_slice(),
            epoch,
            &calls,
        )
        .execute(&mut *transaction)
        .await
        .map_err(failed("want chunks"))?;

        sqlx::query!(
            "INSERT INTO relayer.scans (chain_id, anchor, epoch) VALUES ($1, $2, $3)
             ON CONFLICT (chain_id, anchor) DO UPDATE SET epoch = excluded.epoch",
            self.chain_id,
            self.anchor.as_slice(),
            epoch,
        )
        .execute(&mut *transaction)
        .await
        .map_err(failed("remember the scan"))?;

        transaction.commit().await.map_err(failed("commit"))
    }

    /// Writes how far an intent has come.
    pub(crate) async fn set_intent_stage(
        &mut self,
        id: i64,
        stage: IntentStage,
    ) -> Result<(), Error> {
        let (stage, block) = rows::intent_stage_columns(stage);
        let (number, hash) = block_columns(block)?;

        sqlx::query!(
            "UPDATE relayer.intents SET stage = $2, block_number = $3, block_hash = $4, updated_at = now()
             WHERE id = $1",
            id,
            stage,
            number,
            hash,
        )
        .execute(&mut self.connection)
        .await
        .map_err(failed("intent's stage"))
        .map(|_| ())
    }

    /// Closes an intent that the contract holds at a final block: `final` when a call of ours went through, else
    /// `obsolete`.
    pub(crate) async fn close_intent(&mut self, id: i64) -> Result<(), Error> {
        sqlx::query!(
            "UPDATE relayer.intents
             SET stage = CASE WHEN EXISTS
                     (SELECT 1 FROM relayer.slots s WHERE s.intent_id = $1 AND s.outcome = 'executed')
                 THEN 'final' ELSE 'obsolete' END,
                 updated_at = now()
             WHERE id = $1",
            id,
        )
        .execute(&mut self.connection)
        .await
        .map_err(failed("close an intent"))
        .map(|_| ())
    }

    /// Counts a refused estimate or a reverted transaction; the wait doubles from a second to
    /// five minutes.
    pub(crate) async fn fail_intent(&mut self, id: i64) -> Result<(), Error> {
        sqlx::query!(
            "UPDATE relayer.intents
             SET failures = failures + 1, updated_at = now(),
                 retry_after = now() + make_interval(secs => least(300, 1::bigint << least(failures, 9)::int))
             WHERE id = $1",
            id,
        )
        .execute(&mut self.connection)
        .await
        .map_err(failed("count a failure"))
        .map(|_| ())
    }

    /// Lets an intent wait without a failure.
    pub(crate) async fn postpone_intent(&mut self, id: i64, seconds: i64) -> Result<(), Error> {
        sqlx::query!(
            "UPDATE relayer.intents SET retry_after = now() + make_interval(secs => $2::bigint) WHERE id = $1",
            id,
            seconds,
        )
        .execute(&mut self.connection)
        .await
        .map_err(failed("postpone an intent"))
        .map(|_| ())
    }

    /// Reserves a nonce together with the first transaction that uses it. Only after this may it be sent.
    pub(crate) async fn reserve(&mut self, reservation: &Reservation<'_>) -> Result<(), Error> {
        let mut transaction = self.connection.begin().await.map_err(failed("begin"))?;

        let slot = sqlx::query_scalar!(
            "INSERT INTO relayer.slots (intent_id, chain_id, anchor, signer, nonce, gas_limit)
             VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
            reservation.intent_id,
            self.chain_id,
            self.anchor.as_slice(),
            self.signer.as_slice(),
            rows::to_i64("nonce", reservation.nonce)?,
            rows::to_i64("gas_limit", reservation.gas_limit)?,
        )
        .fetch_one(&mut *transaction)
        .await
        .map_err(failed("reserve a nonce"))?;
        insert_variant(&mut transaction, slot, reservation.variant).await?;

        sqlx::query!(
            "UPDATE relayer.intents SET stage = 'signed', updated_at = now() WHERE id = $1",
            reservation.intent_id
        )
        .execute(&mut *transaction)
        .await
        .map_err(failed("intent's stage"))?;

        transaction.commit().await.map_err(failed("commit"))
    }

    /// Adds another transaction for a reserved nonce. Only after this may it be sent.
    pub(crate) async fn add_variant(&mut self, slot: i64, variant: &Variant) -> Result<(), Error> {
        insert_variant(&mut self.connection, slot, variant).await
    }

    /// Writes how far a slot has come.
    pub(crate) async fn set_slot_stage(&mut self, id: i64, stage: SlotStage) -> Result<(), Error> {
        let (stage, block, outcome) = rows::slot_stage_columns(stage);
        let (number, hash) = block_columns(block)?;

        sqlx::query!(
            "UPDATE relayer.slots SET stage = $2, outcome = $3, block_number = $4, block_hash = $5, updated_at = now()
             WHERE id = $1",
            id,
            stage,
            outcome.map(rows::outcome_name),
            number,
            hash,
        )
        .execute(&mut self.connection)
        .await
        .map_err(failed("slot's stage"))
        .map(|_| ())
    }

    /// A slot is pending again: its fee is not raised before as many blocks as after a signature.
    pub(crate) async fn restart_wait(&mut self, slot: i64, head_number: u64) -> Result<(), Error> {
        sqlx::query!(
            "UPDATE relayer.variants SET head_number = $2 WHERE slot_id = $1",
            slot,
            rows::to_i64("head_number", head_number)?,
        )
        .execute(&mut self.connection)
        .await
        .map_err(failed("restart the wait"))
        .map(|_| ())
    }

    /// Opens slots again that were final and whose nonces are unused, with their intents: the newest of each nonce, unless
    /// one is open. Returns how many.
    pub(crate) async fn reopen_slots(
        &mut self,
        confirmed: u64,
        head_number: u64,
    ) -> Result<u64, Error> {
        let mut transaction = self.connection.begin().await.map_err(failed("begin"))?;

        let reopened = sqlx::query!(
            "UPDATE relayer.slots AS s
             SET stage = 'sent', outcome = NULL, block_number = NULL, block_hash = NULL, updated_at = now()
             WHERE s.id IN
                 (SELECT max(f.id) FROM relayer.slots f
                  WHERE f.chain_id = $1 AND f.anchor = $2 AND f.signer = $3 AND f.stage = 'final' AND f.nonce >= $4
                    AND NOT EXISTS
                        (SELECT 1 FROM relayer.slots o
                         WHERE o.chain_id = f.chain_id AND o.anchor = f.anchor AND o.signer = f.signer
                           AND o.nonce = f.nonce AND o.stage <> 'final')
                  GROUP BY f.nonce)
             RETURNING s.id, s.intent_id",
            self.chain_id,
            self.anchor.as_slice(),
            self.signer.as_slice(),
            rows::to_i64("nonce", confirmed)?,
        )
        .fetch_all(&mut *transaction)
        .await
        .map_err(failed("open slots again"))?;

        let slots: Vec<i64> = reopened.iter().map(|row| row.id).collect();
        let intents: Vec<i64> = reopened.iter().map(|row| row.intent_id).collect();
        sqlx::query!(
            "UPDATE relayer.variants SET head_number = $2 WHERE slot_id = ANY($1)",
            &slots,
            rows::to_i64("head_number", head_number)?,
        )
        .execute(&mut *transaction)
        .await
        .map_err(failed("restart the waits"))?;
        sqlx::query!(
            "UPDATE relayer.intents
             SET stage = 'intended', block_number = NULL, block_hash = NULL, updated_at = now()
             WHERE id = ANY($1) AND stage IN ('final', 'obsolete')",
            &intents,
        )
        .execute(&mut *transaction)
        .await
        .map_err(failed("open intents again"))?;

        transaction.commit().await.map_err(failed("commit"))?;
        Ok(slots.len() as u64)
    }

    /// How the intents stand.
    pub(crate) async fn summary(&mut self) -> Result<Summary, Error> {
        let rows = sqlx::query!(
            r#"SELECT stage, count(*) AS "count!",
                      coalesce(extract(epoch FROM now() - min(created_at))::bigint, 0) AS "age_s!"
               FROM relayer.intents WHERE chain_id = $1 AND anchor = $2 GROUP BY stage"#,
            self.chain_id,
            self.anchor.as_slice(),
        )
        .fetch_all(&mut self.connection)
        .await
        .map_err(failed("summary"))?;

        let is_open = |stage: &str| stage != "final" && stage != "obsolete";
        let oldest_s = rows
            .iter()
            .filter(|row| is_open(&row.stage))
            .map(|row| row.age_s)
            .max()
            .unwrap_or(0);

        Ok(Summary {
            stages: rows.into_iter().map(|row| (row.stage, row.count)).collect(),
            oldest_s,
        })
    }
}

async fn insert_variant(
    connection: &mut PgConnection,
    slot: i64,
    variant: &Variant,
) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO relayer.variants
             (slot_id, hash, raw, max_fee_per_gas, max_priority_fee_per_gas, cancels, head_number)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        slot,
        variant.hash.as_slice(),
        variant.raw.as_ref(),
        rows::to_i64("max_fee_per_gas", variant.fees.max_fee)?,
        rows::to_i64("max_priority_fee_per_gas", variant.fees.max_priority_fee)?,
        variant.cancels,
        rows::to_i64("head_number", variant.head_number)?,
    )
    .execute(connection)
    .await
    .map_err(failed("write a transaction"))
    .map(|_| ())
}

/// The same for every relayer of this key, whatever its anchor: they share the nonces.
fn lock_key(chain_id: i64, signer: Address) -> i64 {
    let hash = keccak256(
        [
            b"relayer".as_slice(),
            &chain_id.to_be_bytes(),
            signer.as_slice(),
        ]
        .concat(),
    );
    let mut first = [0u8; 8];
    first.copy_from_slice(&hash[..8]);
    i64::from_be_bytes(first)
}

fn block_columns(block: Option<BlockId>) -> Result<(Option<i64>, Option<Vec<u8>>), Error> {
    let number = block
        .map(|block| rows::to_i64("block_number", block.number))
        .transpose()?;
    Ok((number, block.map(|block| block.hash.to_vec())))
}

fn failed(query: &'static str) -> impl FnOnce(sqlx::Error) -> Error {
    move |source| Error::Journal { query, source }
}
