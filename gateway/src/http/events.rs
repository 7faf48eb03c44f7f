//! Server-sent events, resumable by their ids.

use super::Api;
use crate::io::mirror::MirrorError;
use crate::tasks::events::Told;
use axum::Router;
use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::get;
use futures::Stream;
use problem::{Problem, Query, Refusal};
use serde::Deserialize;
use service_kit::doors::Visitor;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

/// How often a silent connection gets a comment.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// Messages that wait for a slow reader.
const WAITING_MAX: usize = 16;

/// Routes of this resource.
pub fn router() -> Router<Api> {
    Router::new().route("/api/v1/events", get(stream_events))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Resume {
    last_event_id: Option<String>,
}

/// The header wins: the browser sends it by itself when it reconnects.
fn resume_position(headers: &HeaderMap, query: &Resume) -> Result<Option<u64>, Refusal> {
    let header = headers
        .get("last-event-id")
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let Some(text) = header
        .or_else(|| query.last_event_id.clone())
        .filter(|text| !text.is_empty())
    else {
        return Ok(None);
    };

    let wrong = |_| {
        Refusal::bad_field(
            "last_event_id",
            format!("an event's id is a number, found {text:?}"),
        )
    };
    text.parse().map(Some).map_err(wrong)
}

async fn stream_events(
    State(api): State<Api>,
    Extension(visitor): Extension<Visitor>,
    Query(query): Query<Resume>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Refusal> {
    let busy = |_| {
        Problem::new(
            503,
            "too_many_readers",
            "too many readers of events; ask /api/v1/sales instead",
        )
    };

    let permit = Arc::clone(&api.readers).try_acquire_owned().map_err(busy)?;
    let place = visitor.take_stream()?;
    let position = match resume_position(&headers, &query)? {
        Some(id) => id,
        None => api.hub.now().await?,
    };

    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    tokio::spawn(async move {
        let _held = (permit, place);
        let stop = api.stop.clone();

        tokio::select! {
            ended = feed_events(&api, position, &sender) => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a reader of events is sent away; it will come back");
                }
            }
            () = sender.closed() => {}
            () = stop.cancelled() => {}
        }
    });

    Ok(Sse::new(ReceiverStream::new(receiver)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

fn sse_event(told: &Told) -> Event {
    Event::default()
        .id(told.id.to_string())
        .event(told.name)
        .data(&told.data)
}

/// Everything after a position: first what was missed, then what comes. Ends with the reader.
async fn feed_events(
    api: &Api,
    mut position: u64,
    sender: &mpsc::Sender<Result<Event, Infallible>>,
) -> Result<(), MirrorError> {
    loop {
        // Before the database is read, so that nothing falls between the two.
        let mut coming = api.hub.subscribe();
        loop {
            let turn = api.replays.acquire().await;
            let missed = api.hub.missed(position).await?;
            drop(turn);
            if missed.is_empty() {
                break;
            }
            for told in missed {
                position = told.id;
                if sender.send(Ok(sse_event(&told))).await.is_err() {
                    return Ok(());
                }
            }
        }
        // An error, or an id that does not follow: this reader was too slow and reads from the database again.
        while let Ok(told) = coming.recv().await {
            if told.id <= position && told.name != "reset" {
                continue;
            }
            if told.id > position + 1 {
                break;
            }
            position = told.id;
            if sender.send(Ok(sse_event(&told))).await.is_err() {
                return Ok(());
            }
        }
    }
}
