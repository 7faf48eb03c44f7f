//! Consents, and the recordings that they allow, in pages.

use super::{decode_address, decode_error, decode_hash, decode_u64, to_bigint};
use api_types::{ConsentRow, Erasure, RecordingRow};
use domain::consent::Purposes;
use sqlx::postgres::PgConnection;

/// Which rows a list holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this outlet only.
    pub outlet: Option<u64>,
    /// Of this camera only.
    pub camera: Option<u64>,
    /// Before this (height, place).
    pub before: Option<(u64, u64)>,
}

impl Filter {
    fn place(&self) -> (Option<i64>, Option<i64>) {
        self.before.map_or((None, None), |(height, place)| {
            (Some(to_bigint(height)), Some(to_bigint(place)))
        })
    }
}

/// Consents, newest first, at most `limit`; those in force only, or the others, when asked for.
pub async fn find_consents(
    connection: &mut PgConnection,
    filter: Filter,
    in_force: Option<bool>,
    limit: i64,
) -> sqlx::Result<Vec<ConsentRow>> {
    let (height, place) = filter.place();
    let rows = sqlx::query!(
        r#"SELECT c.id, c.kind, c.outlet, c.camera, c.purposes, c.commitment, c.guest, c.witness, c.notice_hash,
                  c.retention_days, c.owner, c.recorded_at, c.until, c.revoked_at, c.revoked_by, c.height, c.place,
                  (c.revoked_at IS NULL AND c.until > clock_timestamp()) AS "in_force!",
                  (SELECT count(*) FROM chain.recording AS r
                   WHERE r.consent = c.id AND r.erased_height IS NULL) AS "recordings!"
           FROM chain.consent AS c
           WHERE ($1::bigint IS NULL OR c.outlet = $1)
             AND ($2::bigint IS NULL OR c.camera = $2)
             AND ($3::bigint IS NULL OR (c.height, c.place) < ($3, $4::bigint))
             AND ($5::boolean IS NULL OR (c.revoked_at IS NULL AND c.until > clock_timestamp()) = $5)
           ORDER BY c.height DESC, c.place DESC
           LIMIT $6"#,
        filter.outlet.map(to_bigint),
        filter.camera.map(to_bigint),
        height,
        place,
        in_force,
        limit
    )
    .fetch_all(connection)
    .await?;

    let consents = rows.into_iter().map(|row| {
        Ok(ConsentRow {
            id: decode_hash(&row.id)?,
            kind: row.kind,
            outlet: decode_u64(row.outlet)?,
            camera: decode_u64(row.camera)?,
            purposes: decode_purposes(row.purposes)?,
            commitment: row.commitment.as_deref().map(decode_hash).transpose()?,
            guest: row.guest.as_deref().map(decode_address).transpose()?,
            witness: row.witness.as_deref().map(decode_address).transpose()?,
            notice_hash: row.notice_hash.as_deref().map(decode_hash).transpose()?,
            retention_days: row.retention_days.map(decode_u64).transpose()?,
            owner: row.owner.as_deref().map(decode_address).transpose()?,
            recorded_at: row.recorded_at,
            until: row.until,
            revoked_at: row.revoked_at,
            revoked_by: row.revoked_by.as_deref().map(decode_address).transpose()?,
            in_force: row.in_force,
            recordings: decode_u64(row.recordings)?,
            height: decode_u64(row.height)?,
            place: decode_u64(row.place)?,
        })
    });

    consents.collect()
}

fn decode_purposes(bits: i64) -> sqlx::Result<Purposes> {
    let byte = u8::try_from(bits).map_err(decode_error)?;
    borsh::from_slice(&[byte]).map_err(decode_error)
}

/// Recordings, newest first, at most `limit`.
pub async fn find_recordings(
    connection: &mut PgConnection,
    filter: Filter,
    limit: i64,
) -> sqlx::Result<Vec<RecordingRow>> {
    let (height, place) = filter.place();
    let rows = sqlx::query!(
        r#"SELECT r.cid, r.tx_id, r.outlet, r.camera, r.consent, r.manifest_hash, r.sequence, r.started_at,
                  r.ended_at, r.agent, r.height, r.place, r.erased_height, r.erased_at, r.erased_by, r.erase_reason,
                  (SELECT e.epoch FROM chain.epoch_checkpoint AS e
                   WHERE r.height <= e.last_height ORDER BY e.last_height LIMIT 1) AS "epoch?",
                  r.height <= COALESCE((SELECT max(last_height) FROM chain.checkpoint_anchored), -1) AS "anchored!"
           FROM chain.recording AS r
           WHERE ($1::bigint IS NULL OR r.outlet = $1)
             AND ($2::bigint IS NULL OR r.camera = $2)
             AND ($3::bigint IS NULL OR (r.height, r.place) < ($3, $4::bigint))
           ORDER BY r.height DESC, r.place DESC
           LIMIT $5"#,
        filter.outlet.map(to_bigint),
        filter.camera.map(to_bigint),
        height,
        place,
        limit
    )
    .fetch_all(connection)
    .await?;

    let recordings = rows.into_iter().map(|row| {
        let erased = match (
            row.erased_height,
            row.erased_at,
            row.erased_by,
            row.erase_reason,
        ) {
            (Some(height), Some(at), Some(by), Some(reason)) => Some(Erasure {
                height: decode_u64(height)?,
                at,
                by: decode_address(&by)?,
                reason,
            }),
            _ => None,
        };

        Ok(RecordingRow {
            cid: borsh::from_slice(&row.cid).map_err(decode_error)?,
            transaction_id: decode_hash(&row.tx_id)?,
            outlet: decode_u64(row.outlet)?,
            camera: decode_u64(row.camera)?,
            consent: decode_hash(&row.consent)?,
            manifest_hash: decode_hash(&row.manifest_hash)?,
            sequence: decode_u64(row.sequence)?,
            started_at: row.started_at,
            ended_at: row.ended_at,
            agent: decode_address(&row.agent)?,
            height: decode_u64(row.height)?,
            place: decode_u64(row.place)?,
            epoch: row.epoch.map(decode_u64).transpose()?,
            anchored: row.anchored,
            erased,
        })
    });

    recordings.collect()
}
