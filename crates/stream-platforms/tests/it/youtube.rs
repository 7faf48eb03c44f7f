use crate::tokens::Tokens;
use crate::{grant, serve};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use service_kit::Secret;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use stream_platforms::{LifeCycle, Plan, PlatformError, Privacy, YouTube};
use time::OffsetDateTime;

type Parameters = Query<BTreeMap<String, String>>;

/// An account with 60 streams, of which the last but one has our key.
#[derive(Clone, Default)]
struct Account {
    tokens: Tokens,
    broadcasts: Arc<Mutex<Vec<Value>>>,
    is_active: Arc<Mutex<bool>>,
    /// The next binding.
    fails: Arc<Mutex<bool>>,
}

const OURS: usize = 58;

fn page(all: &[Value], query: &Parameters) -> Response {
    let from: usize = query
        .get("pageToken")
        .map_or(0, |token| token.parse().unwrap());
    let count: usize = query
        .get("maxResults")
        .map_or(5, |count| count.parse().unwrap());
    let items: Vec<&Value> = all.iter().skip(from).take(count).collect();
    let next = (from + count < all.len()).then(|| (from + count).to_string());
    let mut page = json!({"kind": "youtube#list", "items": items});
    if let Some(next) = next {
        page["nextPageToken"] = json!(next);
    }
    Json(page).into_response()
}

fn unauthorized() -> Response {
    (
        StatusCode::UNAUTHORIZED,
        r#"{"error": {"code": 401, "message": "Invalid Credentials"}}"#,
    )
        .into_response()
}

fn refused(reason: &str) -> Response {
    let error = json!({"error": {"code": 403, "errors": [{"domain": "youtube.liveBroadcast", "reason": reason}]}});
    (StatusCode::FORBIDDEN, Json(error)).into_response()
}

async fn streams(
    State(account): State<Account>,
    headers: HeaderMap,
    query: Parameters,
) -> Response {
    if !account.tokens.allow(&headers) {
        return unauthorized();
    }
    let status = if *account.is_active.lock().unwrap() {
        "active"
    } else {
        "ready"
    };
    let stream = |number: usize| {
        let key = if number == OURS {
            "our-key".to_owned()
        } else {
            format!("key {number}")
        };
        json!({"id": format!("stream-{number}"), "cdn": {"ingestionInfo": {"streamName": key}},
               "status": {"streamStatus": status}})
    };
    let wanted = query.get("id").cloned();
    let all: Vec<Value> = (0..60)
        .map(stream)
        .filter(|one| wanted.as_ref().is_none_or(|id| one["id"] == id.as_str()))
        .collect();
    page(&all, &query)
}

async fn list(State(account): State<Account>, headers: HeaderMap, query: Parameters) -> Response {
    if !account.tokens.allow(&headers) {
        return unauthorized();
    }
    let all = account.broadcasts.lock().unwrap().clone();
    let is_wanted = |one: &Value| match (query.get("id"), query.get("broadcastStatus")) {
        (Some(id), _) => one["id"] == id.as_str(),
        (_, Some(status)) => {
            let found = one["status"]["lifeCycleStatus"].as_str().unwrap();
            if status == "active" {
                found == "live"
            } else {
                found == "ready" || found == "created"
            }
        }
        _ => false,
    };
    let found: Vec<Value> = all.into_iter().filter(is_wanted).collect();
    page(&found, &query)
}

async fn insert(
    State(account): State<Account>,
    headers: HeaderMap,
    Json(mut body): Json<Value>,
) -> Response {
    if !account.tokens.allow(&headers) {
        return unauthorized();
    }
    let mut all = account.broadcasts.lock().unwrap();
    body["id"] = json!(format!("broadcast-{}", all.len()));
    body["status"]["lifeCycleStatus"] = json!("created");
    all.push(body.clone());
    Json(body).into_response()
}

async fn bind(State(account): State<Account>, headers: HeaderMap, query: Parameters) -> Response {
    if headers.get("content-length").is_none() {
        return StatusCode::LENGTH_REQUIRED.into_response();
    }
    if std::mem::take(&mut *account.fails.lock().unwrap()) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let mut all = account.broadcasts.lock().unwrap();
    let one = all
        .iter_mut()
        .find(|one| one["id"] == query["id"].as_str())
        .unwrap();
    one["contentDetails"]["boundStreamId"] = json!(query["streamId"]);
    one["status"]["lifeCycleStatus"] = json!("ready");
    Json(one.clone()).into_response()
}

async fn transition(
    State(account): State<Account>,
    headers: HeaderMap,
    query: Parameters,
) -> Response {
    if headers.get("content-length").is_none() {
        return StatusCode::LENGTH_REQUIRED.into_response();
    }
    let mut all = account.broadcasts.lock().unwrap();
    let one = all
        .iter_mut()
        .find(|one| one["id"] == query["id"].as_str())
        .unwrap();
    let (from, to) = (
        one["status"]["lifeCycleStatus"]
            .as_str()
            .unwrap()
            .to_owned(),
        query["broadcastStatus"].clone(),
    );
    match (from.as_str(), to.as_str()) {
        (from, to) if from == to => refused("redundantTransition"),
        ("ready", "live") | ("live", "complete") => {
            one["status"]["lifeCycleStatus"] = json!(to);
            Json(one.clone()).into_response()
        }
        _ => refused("invalidTransition"),
    }
}

async fn delete(State(account): State<Account>, query: Parameters) -> Response {
    account
        .broadcasts
        .lock()
        .unwrap()
        .retain(|one| one["id"] != query["id"].as_str());
    StatusCode::NO_CONTENT.into_response()
}

async fn videos(State(account): State<Account>, query: Parameters) -> Response {
    let all = account.broadcasts.lock().unwrap().clone();
    let is_live = |one: &&Value| {
        one["id"] == query["id"].as_str() && one["status"]["lifeCycleStatus"] == "live"
    };
    let details = |_: &Value| json!({"liveStreamingDetails": {"concurrentViewers": "5"}});
    page(
        &all.iter().filter(is_live).map(details).collect::<Vec<_>>(),
        &query,
    )
}

async fn youtube(folder: &std::path::Path, account: &Account) -> YouTube {
    let api = Router::new()
        .route("/v3/liveStreams", get(streams))
        .route("/v3/liveBroadcasts", get(list).post(insert).delete(delete))
        .route("/v3/liveBroadcasts/bind", post(bind))
        .route("/v3/liveBroadcasts/transition", post(transition))
        .route("/v3/videos", get(videos));
    let url = serve(
        api.with_state(account.clone())
            .merge(account.tokens.router()),
    )
    .await;
    YouTube::new(&format!("{url}/v3"), &format!("{url}/token"), grant(folder)).unwrap()
}

fn key() -> Secret {
    Secret::new("our-key")
}

fn plan(privacy: Privacy) -> Plan {
    Plan {
        title: "The kitchen".into(),
        privacy,
        allow_recording: false,
    }
}

fn status(account: &Account) -> Vec<String> {
    let all = account.broadcasts.lock().unwrap();
    all.iter()
        .map(|one| {
            one["status"]["lifeCycleStatus"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect()
}

#[tokio::test]
async fn a_broadcast_is_made_goes_live_is_counted_and_ends() {
    let (folder, account) = (tempfile::tempdir().unwrap(), Account::default());
    let youtube = youtube(folder.path(), &account).await;
    let now = OffsetDateTime::from_unix_timestamp(1_790_000_000).unwrap();
    let broadcast = youtube
        .start(&plan(Privacy::Public), &key(), now)
        .await
        .unwrap();
    let made = account.broadcasts.lock().unwrap()[0].clone();
    assert_eq!(
        (
            &made["snippet"]["title"],
            &made["snippet"]["scheduledStartTime"]
        ),
        (&json!("The kitchen"), &json!("2026-09-21T14:13:20Z"))
    );
    assert_eq!(made["status"]["privacyStatus"], "public");
    assert_eq!(
        made["contentDetails"]["boundStreamId"],
        format!("stream-{OURS}")
    );
    assert_eq!(
        made["contentDetails"]["recordFromStart"], false,
        "nothing of it stays with the platform"
    );
    assert_eq!(
        youtube.go_live(&broadcast).await.unwrap(),
        LifeCycle::Waiting
    );
    assert_eq!(youtube.viewers(&broadcast).await.unwrap(), None);

    *account.is_active.lock().unwrap() = true;
    assert_eq!(youtube.go_live(&broadcast).await.unwrap(), LifeCycle::Live);
    assert_eq!(youtube.viewers(&broadcast).await.unwrap(), Some(5));
    account.tokens.expire();
    assert_eq!(youtube.go_live(&broadcast).await.unwrap(), LifeCycle::Live);
    youtube.stop(&broadcast).await.unwrap();
    youtube.stop(&broadcast).await.unwrap();
    assert_eq!(
        youtube.go_live(&broadcast).await.unwrap(),
        LifeCycle::Complete
    );
}

#[tokio::test]
async fn what_an_earlier_process_left_is_used_again_and_what_never_began_is_taken_down() {
    let (folder, account) = (tempfile::tempdir().unwrap(), Account::default());
    let youtube = youtube(folder.path(), &account).await;
    let now = OffsetDateTime::UNIX_EPOCH;
    let first = youtube
        .start(&plan(Privacy::Unlisted), &key(), now)
        .await
        .unwrap();
    assert_eq!(
        youtube
            .start(&plan(Privacy::Unlisted), &key(), now)
            .await
            .unwrap(),
        first,
        "it waits"
    );
    *account.is_active.lock().unwrap() = true;
    youtube.go_live(&first).await.unwrap();
    assert_eq!(
        youtube
            .start(&plan(Privacy::Unlisted), &key(), now)
            .await
            .unwrap(),
        first,
        "it is live"
    );
    youtube.stop(&first).await.unwrap();
    let second = youtube
        .start(&plan(Privacy::Unlisted), &key(), now)
        .await
        .unwrap();
    assert_ne!(second, first);
    youtube.stop(&second).await.unwrap();
    assert_eq!(status(&account), ["complete"]);
    let unknown = youtube
        .start(&plan(Privacy::Unlisted), &Secret::new("another"), now)
        .await
        .unwrap_err();
    assert!(matches!(unknown, PlatformError::UnknownKey), "{unknown:?}");
}

#[tokio::test]
async fn another_broadcast_is_never_touched_and_ours_only_as_it_was_meant() {
    let (folder, account) = (tempfile::tempdir().unwrap(), Account::default());
    let youtube = youtube(folder.path(), &account).await;
    let now = OffsetDateTime::UNIX_EPOCH;
    let theirs = json!({"id": "theirs", "snippet": {"title": "a show", "description": "of the owner"},
        "contentDetails": {"boundStreamId": format!("stream-{OURS}")},
        "status": {"lifeCycleStatus": "ready", "privacyStatus": "public"}});
    account.broadcasts.lock().unwrap().push(theirs.clone());
    let refused = youtube
        .start(&plan(Privacy::Unlisted), &key(), now)
        .await
        .unwrap_err();
    assert!(
        matches!(&refused, PlatformError::Occupied { id } if id == "theirs"),
        "{refused:?}"
    );
    assert_eq!(
        *account.broadcasts.lock().unwrap(),
        [theirs],
        "nothing was made, bound or taken down"
    );
    account.broadcasts.lock().unwrap().clear();

    // A binding that fails leaves one broadcast, which is bound the next time.
    *account.fails.lock().unwrap() = true;
    assert!(
        youtube
            .start(&plan(Privacy::Unlisted), &key(), now)
            .await
            .unwrap_err()
            .is_retryable()
    );
    let first = youtube
        .start(&plan(Privacy::Unlisted), &key(), now)
        .await
        .unwrap();
    assert_eq!(status(&account), ["ready"]);
    // Who may see it was changed: the old one goes.
    let second = youtube
        .start(&plan(Privacy::Private), &key(), now)
        .await
        .unwrap();
    let all = account.broadcasts.lock().unwrap().clone();
    assert_eq!(
        (all.len(), &all[0]["status"]["privacyStatus"]),
        (1, &json!("private")),
        "{all:?}"
    );
    assert_eq!(all[0]["id"], second.id.as_str());
    drop(first);
}
