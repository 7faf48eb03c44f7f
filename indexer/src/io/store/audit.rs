//! What the anchor accepted against what the blocks lead to.

use crate::error::Error;
use crate::io::store::from_bigint;
use sqlx::PgPool;

/// How many anchored checkpoints the blocks do not lead to, and the first epoch among them.
pub async fn checkpoint_disagreements(pool: &PgPool) -> Result<(u64, Option<u64>), Error> {
    let row =
        sqlx::query!(r#"SELECT count(*) AS "count!", min(epoch) AS first_epoch FROM chain.checkpoint_disagreement"#)
            .fetch_one(pool)
            .await
            .map_err(Error::store("compare checkpoints"))?;
    let first_epoch = row
        .first_epoch
        .map(|epoch| from_bigint("epoch", epoch))
        .transpose()?;
    Ok((from_bigint("count", row.count)?, first_epoch))
}
