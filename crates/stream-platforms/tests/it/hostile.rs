//! Whatever a platform answers gives a value or an error, and never shows a secret.

use crate::{grant, serve};
use axum::Router;
use axum::http::StatusCode;
use proptest::prelude::*;
use service_kit::Secret;
use stream_platforms::{Plan, Privacy, Twitch, YouTube};
use time::OffsetDateTime;

fn answers() -> impl Strategy<Value = (u16, Vec<u8>)> {
    let json = prop_oneof![
        Just("{}".to_owned()),
        Just(r#"{"data": [{}]}"#.to_owned()),
        Just(r#"{"items": [{"id": 7}]}"#.to_owned()),
        Just(
            r#"{"items": [{"id": "a", "liveStreamingDetails": {"concurrentViewers": "many"}}]}"#
                .to_owned()
        ),
        Just(r#"{"items": [], "nextPageToken": "again"}"#.to_owned()),
        ".{0,200}",
    ];
    let body = prop_oneof![
        json.prop_map(String::into_bytes),
        proptest::collection::vec(any::<u8>(), 0..200)
    ];
    (prop_oneof![Just(200u16), 200u16..600], body)
}

async fn ask(status: u16, body: Vec<u8>) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let answer = move || async move { (StatusCode::from_u16(status).unwrap(), body.clone()) };
    let token = axum::routing::post(|| async { r#"{"access_token": "topsecret-access"}"# });
    let url = serve(Router::new().route("/token", token).fallback(answer)).await;
    let token_url = format!("{url}/token");
    let twitch = Twitch::new(&url, &token_url, grant(folder.path()), "1").unwrap();
    let youtube = YouTube::new(&url, &token_url, grant(folder.path())).unwrap();
    let plan = Plan {
        title: "a".into(),
        privacy: Privacy::Public,
        allow_recording: true,
    };
    let started = youtube
        .start(
            &plan,
            &Secret::new("topsecret-key"),
            OffsetDateTime::UNIX_EPOCH,
        )
        .await;
    let mut said = vec![
        format!("{:?}", twitch.viewers().await),
        format!("{:?}", twitch.set_title("a").await),
    ];
    if let Ok(broadcast) = &started {
        said.push(format!("{:?}", youtube.go_live(broadcast).await));
        said.push(format!("{:?}", youtube.viewers(broadcast).await));
        said.push(format!("{:?}", youtube.stop(broadcast).await));
    }
    said.push(format!("{started:?} {twitch:?} {youtube:?}"));
    said
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_answer_gives_a_value_or_an_error((status, body) in answers()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        for said in runtime.block_on(ask(status, body)) {
            prop_assert!(!said.contains("topsecret") && !said.contains("app-secret") && !said.contains("refresh 0"), "{said}");
        }
    }
}

#[test]
fn an_address_with_a_password_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for url in ["ftp://a", "https://user:pass@a", "nothing"] {
        assert!(
            Twitch::new(url, "https://a/token", grant(folder.path()), "1").is_err(),
            "{url}"
        );
    }
}
