//! Metrics have few series, and are not for everybody.

use crate::door::{ask, start};
use service_kit::doors::{DoorLimits, Doors};
use service_kit::telemetry::init_metrics;
use std::net::SocketAddr;
use tokio::sync::OnceCell;

/// The recorder is the process's: the first test installs it, all of them show it.
async fn rendering() -> impl Fn() -> String + Send + Sync + 'static {
    static HANDLE: OnceCell<metrics_exporter_prometheus::PrometheusHandle> = OnceCell::const_new();
    let handle = HANDLE
        .get_or_init(|| async { init_metrics() })
        .await
        .clone();
    move || handle.render()
}

async fn open(address: &str, metrics_at: Option<SocketAddr>) -> Doors {
    let doors = Doors::open(address, DoorLimits::default()).await.unwrap();
    let doors = doors.with_metrics_at(metrics_at).await.unwrap();
    doors.showing(rendering().await)
}

#[tokio::test]
async fn made_up_methods_and_paths_make_no_series() {
    let door = start(open("127.0.0.1:0", None).await);

    for number in 0..50 {
        ask(door.address, &format!("BREW{number}"), "/hello", "").await;
        ask(door.address, "GET", &format!("/nowhere/{number}"), "").await;
    }

    let shown = ask(door.address, "GET", "/metrics", "").await;
    assert!(!shown.contains("BREW"), "{shown}");
    assert!(!shown.contains("nowhere"), "{shown}");
    let has = |label: &str| shown.contains(label);
    assert!(
        has("method=\"other\"") && has("route=\"unmatched\""),
        "{shown}"
    );
    assert!(has("http_connections "), "{shown}");
}

#[tokio::test]
async fn a_port_of_their_own_takes_them_from_the_public_one() {
    let doors = open("127.0.0.1:0", Some("127.0.0.1:0".parse().unwrap())).await;
    let scraped = doors.metrics_addr().unwrap();
    let door = start(doors);

    let public = ask(door.address, "GET", "/metrics", "").await;
    assert!(public.starts_with("HTTP/1.1 404 "), "{public}");
    let shown = ask(scraped, "GET", "/metrics", "").await;
    assert!(shown.starts_with("HTTP/1.1 200 "), "{shown}");
    let other = ask(scraped, "GET", "/hello", "").await;
    assert!(other.starts_with("HTTP/1.1 404 "), "{other}");
}

#[tokio::test]
async fn without_one_they_are_shown_on_loopback_alone() {
    let mut door = start(open("0.0.0.0:0", None).await);
    door.address.set_ip([127, 0, 0, 1].into());

    let public = ask(door.address, "GET", "/metrics", "").await;
    assert!(public.starts_with("HTTP/1.1 404 "), "{public}");
}
