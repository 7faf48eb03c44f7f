//! What `/metrics` shows.

use crate::core::alerts::Alert;
use crate::core::gate::{Reason, Verdict};
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use std::time::Duration;

/// Describes every metric once.
pub(crate) fn describe() {
    describe_gauge!(
        "video_camera_alert",
        "1 while a camera has this alert: down, covered, moved, frozen, detector_late"
    );
    describe_gauge!(
        "video_camera_live",
        "1 while a camera is read, because something permits it"
    );

    describe_counter!(
        "video_frames_total",
        "frames that left the anonymiser: masked, or solid and why"
    );
    describe_counter!(
        "video_segments_total",
        "segments by what became of them: accepted, refused"
    );

    describe_counter!(
        "video_consent_questions_total",
        "answers about consent: yes, no, error"
    );

    describe_counter!(
        "video_push_attempts_total",
        "connections to the streaming platform that were begun"
    );
    describe_gauge!(
        "video_stream_viewers",
        "who looks at the public stream, as its platform says; 0 while nobody can say"
    );
    describe_counter!(
        "video_platform_errors_total",
        "what a streaming platform was asked for and did not do"
    );

    describe_histogram!(
        "video_anonymise_seconds",
        "time from a frame's arrival until the next one could be taken"
    );
    describe_histogram!(
        "video_look_seconds",
        "time in which faces were looked for in a frame"
    );

    describe_gauge!(
        "video_spool_bytes",
        "encrypted recordings that wait to be uploaded"
    );
    describe_gauge!("video_spool_bytes_max", "what the spool may hold");
    describe_gauge!(
        "video_uploads_waiting",
        "recordings that are not on the ledger yet, or not cleaned up"
    );
    describe_gauge!(
        "video_erasures_waiting",
        "erasures whose keys are destroyed and that are not done everywhere"
    );

    describe_gauge!("video_disk_free_bytes", "room on the disk of the vault");
    describe_gauge!("video_disk_bytes", "size of that disk");

    describe_gauge!(
        "video_detector_usable",
        "1 if the detector passed its self-test, or none is configured"
    );
}

pub(crate) fn alerts(camera: u64, alerts: &[Alert]) {
    for alert in Alert::ALL {
        let value = if alerts.contains(&alert) { 1.0 } else { 0.0 };
        gauge!("video_camera_alert", "camera" => camera.to_string(), "alert" => alert.name())
            .set(value);
    }
}

pub(crate) fn live(camera: u64, live: bool) {
    gauge!("video_camera_live", "camera" => camera.to_string()).set(if live { 1.0 } else { 0.0 });
}

/// So that rates of what has not happened yet are 0 and not absent.
pub(crate) fn begin(camera: u64) {
    let camera = camera.to_string();
    let results = std::iter::once("masked").chain(Reason::ALL.map(Reason::name));
    for result in results {
        counter!("video_frames_total", "camera" => camera.clone(), "result" => result).increment(0);
    }
}

pub(crate) fn frame(camera: u64, verdict: &Verdict) {
    let result = match verdict {
        Verdict::Masked(_) => "masked",
        Verdict::Solid(reason) => reason.name(),
    };
    counter!("video_frames_total", "camera" => camera.to_string(), "result" => result).increment(1);
}

pub(crate) fn segment(camera: u64, result: &'static str) {
    counter!("video_segments_total", "camera" => camera.to_string(), "result" => result)
        .increment(1);
}

pub(crate) fn consent(camera: u64, answer: &'static str) {
    counter!("video_consent_questions_total", "camera" => camera.to_string(), "answer" => answer)
        .increment(1);
}

pub(crate) fn push_attempt(camera: u64) {
    counter!("video_push_attempts_total", "camera" => camera.to_string()).increment(1);
}

pub(crate) fn viewers(camera: u64, viewers: Option<u64>) {
    gauge!("video_stream_viewers", "camera" => camera.to_string()).set(viewers.unwrap_or(0) as f64);
}

pub(crate) fn platform_error(camera: u64) {
    counter!("video_platform_errors_total", "camera" => camera.to_string()).increment(1);
}

pub(crate) fn anonymised(camera: u64, took: Duration) {
    histogram!("video_anonymise_seconds", "camera" => camera.to_string()).record(took);
}

pub(crate) fn looked(took: Duration) {
    histogram!("video_look_seconds").record(took);
}

pub(crate) fn waiting(spool_bytes: u64, spool_bytes_max: u64, uploads: u64, erasures: u64) {
    gauge!("video_spool_bytes").set(spool_bytes as f64);
    gauge!("video_spool_bytes_max").set(spool_bytes_max as f64);
    gauge!("video_uploads_waiting").set(uploads as f64);
    gauge!("video_erasures_waiting").set(erasures as f64);
}

pub(crate) fn disk(free: u64, all: u64) {
    gauge!("video_disk_free_bytes").set(free as f64);
    gauge!("video_disk_bytes").set(all as f64);
}

pub(crate) fn detector_usable(usable: bool) {
    gauge!("video_detector_usable").set(if usable { 1.0 } else { 0.0 });
}
