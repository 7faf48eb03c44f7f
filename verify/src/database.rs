//! Reads the mirror: one snapshot of it, in sessions that cannot write.

use crate::rows::{Comparison, FoundRow};
use anyhow::{Context, Result, bail};
use domain::{B256, CommitCertificate};
use futures::TryStreamExt;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow};
use sqlx::{ConnectOptions, Connection, Row};
use std::str::FromStr;

/// How far a stream is mirrored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Which chain: hash of the sidechain's genesis, or of the EVM's block 0.
    pub identity: B256,
    /// What of it is mirrored.
    pub scope: String,
    /// The last block whose rows are here.
    pub position: u64,
    /// Its hash; `None` before the first block.
    pub hash: Option<B256>,
    /// The last block that cannot be replaced.
    pub finalized: u64,
}

/// A snapshot of the database.
pub struct Mirror {
    connection: PgConnection,
}

fn decode_hash(bytes: &[u8]) -> Result<B256> {
    B256::try_from(bytes).context("chain.cursor: a hash has 32 bytes")
}

fn decode_cursor(row: &PgRow) -> Result<Cursor> {
    let number =
        |column: &str| -> Result<u64> { Ok(u64::try_from(row.try_get::<i64, _>(column)?)?) };
    let hash_of = row.try_get::<Option<Vec<u8>>, _>("hash")?;
    Ok(Cursor {
        identity: decode_hash(&row.try_get::<Vec<u8>, _>("identity")?)?,
        scope: row.try_get("scope")?,
        position: number("position")?,
        hash: hash_of.as_deref().map(decode_hash).transpose()?,
        finalized: number("finalized")?,
    })
}

impl Mirror {
    /// Connects and takes the snapshot.
    pub async fn open(url: &str) -> Result<Self> {
        let options = PgConnectOptions::from_str(url).context("the database's URL")?;
        let options = options.options([("default_transaction_read_only", "on")]);
        let mut connection = options.connect().await.context("connect to the database")?;
        sqlx::query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            .execute(&mut connection)
            .await?;
        Ok(Self { connection })
    }

    /// Ends the session.
    pub async fn close(self) -> Result<()> {
        Ok(self.connection.close().await?)
    }

    /// Table and column of everything in schema `chain`.
    pub async fn columns(&mut self) -> Result<Vec<(String, String)>> {
        let rows = sqlx::query(
            "SELECT 'chain.' || c.relname AS name, a.attname::text AS attribute
             FROM pg_class AS c
             JOIN pg_namespace AS n ON n.oid = c.relnamespace
             JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
             WHERE n.nspname = 'chain' AND c.relkind IN ('r', 'p') AND NOT c.relispartition",
        )
        .fetch_all(&mut self.connection)
        .await
        .context("read the schema")?;

        rows.iter()
            .map(|row| Ok((row.try_get("name")?, row.try_get("attribute")?)))
            .collect()
    }

    /// How far a stream is; `None` when it was never begun.
    pub async fn cursor(&mut self, stream: &str) -> Result<Option<Cursor>> {
        let query =
            "SELECT identity, scope, position, hash, finalized FROM chain.cursor WHERE stream = $1";
        let row = sqlx::query(query)
            .bind(stream)
            .fetch_optional(&mut self.connection)
            .await;
        row.context("read chain.cursor")?
            .as_ref()
            .map(decode_cursor)
            .transpose()
    }

    /// Puts every row of a table before the comparison.
    pub async fn compare(&mut self, comparison: &mut Comparison) -> Result<()> {
        let table = comparison.table();
        let mut rows = sqlx::query(table.query).fetch(&mut self.connection);

        while let Some(row) = rows
            .try_next()
            .await
            .with_context(|| format!("read {}", table.name))?
        {
            let json: String = row.try_get(0)?;
            let found: FoundRow =
                serde_json::from_str(&json).with_context(|| format!("a row of {}", table.name))?;
            comparison.find(found);
        }

        Ok(())
    }

    /// Every stored certificate by height; `None` where it cannot be decoded.
    pub async fn certificates(&mut self) -> Result<Vec<(u64, Option<CommitCertificate>)>> {
        let query = "SELECT height, certificate FROM chain.sidechain_block ORDER BY height";
        let mut rows = sqlx::query(query).fetch(&mut self.connection);
        let mut certificates = Vec::new();
        while let Some(row) = rows.try_next().await.context("read certificates")? {
            let height = u64::try_from(row.try_get::<i64, _>(0)?)?;
            certificates.push((
                height,
                borsh::from_slice(&row.try_get::<Vec<u8>, _>(1)?).ok(),
            ));
        }
        Ok(certificates)
    }
}

/// A database of another version of the schema cannot be compared.
pub async fn check_schema(mirror: &mut Mirror) -> Result<()> {
    let columns = mirror.columns().await?;
    if columns.is_empty() {
        bail!("the database has no schema chain: was it migrated? See hotpot migrate status");
    }
    let unknown = super::tables::unknown_columns(&columns);
    if !unknown.is_empty() {
        bail!(
            "the database is of another version than this program: {}",
            unknown.join(", ")
        );
    }
    Ok(())
}
