//! Consents and recordings, listed from the mirror. One of them is a node's to answer: whether a consent is in force
//! now is not for a mirror to say.

use super::Api;
use super::page::{Wanted, parse_field};
use crate::io::mirror::MirrorError;
use api_types::{ConsentRow, PageAsOf, RecordingRow};
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use problem::{Query, Refusal};
use read_model::network::as_of;
use read_model::recordings::{Filter, find_consents, find_recordings};
use serde::Deserialize;

/// Routes of these resources.
pub fn router() -> Router<Api> {
    Router::new()
        .route("/api/v1/consents", get(list_consents))
        .route("/api/v1/recordings", get(list_recordings))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PageQuery {
    limit: Option<String>,
    cursor: Option<String>,
    outlet: Option<String>,
    camera: Option<String>,
    in_force: Option<String>,
}

impl PageQuery {
    fn parse(&self) -> Result<(Wanted, Filter), Refusal> {
        let wanted = Wanted::parse(self.limit.as_deref(), self.cursor.as_deref())?;
        let outlet = parse_field("outlet", self.outlet.as_deref(), "the number of an outlet")?;
        let camera = parse_field("camera", self.camera.as_deref(), "the number of a camera")?;
        Ok((
            wanted,
            Filter {
                outlet,
                camera,
                before: wanted.before,
            },
        ))
    }
}

async fn list_consents(
    State(api): State<Api>,
    Query(query): Query<PageQuery>,
) -> Result<Json<PageAsOf<ConsentRow>>, Refusal> {
    let (wanted, filter) = query.parse()?;
    let in_force = parse_field("in_force", query.in_force.as_deref(), "true or false")?;
    Ok(Json(read_consents(&api, wanted, filter, in_force).await?))
}

async fn read_consents(
    api: &Api,
    wanted: Wanted,
    filter: Filter,
    in_force: Option<bool>,
) -> Result<PageAsOf<ConsentRow>, MirrorError> {
    let mut moment = api.mirror.snapshot().await?;
    let as_of = as_of(&mut moment).await?;
    let rows = find_consents(&mut moment, filter, in_force, wanted.rows()).await?;
    Ok(wanted.answer(rows, as_of, |row| (row.height, row.place)))
}

async fn list_recordings(
    State(api): State<Api>,
    Query(query): Query<PageQuery>,
) -> Result<Json<PageAsOf<RecordingRow>>, Refusal> {
    let (wanted, filter) = query.parse()?;
    Ok(Json(read_recordings(&api, wanted, filter).await?))
}

async fn read_recordings(
    api: &Api,
    wanted: Wanted,
    filter: Filter,
) -> Result<PageAsOf<RecordingRow>, MirrorError> {
    let mut moment = api.mirror.snapshot().await?;
    let as_of = as_of(&mut moment).await?;
    let rows = find_recordings(&mut moment, filter, wanted.rows()).await?;
    Ok(wanted.answer(rows, as_of, |row| (row.height, row.place)))
}
