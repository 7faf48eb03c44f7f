//! A camera that is covered, turned or frozen is told in the list and in the metrics; the rules speak of metrics that
//! are there.

use crate::world::{Says, World, config, film, yes};
use std::path::Path;

/// Edges all over, and a little movement in a corner.
const VIEW: &str = "pattern=smpte";
const OTHER_VIEW: &str = "pattern=circular";
const COVER: &str = "pattern=black";

async fn alerts_of(parts: &[(&str, u32)], alert: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = film(folder.path(), parts);
    let world = World::start(
        config(&format!(
            r#"[{{"camera": 1, "kind": "chef", "file": "{}"}}]"#,
            path.display()
        )),
        Says::Permits(yes()),
    )
    .await;
    let has = |camera: &serde_json::Value| {
        camera["alerts"]
            .as_array()
            .unwrap()
            .iter()
            .any(|name| name == alert)
    };
    world.until_camera(1, alert, has).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_covered_camera_is_told() {
    alerts_of(&[(VIEW, 150), (COVER, 150)], "covered").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turned_camera_is_told() {
    alerts_of(&[(VIEW, 150), (OTHER_VIEW, 200)], "moved").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_camera_is_told() {
    alerts_of(&[(OTHER_VIEW, 500)], "frozen").await;
}

#[test]
fn alert_rules_speak_of_metrics_that_are_there() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let rules = std::fs::read_to_string(folder.join("alerts.yml")).unwrap();
    let metrics = std::fs::read_to_string(folder.join("src/metrics.rs")).unwrap();
    let names: Vec<&str> = rules
        .split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
        .filter(|word| word.starts_with("video_"))
        .collect();
    assert!(names.len() >= 8, "{names:?}");
    for name in names {
        let described = name.trim_end_matches("_bucket").trim_end_matches("_count");
        assert!(
            metrics.contains(&format!("\"{described}\"")),
            "{name} is no metric of the agent"
        );
    }
}
