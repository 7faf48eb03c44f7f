//! Against a server on this machine that misbehaves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect};
use axum::routing::get;
use outbound::{Addresses, Options, OutboundError, Service};
use reqwest::Method;
use service_kit::Secret;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// A server with these routes; gives its address.
async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

fn quick() -> Options {
    Options {
        request_timeout: Duration::from_millis(300),
        retry_pause: Duration::from_millis(1),
        ..Options::default()
    }
}

async fn ask(service: &Service, path: &str) -> Result<Vec<u8>, OutboundError> {
    service.send(100, service.request(Method::GET, path)).await
}

#[tokio::test]
async fn answers_are_bounded_in_size_and_time() {
    let endless = || async { "x".repeat(101) };
    let silent = || async { std::future::pending::<&str>().await };
    let router = Router::new()
        .route("/endless", get(endless))
        .route("/silent", get(silent));
    let service = Service::new(&serve(router).await, None, &quick()).unwrap();

    let endless = ask(&service, "/endless").await.unwrap_err();
    assert!(
        matches!(endless, OutboundError::AnswerTooLarge { max: 100, .. }),
        "{endless}"
    );
    let silent = ask(&service, "/silent").await.unwrap_err();
    assert!(silent.is_unreachable() && silent.is_retryable(), "{silent}");
}

#[tokio::test]
async fn what_can_pass_is_tried_again_and_a_no_is_not() {
    let tries = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&tries);
    let flaky = move || {
        let count = counted.fetch_add(1, Ordering::Relaxed);
        async move {
            if count < 2 {
                StatusCode::SERVICE_UNAVAILABLE.into_response()
            } else {
                "at last".into_response()
            }
        }
    };
    let refusals = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&refusals);
    let refuse = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        async { (StatusCode::FORBIDDEN, format!("no{}", "!".repeat(1_000))) }
    };
    let router = Router::new()
        .route("/flaky", get(flaky))
        .route("/refuse", get(refuse));
    let service = Service::new(&serve(router).await, None, &quick()).unwrap();

    let get = |path: &'static str| service.send_again(100, || service.request(Method::GET, path));
    assert_eq!(get("/flaky").await.unwrap(), b"at last");
    assert_eq!(tries.load(Ordering::Relaxed), 3);

    let Err(OutboundError::Refused { status, detail, .. }) = get("/refuse").await else {
        panic!("a refusal is no answer");
    };
    assert_eq!((status, detail.len()), (403, 300));
    assert_eq!(refusals.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn the_token_goes_along_and_into_no_error() {
    let echo = |headers: axum::http::HeaderMap| async move {
        headers[header::AUTHORIZATION].to_str().unwrap().to_owned()
    };
    let base = serve(Router::new().route("/echo", get(echo))).await;
    let token = Some(Secret::new("s3cret"));
    let service = Service::new(&base, token.clone(), &quick()).unwrap();
    assert_eq!(ask(&service, "/echo").await.unwrap(), b"Bearer s3cret");

    let nobody = Service::new("http://127.0.0.1:1", token, &quick()).unwrap();
    let error = ask(&nobody, "/echo").await.unwrap_err();
    let told = format!("{error} {error:?} {service:?}");
    assert!(!told.contains("s3cret"), "{told}");
}

#[tokio::test]
async fn redirects_are_followed_as_often_as_asked_for() {
    let router = Router::new()
        .route("/one", get(|| async { Redirect::temporary("/two") }))
        .route("/two", get(|| async { Redirect::temporary("/three") }))
        .route("/three", get(|| async { "here" }));
    let base = serve(router).await;
    let with = |redirects_max| Options {
        redirects_max,
        ..quick()
    };

    let none = Service::new(&base, None, &with(0)).unwrap();
    let refused = ask(&none, "/one").await.unwrap_err();
    assert!(
        matches!(refused, OutboundError::Refused { status: 307, .. }),
        "{refused}"
    );
    let one = Service::new(&base, None, &with(1)).unwrap();
    assert!(ask(&one, "/one").await.is_err());
    let two = Service::new(&base, None, &with(2)).unwrap();
    assert_eq!(ask(&two, "/one").await.unwrap(), b"here");
}

#[tokio::test]
async fn no_redirect_leads_to_another_origin() {
    let reached = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&reached);
    let elsewhere = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        async { "elsewhere" }
    };
    let other = serve(Router::new().route("/", get(elsewhere))).await;
    let away = move || async move { Redirect::temporary(&other) };
    let base = serve(Router::new().route("/away", get(away))).await;

    let options = Options {
        redirects_max: 3,
        ..quick()
    };
    let service = Service::new(&base, Some(Secret::new("s3cret")), &options).unwrap();
    let refused = ask(&service, "/away").await.unwrap_err();

    assert!(
        matches!(refused, OutboundError::NotAllowed { .. }),
        "{refused}"
    );
    assert!(!refused.is_retryable() && !refused.is_unreachable());
    assert_eq!(reached.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn what_people_name_leads_to_the_public_internet_alone() {
    let reached = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&reached);
    let inside = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        async { "inside" }
    };
    let base = serve(Router::new().route("/", get(inside))).await;
    let public = Options {
        addresses: Addresses::Public,
        redirects_max: 3,
        ..quick()
    };

    for address in [
        base.as_str(),
        "http://[::1]/",
        "http://169.254.169.254/latest",
        "http://[64:ff9b::7f00:1]/",
        "http://0x7f.1/",
        "http://2130706433/",
    ] {
        assert!(Service::new(address, None, &public).is_err(), "{address}");
    }

    // A name is seen through when it is connected to.
    let port = base.rsplit(':').next().unwrap();
    let named = Service::new(&format!("http://localhost:{port}"), None, &public).unwrap();
    let refused = ask(&named, "/").await.unwrap_err();
    assert!(
        matches!(refused, OutboundError::NotAllowed { .. }),
        "{refused}"
    );
    assert!(!refused.is_retryable(), "{refused}");
    assert_eq!(reached.load(Ordering::Relaxed), 0);

    let proxied = Options {
        proxy: Some("http://127.0.0.1:3128".parse().unwrap()),
        ..public
    };
    assert!(Service::new("http://example.com", None, &proxied).is_err());
}

#[test]
fn no_path_leads_to_another_host() {
    let service = Service::new("http://example.com", None, &Options::default()).unwrap();
    for path in [
        "@127.0.0.1/x",
        ".evil.example/",
        ":22/",
        "\\\\127.0.0.1/",
        "//127.0.0.1/",
        "",
    ] {
        let plain = service.request(Method::GET, path).build().unwrap();
        let with = service.request_with(Method::GET, path, &[("a", "b")]);
        let with = with.unwrap().build().unwrap();
        for url in [plain.url(), with.url()] {
            assert_eq!(
                (url.host_str(), url.port()),
                (Some("example.com"), None),
                "{path}"
            );
            assert_eq!(url.username(), "", "{path}");
        }
    }
}

#[tokio::test]
async fn a_proxy_is_used_when_the_operator_names_one() {
    // It answers whatever it is asked for, by the whole address.
    let proxy =
        serve(Router::new().fallback(|uri: axum::http::Uri| async move { uri.to_string() })).await;
    let options = Options {
        proxy: Some(proxy.parse().unwrap()),
        ..quick()
    };
    let service = Service::new("http://far.example/api", None, &options).unwrap();
    let seen = ask(&service, "/pins").await.unwrap();
    assert_eq!(
        String::from_utf8_lossy(&seen),
        "http://far.example/api/pins"
    );
}

#[test]
fn an_address_with_a_password_or_another_scheme_is_refused() {
    for base in [
        "ftp://example.com",
        "file:///etc/passwd",
        "http://user:password@example.com",
        "https://example.com/?token=s3cret",
        "example.com",
        "",
    ] {
        let error = Service::new(base, None, &Options::default()).unwrap_err();
        let told = error.to_string();
        assert!(
            !told.contains("s3cret") && !told.contains("user:password"),
            "{told}"
        );
    }
}
