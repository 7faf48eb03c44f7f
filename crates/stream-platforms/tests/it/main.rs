//! The clients against local servers that speak the platforms' APIs as these are documented.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod hostile;
mod tokens;
mod twitch;
mod youtube;

use axum::Router;
use service_kit::Secret;
use std::path::Path;
use stream_platforms::Grant;

pub async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

pub fn grant(folder: &Path) -> Grant {
    let refresh_token_file = folder.join("refresh-token");
    std::fs::write(&refresh_token_file, "refresh 0\n").unwrap();
    Grant {
        client_id: "our-app".into(),
        client_secret: Secret::new("app-secret"),
        refresh_token_file,
    }
}
