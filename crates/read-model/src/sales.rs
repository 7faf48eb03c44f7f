//! Sales: a page of them, and one with how far it has come.

use super::network::read_validators_hash;
use super::{decode_address, decode_error, decode_hash, decode_u64, to_bigint};
use alloy_primitives::{Address, B256};
use api_types::SaleRow;
use domain::{CommitCertificate, SaleId, SaleKey};
use sqlx::postgres::PgConnection;
use time::OffsetDateTime;

/// Which sales a list holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this outlet only.
    pub outlet: Option<u64>,
    /// Before this (height, place).
    pub before: Option<(u64, u64)>,
    /// Not below this height.
    pub from_height: Option<u64>,
}

/// Sales, newest first, at most `limit`.
pub async fn find_sales(
    connection: &mut PgConnection,
    filter: Filter,
    limit: i64,
) -> sqlx::Result<Vec<SaleRow>> {
    let (height, place) = filter.before.map_or((None, None), |(h, p)| {
        (Some(to_bigint(h)), Some(to_bigint(p)))
    });
    let rows = sqlx::query!(
        r#"SELECT s.outlet, s.sale_id, s.tx_id, s.height, s.place, b.time, s.occurred_at, s.currency, s.total,
                  s.buyer_kind, s.issued, s.not_issued,
                  COALESCE((SELECT sum(r.amount) FROM chain.refund AS r
                            WHERE r.outlet = s.outlet AND r.sale_id = s.sale_id), 0)::bigint AS "refunded!",
                  s.height <= COALESCE((SELECT max(last_height) FROM chain.checkpoint_anchored), -1) AS "anchored!"
           FROM chain.sale AS s
           JOIN chain.sidechain_block AS b ON b.height = s.height
           WHERE ($1::bigint IS NULL OR s.outlet = $1)
             AND ($2::bigint IS NULL OR (s.height, s.place) < ($2, $3::bigint))
             AND ($4::bigint IS NULL OR s.height >= $4)
           ORDER BY s.height DESC, s.place DESC
           LIMIT $5"#,
        filter.outlet.map(to_bigint),
        height,
        place,
        filter.from_height.map(to_bigint),
        limit
    )
    .fetch_all(connection)
    .await?;

    let sales = rows.into_iter().map(|row| {
        Ok(SaleRow {
            outlet: decode_u64(row.outlet)?,
            sale_id: sale_id(&row.sale_id)?,
            transaction_id: decode_hash(&row.tx_id)?,
            height: decode_u64(row.height)?,
            place: decode_u64(row.place)?,
            time: row.time,
            occurred_at: row.occurred_at,
            currency: row.currency,
            total: decode_u64(row.total)?,
            buyer_kind: row.buyer_kind,
            issued: decode_u64(row.issued)?,
            not_issued: row.not_issued,
            refunded: decode_u64(row.refunded)?,
            anchored: row.anchored,
        })
    });

    sales.collect()
}

/// An EVM block that holds something of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EvmPlace {
    /// The epoch that it is about.
    pub epoch: Option<u64>,
    /// The transaction that did it.
    pub tx_hash: B256,
    /// The EVM block of that transaction.
    pub evm_block: u64,
    /// The block's time.
    pub time: OffsetDateTime,
    /// Whether the block can no longer be replaced.
    pub evm_final: bool,
}

/// One share of a sale and where its units are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareFacts {
    /// `account`, `receipt` or `pool`; a claimed receipt is its wallet's `account`.
    pub kind: String,
    /// Who; `None` for the pool.
    pub address: Option<Address>,
    /// As split when the sale was recorded.
    pub units: u64,
    /// Taken back by refunds.
    pub reversed: u64,
    /// Whether the EVM may mint what is left.
    pub released: bool,
    /// Whether nothing was left to mint of all that matured with it, since it paid the account's debt,
    pub paid_debt: bool,
    /// or since the account bonded it, or what its debt had left of it.
    pub bonded: bool,
    /// Where the EVM minted it.
    pub minted: Option<EvmPlace>,
}

/// A sale with everything that happened to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaleFacts {
    /// The same as in a list of sales.
    pub sale: SaleRow,
    /// The terminal that signed.
    pub terminal: Address,
    /// The wallet or the receipt's address.
    pub buyer: Option<Address>,
    /// Hash of its block.
    pub block_hash: B256,
    /// Why the block is final.
    pub certificate: CommitCertificate,
    /// The checkpoint that covers it.
    pub anchored: Option<EvmPlace>,
    /// How its units were split, and where they are.
    pub shares: Vec<ShareFacts>,
    /// Hash of the validators' set that decided its block; `None` for genesis'.
    pub validators_hash: Option<B256>,
}

/// One sale; `None` while it is not mirrored. `maturity_ms` is genesis'.
pub async fn find_sale(
    connection: &mut PgConnection,
    key: SaleKey,
    maturity_ms: u64,
) -> sqlx::Result<Option<SaleFacts>> {
    let row = sqlx::query!(
        r#"SELECT s.height, s.place, s.terminal, s.buyer, b.hash, b.certificate
           FROM chain.sale AS s
           JOIN chain.sidechain_block AS b ON b.height = s.height
           WHERE s.outlet = $1 AND s.sale_id = $2"#,
        to_bigint(key.outlet),
        key.sale_id.0.as_slice()
    )
    .fetch_optional(&mut *connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let (height, place) = (decode_u64(row.height)?, decode_u64(row.place)?);
    // The list's own row, so that the two can never say different things.
    let filter = Filter {
        outlet: None,
        before: Some((height, place + 1)),
        from_height: Some(height),
    };
    let Some(sale) = find_sales(&mut *connection, filter, 1).await?.pop() else {
        return Ok(None);
    };
    Ok(Some(SaleFacts {
        sale,
        terminal: decode_address(&row.terminal)?,
        buyer: row.buyer.as_deref().map(decode_address).transpose()?,
        block_hash: decode_hash(&row.hash)?,
        certificate: borsh::from_slice(&row.certificate).map_err(decode_error)?,
        anchored: find_anchoring(&mut *connection, height).await?,
        shares: find_shares(&mut *connection, key, maturity_ms).await?,
        validators_hash: read_validators_hash(connection, height).await?,
    }))
}

async fn find_anchoring(
    connection: &mut PgConnection,
    height: u64,
) -> sqlx::Result<Option<EvmPlace>> {
    let row = sqlx::query!(
        r#"SELECT a.epoch, a.tx_hash, a.block_number, a.block_time,
                  a.block_number <= c.finalized AS "evm_final!"
           FROM chain.checkpoint_anchored AS a
           JOIN chain.cursor AS c ON c.stream = 'evm'
           WHERE $1 BETWEEN a.first_height AND a.last_height
           ORDER BY a.block_number, a.log_index
           LIMIT 1"#,
        to_bigint(height)
    )
    .fetch_optional(connection)
    .await?;

    let place = row.map(|row| {
        Ok(EvmPlace {
            epoch: Some(decode_u64(row.epoch)?),
            tx_hash: decode_hash(&row.tx_hash)?,
            evm_block: decode_u64(row.block_number)?,
            time: row.block_time,
            evm_final: row.evm_final,
        })
    });

    place.transpose()
}

/// A share is released at the first release of its account after it is mature, and minted once the account's payouts
/// reach everything that was released to it until then.
async fn find_shares(
    connection: &mut PgConnection,
    key: SaleKey,
    maturity_ms: u64,
) -> sqlx::Result<Vec<ShareFacts>> {
    let rows = sqlx::query!(
        r#"SELECT CASE WHEN c.wallet IS NULL THEN s.kind ELSE 'account' END AS "kind!",
                  COALESCE(c.wallet, s.account) AS "account?", s.units,
                  COALESCE((SELECT sum(r.units) FROM chain.refund_share AS r
                            WHERE r.outlet = s.outlet AND r.sale_id = s.sale_id AND r.place = s.place), 0)::bigint
                      AS "reversed!",
                  released.height IS NOT NULL AS "released!",
                  COALESCE(released.units = 0 AND released.bonded = 0, false) AS "paid_debt!",
                  COALESCE(released.units = 0 AND released.bonded > 0, false) AS "bonded!",
                  minted.epoch AS "epoch?", minted.tx_hash AS "tx_hash?", minted.block_number AS "evm_block?",
                  minted.block_time AS "time?", minted.block_number <= e.finalized AS "evm_final?"
           FROM chain.sale_share AS s
           JOIN chain.sale AS t USING (outlet, sale_id)
           JOIN chain.sidechain_block AS b ON b.height = t.height
           LEFT JOIN chain.cursor AS e ON e.stream = 'evm'
           LEFT JOIN chain.receipt_claim AS c ON s.kind = 'receipt' AND c.outlet = s.outlet AND c.sale_id = s.sale_id
           LEFT JOIN LATERAL (
               SELECT r.height, r.units, r.bonded FROM chain.release AS r
               JOIN chain.sidechain_block AS at ON at.height = r.height
               WHERE (s.kind = 'account' OR c.wallet IS NOT NULL) AND r.account = COALESCE(c.wallet, s.account)
                 AND r.height >= GREATEST(t.height, c.height)
                 AND at.time >= b.time + $3::bigint * interval '1 millisecond'
               ORDER BY r.height
               LIMIT 1) AS released ON true
           LEFT JOIN LATERAL (
               SELECT sum(r.units) AS units FROM chain.release AS r
               WHERE r.account = COALESCE(c.wallet, s.account) AND r.height <= released.height) AS due ON true
           LEFT JOIN LATERAL (
               SELECT p.* FROM (
                   SELECT q.*, sum(q.value) OVER (ORDER BY q.block_number, q.log_index) AS total
                   FROM chain.payout AS q WHERE q.account = COALESCE(c.wallet, s.account)) AS p
               WHERE p.total >= due.units
               ORDER BY p.block_number, p.log_index
               LIMIT 1) AS minted ON released.units > 0
           WHERE s.outlet = $1 AND s.sale_id = $2
           ORDER BY s.place"#,
        to_bigint(key.outlet),
        key.sale_id.0.as_slice(),
        to_bigint(maturity_ms)
    )
    .fetch_all(connection)
    .await?;

    let shares = rows.into_iter().map(|row| {
        let minted = match (row.tx_hash, row.evm_block, row.time) {
            (Some(tx_hash), Some(block), Some(time)) => Some(EvmPlace {
                epoch: row.epoch.map(decode_u64).transpose()?,
                tx_hash: decode_hash(&tx_hash)?,
                evm_block: decode_u64(block)?,
                time,
                evm_final: row.evm_final.unwrap_or(false),
            }),
            _ => None,
        };

        Ok(ShareFacts {
            kind: row.kind,
            address: row.account.as_deref().map(decode_address).transpose()?,
            units: decode_u64(row.units)?,
            reversed: decode_u64(row.reversed)?,
            released: row.released,
            paid_debt: row.paid_debt,
            bonded: row.bonded,
            minted,
        })
    });

    shares.collect()
}

fn sale_id(bytes: &[u8]) -> sqlx::Result<SaleId> {
    bytes.try_into().map(SaleId).map_err(decode_error)
}
