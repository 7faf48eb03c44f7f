use crate::tokens::Tokens;
use crate::{grant, serve};
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch};
use axum::{Json, Router};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};
use stream_platforms::{PlatformError, Twitch};

#[derive(Clone, Default)]
struct Channel {
    tokens: Tokens,
    title: Arc<Mutex<Option<String>>>,
    viewers: Arc<Mutex<Option<u64>>>,
}

fn check(
    channel: &Channel,
    headers: &HeaderMap,
    query: Option<&str>,
    expected: &str,
) -> Option<Response> {
    if !channel.tokens.allow(headers) || headers.get("client-id").is_none_or(|id| id != "our-app") {
        return Some(
            (
                StatusCode::UNAUTHORIZED,
                r#"{"error":"Unauthorized","status":401}"#,
            )
                .into_response(),
        );
    }
    assert_eq!(query, Some(expected));
    None
}

async fn modify(
    State(channel): State<Channel>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    Json(body): Json<Value>,
) -> Response {
    if let Some(refused) = check(&channel, &headers, query.as_deref(), "broadcaster_id=4711") {
        return refused;
    }
    *channel.title.lock().unwrap() = Some(body["title"].as_str().unwrap().to_owned());
    StatusCode::NO_CONTENT.into_response()
}

async fn streams(
    State(channel): State<Channel>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    if let Some(refused) = check(&channel, &headers, query.as_deref(), "user_id=4711") {
        return refused;
    }
    let stream =
        |count: u64| json!({"id": "1", "user_id": "4711", "type": "live", "viewer_count": count});
    let data: Vec<Value> = channel
        .viewers
        .lock()
        .unwrap()
        .iter()
        .map(|count| stream(*count))
        .collect();
    Json(json!({"data": data, "pagination": {}})).into_response()
}

async fn twitch(folder: &std::path::Path, channel: &Channel) -> Twitch {
    let helix = Router::new()
        .route("/helix/channels", patch(modify))
        .route("/helix/streams", get(streams));
    let url = serve(
        helix
            .with_state(channel.clone())
            .merge(channel.tokens.router()),
    )
    .await;
    Twitch::new(
        &format!("{url}/helix"),
        &format!("{url}/token"),
        grant(folder),
        "4711",
    )
    .unwrap()
}

#[tokio::test]
async fn a_channel_is_named_and_its_viewers_are_counted() {
    let (folder, channel) = (tempfile::tempdir().unwrap(), Channel::default());
    let twitch = twitch(folder.path(), &channel).await;
    twitch.set_title("The kitchen of Tbilisi 1").await.unwrap();
    assert_eq!(
        channel.title.lock().unwrap().as_deref(),
        Some("The kitchen of Tbilisi 1")
    );
    assert_eq!(twitch.viewers().await.unwrap(), None, "it is not live");
    *channel.viewers.lock().unwrap() = Some(17);
    assert_eq!(twitch.viewers().await.unwrap(), Some(17));
    assert_eq!(
        channel.tokens.count(),
        1,
        "one access token serves them all"
    );
    twitch.set_title(&"ხ".repeat(200)).await.unwrap();
    assert_eq!(
        channel
            .title
            .lock()
            .unwrap()
            .as_ref()
            .unwrap()
            .chars()
            .count(),
        140
    );
}

#[tokio::test]
async fn a_token_that_ran_out_is_renewed_and_the_new_refresh_token_is_kept() {
    let (folder, channel) = (tempfile::tempdir().unwrap(), Channel::default());
    let twitch_ = twitch(folder.path(), &channel).await;
    twitch_.viewers().await.unwrap();
    channel.tokens.expire();
    let (one, other) = tokio::join!(twitch_.viewers(), twitch_.set_title("both at once"));
    one.unwrap();
    other.unwrap();
    assert_eq!(
        channel.tokens.count(),
        2,
        "two refused requests renew it once"
    );
    let file = folder.path().join("refresh-token");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "refresh 2");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);

    channel.tokens.revoke();
    let error = twitch_.viewers().await.unwrap_err();
    assert!(
        matches!(error, PlatformError::NotAllowed { .. }),
        "{error:?}"
    );
    assert!(!error.is_retryable());
    std::fs::remove_file(&file).unwrap();
    assert!(matches!(
        twitch_.viewers().await.unwrap_err(),
        PlatformError::File { .. }
    ));
}
