//! What the anchor accepted against what the blocks lead to.

use crate::error::Error;
use crate::io::store::number;
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
        .map(|epoch| number("epoch", epoch))
        .transpose()?;
    Ok((number("count", row.count)?, first_epoch))
}
