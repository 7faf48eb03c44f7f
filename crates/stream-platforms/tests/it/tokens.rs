//! A server of tokens: each refresh token works once and is replaced, each access token is the last one only.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

#[derive(Clone, Default)]
pub struct Tokens(Arc<Mutex<Issued>>);

#[derive(Default)]
struct Issued {
    count: u64,
    expired: bool,
    revoked: bool,
}

impl Tokens {
    pub fn router(&self) -> Router {
        Router::new()
            .route("/token", post(issue))
            .with_state(self.clone())
    }

    pub fn expire(&self) {
        self.0.lock().unwrap().expired = true;
    }

    pub fn revoke(&self) {
        let mut issued = self.0.lock().unwrap();
        (issued.expired, issued.revoked) = (true, true);
    }

    pub fn count(&self) -> u64 {
        self.0.lock().unwrap().count
    }

    /// Whether a request carries the newest access token.
    pub fn allow(&self, headers: &HeaderMap) -> bool {
        let issued = self.0.lock().unwrap();
        let expected = format!("Bearer access {}", issued.count);
        !issued.expired
            && headers
                .get("authorization")
                .is_some_and(|found| found.to_str().unwrap() == expected)
    }
}

async fn issue(State(tokens): State<Tokens>, body: String) -> Response {
    let form: BTreeMap<String, String> = url::form_urlencoded::parse(body.as_bytes())
        .into_owned()
        .collect();
    let mut issued = tokens.0.lock().unwrap();
    let is_ours = form["client_id"] == "our-app" && form["client_secret"] == "app-secret";
    if issued.revoked || !is_ours || form["grant_type"] != "refresh_token" {
        return (
            StatusCode::BAD_REQUEST,
            r#"{"status":400,"message":"Invalid refresh token"}"#,
        )
            .into_response();
    }
    if form["refresh_token"] != format!("refresh {}", issued.count) {
        return (StatusCode::UNAUTHORIZED, r#"{"error":"invalid_grant"}"#).into_response();
    }
    issued.count += 1;
    issued.expired = false;
    let count = issued.count;
    axum::Json(serde_json::json!({
        "access_token": format!("access {count}"), "refresh_token": format!("refresh {count}"),
        "expires_in": 14_124, "scope": ["channel:manage:broadcast"], "token_type": "bearer"
    }))
    .into_response()
}
