//! Logs and metrics.

use crate::config::environment_variable;
use crate::log_line::JsonLines;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::io::IsTerminal;
use std::panic::PanicHookInfo;
use std::time::Duration;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::JsonFields;

/// JSON lines on standard error, or readable lines when that is a terminal. `RUST_LOG` overrides `default_filter`.
pub fn init_logs(default_filter: &str) {
    let wanted = environment_variable("RUST_LOG").filter(|wanted| !wanted.is_empty());
    let parsed = wanted.map(EnvFilter::try_new).transpose();
    let (filter, mistake) = match parsed {
        Ok(filter) => (filter, None),
        Err(mistake) => (None, Some(mistake)),
    };

    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter.unwrap_or_else(|| EnvFilter::new(default_filter)))
        // A line that cannot be written is lost: saying so where nothing can be written would end the process.
        .log_internal_errors(false)
        .with_writer(std::io::stderr);
    let is_first = if std::io::stderr().is_terminal() {
        builder.compact().try_init()
    } else {
        builder
            .event_format(JsonLines)
            .fmt_fields(JsonFields::new())
            .try_init()
    };

    // A second call, as in tests, keeps the first subscriber.
    if is_first.is_ok() {
        log_panics();
    }
    if let Some(mistake) = mistake {
        let error = mistake.to_string();
        tracing::warn!(error, "RUST_LOG is not understood: the default holds");
    }
}

/// Panics become log lines, where such lines are written.
fn log_panics() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if tracing::enabled!(tracing::Level::ERROR) {
            log_panic(info);
        } else {
            before(info);
        }
    }));
}

/// A service's filter at another level: a word about one part of it stays.
pub fn filter_at(level: Option<&str>, default_filter: &str) -> String {
    let Some(level) = level else {
        return default_filter.to_owned();
    };
    let parts = default_filter.split(',').filter(|part| part.contains('='));
    std::iter::once(level)
        .chain(parts)
        .collect::<Vec<_>>()
        .join(",")
}

/// A panic as a line like all others. It ends its task; the process only where that task is the process.
fn log_panic(info: &PanicHookInfo<'_>) {
    let place = info.location().map(ToString::to_string);
    let said = info.payload_as_str().unwrap_or("no text");
    let thread = std::thread::current();
    let thread = thread.name().unwrap_or("unnamed");
    tracing::error!(place, thread, "panicked: {said}");
}

/// Upper bounds of the buckets that durations are counted in, in seconds.
const SECONDS: [f64; 15] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 60.0,
];

/// How often samples of histograms are counted into their buckets.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Installs the process-wide recorder; `/metrics` renders the handle. Histograms can be added up over processes.
pub fn init_metrics() -> PrometheusHandle {
    let builder = PrometheusBuilder::new()
        .set_buckets(&SECONDS)
        .unwrap_or_default();
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    // A second recorder, as in tests, is simply not the global one.
    let _ = metrics::set_global_recorder(recorder);

    // Outside of a runtime, as in tests, samples wait for a scrape.
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(count_samples(handle.clone()));
    }
    handle
}

/// Samples of histograms would stay in memory until somebody asks for `/metrics`. Never ends.
async fn count_samples(handle: PrometheusHandle) {
    loop {
        tokio::time::sleep(UPKEEP_INTERVAL).await;
        handle.run_upkeep();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_level_leaves_what_is_said_of_parts() {
        assert_eq!(filter_at(None, "info,libp2p=error"), "info,libp2p=error");
        assert_eq!(
            filter_at(Some("debug"), "info,libp2p=error"),
            "debug,libp2p=error"
        );
    }
}
