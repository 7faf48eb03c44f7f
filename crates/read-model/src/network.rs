//! How far the mirror is, and what the network holds altogether.

use super::{decode_amount, decode_hash, decode_u64, to_bigint};
use api_types::{AsOf, Supply};
use domain::{B256, Genesis};
use sqlx::postgres::PgConnection;
use std::time::Duration;

/// How far the mirror is.
pub async fn as_of(connection: &mut PgConnection) -> sqlx::Result<AsOf> {
    let row = sqlx::query!(
        r#"SELECT clock_timestamp() AS "at!", b.height AS "height?", b.time AS "block_time?",
                  e.number AS "evm_block?", e.time AS "evm_block_time?", c.finalized AS "finalized?"
           FROM (VALUES (true)) AS one (row)
           LEFT JOIN chain.cursor AS s ON s.stream = 'sidechain'
           LEFT JOIN chain.sidechain_block AS b ON b.height = s.position
           LEFT JOIN chain.cursor AS c ON c.stream = 'evm'
           LEFT JOIN chain.evm_block AS e ON e.number = c.position"#
    )
    .fetch_one(connection)
    .await?;

    Ok(AsOf {
        at: row.at,
        height: decode_u64(row.height.unwrap_or(0))?,
        block_time: row.block_time,
        evm_block: decode_u64(row.evm_block.unwrap_or(0))?,
        evm_block_time: row.evm_block_time,
        evm_finalized_block: decode_u64(row.finalized.unwrap_or(0))?,
    })
}

/// The genesis of the mirrored sidechain; `None` before the indexer first saw it.
pub async fn read_genesis(connection: &mut PgConnection) -> sqlx::Result<Option<Genesis>> {
    let row = sqlx::query!("SELECT genesis FROM chain.sidechain")
        .fetch_optional(connection)
        .await?;
    row.map(|row| borsh::from_slice(&row.genesis).map_err(super::decode_error))
        .transpose()
}

/// How the indexer last said that it follows one chain, as ages by the database's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamPulse {
    /// Since it said anything.
    pub written: Duration,
    /// Since the chain's node answered it; `None` when none ever did.
    pub answered: Option<Duration>,
    /// Since it had every block of the node; `None` when it never had.
    pub in_step: Option<Duration>,
    /// Whether the chain's head has not grown for longer than the operator allows.
    pub stands_still: bool,
}

/// How old is what came along each arrow that ends or begins at the database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pulse {
    /// The sidechain's blocks; `None` before the indexer first wrote.
    pub sidechain: Option<StreamPulse>,
    /// The EVM chain's.
    pub evm: Option<StreamPulse>,
    /// How long the oldest checkpoint waits that the contract is not known to hold; `None` when none does.
    pub unanchored: Option<Duration>,
}

/// How old is what came along each arrow.
pub async fn read_pulse(connection: &mut PgConnection) -> sqlx::Result<Pulse> {
    Ok(Pulse {
        sidechain: read_stream_pulse(&mut *connection, "sidechain").await?,
        evm: read_stream_pulse(&mut *connection, "evm").await?,
        unanchored: read_unanchored(connection).await?,
    })
}

async fn read_stream_pulse(
    connection: &mut PgConnection,
    stream: &str,
) -> sqlx::Result<Option<StreamPulse>> {
    let row = sqlx::query!(
        r#"SELECT chain.age_ms(written_at) AS "written_ms!", chain.age_ms(answered_at) AS "answered_ms?",
                  chain.age_ms(in_step_at) AS "in_step_ms?", stands_still
           FROM chain.pulse WHERE stream = $1"#,
        stream
    )
    .fetch_optional(connection)
    .await?;

    Ok(row.map(|row| StreamPulse {
        written: to_age(row.written_ms),
        answered: row.answered_ms.map(to_age),
        in_step: row.in_step_ms.map(to_age),
        stands_still: row.stands_still,
    }))
}

async fn read_unanchored(connection: &mut PgConnection) -> sqlx::Result<Option<Duration>> {
    let age_ms = sqlx::query_scalar!(
        r#"SELECT chain.age_ms(b.time) AS "age_ms!"
           FROM chain.epoch_checkpoint AS e
           JOIN chain.sidechain_block AS b ON b.height = e.height
           WHERE e.epoch > COALESCE((SELECT max(epoch) FROM chain.checkpoint_anchored), 0)
           ORDER BY e.epoch
           LIMIT 1"#
    )
    .fetch_optional(connection)
    .await?;

    Ok(age_ms.map(to_age))
}

/// What a clock that was set back makes negative is of now.
fn to_age(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or_default())
}

/// Hash of the set that decides a height, as the last checkpoint before it says; `None` where there is none, which
/// leaves genesis' set.
pub async fn read_validators_hash(
    connection: &mut PgConnection,
    height: u64,
) -> sqlx::Result<Option<B256>> {
    let hash = sqlx::query_scalar!(
        "SELECT next_validators_hash FROM chain.epoch_checkpoint WHERE last_height < $1
         ORDER BY last_height DESC LIMIT 1",
        to_bigint(height)
    )
    .fetch_optional(connection)
    .await?;

    hash.map(|hash| decode_hash(&hash)).transpose()
}

/// What the network holds beside its units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// The last epoch whose checkpoint the anchor accepted; 0 before the first.
    pub anchored: u64,
    /// The last of these in a block that can no longer be replaced; 0 before the first.
    pub anchored_final: u64,
    /// Anchored checkpoints that the blocks do not lead to; must be 0.
    pub disagreements: u64,
    /// Outlets that the founder registered.
    pub outlets: u64,
    /// Accounts to which units were ever released.
    pub accounts: u64,
    /// What the newest mirrored checkpoint says of the validators; `None` before the first.
    pub elected: Option<Elected>,
}

/// The validators' set that a checkpoint elects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elected {
    /// The first height that it decides.
    pub from_height: u64,
    /// Its hash.
    pub hash: B256,
}

async fn read_elected(connection: &mut PgConnection) -> sqlx::Result<Option<Elected>> {
    let row = sqlx::query!(
        "SELECT last_height, next_validators_hash FROM chain.epoch_checkpoint ORDER BY epoch DESC LIMIT 1"
    )
    .fetch_optional(connection)
    .await?;

    let elected = row.map(|row| {
        Ok(Elected {
            from_height: decode_u64(row.last_height)?.saturating_add(1),
            hash: decode_hash(&row.next_validators_hash)?,
        })
    });

    elected.transpose()
}

/// What the network holds beside its units.
pub async fn read_extent(connection: &mut PgConnection) -> sqlx::Result<Extent> {
    let row = sqlx::query!(
        r#"SELECT
            COALESCE((SELECT max(epoch) FROM chain.checkpoint_anchored), 0) AS "anchored!",
            COALESCE((SELECT max(epoch) FROM chain.checkpoint_anchored WHERE block_number <=
                (SELECT finalized FROM chain.cursor WHERE stream = 'evm')), 0) AS "anchored_final!",
            (SELECT count(*) FROM chain.checkpoint_disagreement) AS "disagreements!",
            (SELECT count(*) FROM chain.outlet) AS "outlets!",
            (SELECT count(DISTINCT account) FROM chain.release) AS "accounts!""#
    )
    .fetch_one(&mut *connection)
    .await?;

    Ok(Extent {
        anchored: decode_u64(row.anchored)?,
        anchored_final: decode_u64(row.anchored_final)?,
        disagreements: decode_u64(row.disagreements)?,
        outlets: decode_u64(row.outlets)?,
        accounts: decode_u64(row.accounts)?,
        elected: read_elected(connection).await?,
    })
}

/// Where all units are, on both chains.
pub async fn read_supply(connection: &mut PgConnection) -> sqlx::Result<Supply> {
    let row = sqlx::query!(
        r#"WITH payout AS (SELECT COALESCE(sum(p.value), 0) AS minted,
                                  COALESCE(sum(p.value) FILTER (WHERE p.block_number <= e.finalized), 0) AS minted_final
                           FROM chain.payout AS p JOIN chain.cursor AS e ON e.stream = 'evm')
           SELECT COALESCE(s.sales, 0) AS "sales!", COALESCE(s.issued, 0) AS "issued!",
                  COALESCE(s.reversed, 0) AS "reversed!", COALESCE(s.released, 0) AS "released!",
                  COALESCE(s.pending, 0) AS "pending!", COALESCE(s.receipts, 0) AS "unclaimed!",
                  COALESCE(s.pool, 0) AS "pool!", COALESCE(s.debt, 0) AS "debt!", COALESCE(s.bonded, 0) AS "bonded!",
                  COALESCE(s.slashed, 0) AS "slashed!",
                  payout.minted::text AS "minted!", payout.minted_final::text AS "minted_final!",
                  (SELECT count(*) FROM chain.balance) AS "holders!"
           FROM payout LEFT JOIN chain.supply AS s ON true"#
    )
    .fetch_one(connection)
    .await?;

    Ok(Supply {
        issued: decode_u64(row.issued)?,
        reversed: decode_u64(row.reversed)?,
        released: decode_u64(row.released)?,
        pending: decode_u64(row.pending)?,
        unclaimed: decode_u64(row.unclaimed)?,
        pool: decode_u64(row.pool)?,
        debt: decode_u64(row.debt)?,
        bonded: decode_u64(row.bonded)?,
        slashed: decode_u64(row.slashed)?,
        sales: decode_u64(row.sales)?,
        minted: decode_amount(&row.minted)?,
        minted_final: decode_amount(&row.minted_final)?,
        holders: decode_u64(row.holders)?,
    })
}
