//! What is measured while sales are sent, and how it is shown.

use crate::send::Failure;
use anyhow::Result;
use comfy_table::Table;
use comfy_table::presets::UTF8_BORDERS_ONLY;
use hdrhistogram::Histogram;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// Significant digits of a latency.
const DIGITS: u8 = 3;
/// The longest latency that is told apart: an hour.
const LATENCY_US_MAX: u64 = 3_600_000_000;

/// Collects answers while the load runs.
pub struct Recorder {
    latencies_us: Histogram<u64>,
    errors: BTreeMap<Failure, u64>,
    per_second: Vec<u64>,
    stretch: Option<Duration>,
    stretches_us: Vec<Histogram<u64>>,
    offered: u64,
    acknowledged: u64,
}

impl Recorder {
    /// Measures this many seconds, and if it is told so each stretch of that many by itself.
    pub fn new(seconds: u32, stretch: Option<u32>) -> Result<Self> {
        Ok(Self {
            latencies_us: Histogram::new_with_max(LATENCY_US_MAX, DIGITS)?,
            errors: BTreeMap::new(),
            per_second: vec![0; seconds as usize],
            stretch: stretch.map(|seconds| Duration::from_secs(seconds.into())),
            stretches_us: Vec::new(),
            offered: 0,
            acknowledged: 0,
        })
    }

    /// A sale whose time came within what is measured.
    pub fn offered(&mut self) {
        self.offered += 1;
    }

    /// A sale's answer: how long after its intended time; and how long after the measuring began it came and was due
    /// (`None` = before).
    pub fn acknowledged(&mut self, latency: Duration, at: Option<Duration>, due: Option<Duration>) {
        // Any sale that becomes final within a second counts for that second, also one of the warm-up.
        if let Some(count) = at.and_then(|at| self.per_second.get_mut(at.as_secs() as usize)) {
            *count += 1;
        }
        if let Some(due) = due {
            self.acknowledged += 1;
            self.latencies_us.saturating_record(micros(latency));
            self.record_stretch(latency, due);
        }
    }

    /// A stretch is that of the time at which a sale was due.
    fn record_stretch(&mut self, latency: Duration, due: Duration) {
        let Some(stretch) = self.stretch else { return };
        let place = (due.as_secs() / stretch.as_secs()) as usize;
        while self.stretches_us.len() <= place {
            self.stretches_us
                .push(Histogram::new_from(&self.latencies_us));
        }
        self.stretches_us[place].saturating_record(micros(latency));
    }

    /// A sale that was not acknowledged.
    pub fn failed(&mut self, failure: Failure) {
        *self.errors.entry(failure).or_default() += 1;
    }

    fn quantile(&self, quantile: f64) -> u64 {
        self.latencies_us.value_at_quantile(quantile)
    }

    /// Sums up the run; seconds beyond the measured time are left out.
    pub fn report(&self, run: Run) -> Report {
        let seconds = run.sent.seconds;
        let measured = &self.per_second[..self.per_second.len().min(seconds as usize)];

        Report {
            run,
            offered: self.offered,
            acknowledged: self.acknowledged,
            final_per_second: measured.iter().sum::<u64>() / seconds.max(1),
            final_per_second_min: measured.iter().min().copied().unwrap_or(0),
            final_per_second_max: measured.iter().max().copied().unwrap_or(0),
            p50_us: self.quantile(0.5),
            p90_us: self.quantile(0.9),
            p99_us: self.quantile(0.99),
            p999_us: self.quantile(0.999),
            max_us: self.latencies_us.max(),
            stretches_p99_us: self
                .stretches_us
                .iter()
                .map(|stretch| stretch.value_at_quantile(0.99))
                .collect(),
            errors: self.errors.clone(),
        }
    }
}

/// A duration in microseconds.
pub fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// How the sending went.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Sent {
    /// How long was measured; shorter than asked for when it was stopped.
    pub seconds: u64,
    /// The longest that a sale left after its intended time: the generator's own fault, included in the latencies.
    pub late_us_max: u64,
    /// The most sales without an answer at one time.
    pub in_flight_max: usize,
    /// Whether there were as many as allowed.
    pub in_flight_bound_reached: bool,
}

/// What is known of a run beside its answers.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Run {
    /// Sales a second that were meant to be sent.
    pub rate: u32,
    /// Sale ids follow from it.
    pub seed: u64,
    /// Nodes that the sales were spread over.
    pub nodes: usize,
    /// Terminals that signed.
    pub terminals: usize,
    /// How the sending went.
    #[serde(flatten)]
    pub sent: Sent,
    /// Blocks while it was measured.
    pub blocks: u64,
    /// What signing one sale cost.
    pub sign_us: u64,
    /// Sales signed before the start; others were signed meanwhile.
    pub signed_ahead: usize,
    /// Lines fsynced to the journal, warm-up included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub journaled: Option<u64>,
}

/// The figures of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Beside the answers.
    #[serde(flatten)]
    pub run: Run,
    /// Sales whose time came.
    pub offered: u64,
    /// Of those, acknowledged as final, however late.
    pub acknowledged: u64,
    /// Sales that became final within the time, per second.
    pub final_per_second: u64,
    /// The worst second.
    pub final_per_second_min: u64,
    /// The best second.
    pub final_per_second_max: u64,
    /// Half of the acknowledged sales took at most this, from the intended time to the answer.
    pub p50_us: u64,
    /// Nine in ten.
    pub p90_us: u64,
    /// 99 in a hundred.
    pub p99_us: u64,
    /// 999 in a thousand.
    pub p999_us: u64,
    /// The slowest of them.
    pub max_us: u64,
    /// 99 in a hundred of each stretch, if they were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stretches_p99_us: Vec<u64>,
    /// Sales that were not acknowledged, by code, warm-up included.
    pub errors: BTreeMap<Failure, u64>,
}

fn format_ms(us: u64) -> String {
    format!("{}.{} ms", us / 1_000, us % 1_000 / 100)
}

impl Report {
    /// Whether every sale was acknowledged.
    pub fn is_complete(&self) -> bool {
        self.errors.is_empty() && self.acknowledged == self.offered && self.offered > 0
    }

    /// The same figures for people, latencies in milliseconds.
    pub fn table(&self) -> Table {
        let run = &self.run;
        let mut table = Table::new();
        table.load_preset(UTF8_BORDERS_ONLY);
        let mut row = |name: &str, value: String| {
            table.add_row([name.to_owned(), value]);
        };

        row(
            "offered",
            format!(
                "{}/s for {} s: {} sales (seed {})",
                run.rate, run.sent.seconds, self.offered, run.seed
            ),
        );
        row(
            "spread over",
            format!("{} nodes, {} terminals", run.nodes, run.terminals),
        );
        row("acknowledged", format!("{} of these", self.acknowledged));

        let (min, max) = (self.final_per_second_min, self.final_per_second_max);
        row(
            "final",
            format!(
                "{}/s; worst second {min}, best {max}",
                self.final_per_second
            ),
        );

        let rest = [self.p90_us, self.p99_us, self.p999_us, self.max_us].map(format_ms);
        let [p90, p99, p999, most] = rest;
        row(
            "latency",
            format!(
                "p50 {}, p90 {p90}, p99 {p99}, p99.9 {p999}, max {most}",
                format_ms(self.p50_us)
            ),
        );

        row(
            "errors",
            if self.errors.is_empty() {
                "none".into()
            } else {
                format!("{:?}", self.errors)
            },
        );

        let bound = if run.sent.in_flight_bound_reached {
            " (the bound)"
        } else {
            ""
        };
        row(
            "in flight",
            format!("at most {}{bound}", run.sent.in_flight_max),
        );

        row("blocks", run.blocks.to_string());
        row(
            "generator",
            format!("sent at most {} late", format_ms(run.sent.late_us_max)),
        );
        row(
            "signing",
            format!(
                "{} us a sale; {} signed before the start",
                run.sign_us, run.signed_ahead
            ),
        );

        if let Some(lines) = run.journaled {
            row("journal", format!("{lines} lines fsynced"));
        }

        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_answered_in_time_counts_as_sustained() {
        let mut recorder = Recorder::new(2, Some(1)).unwrap();
        let ms = Duration::from_millis;
        for (latency, at, due) in [
            (50, None, None),
            (100, Some(10), None),
            (100, Some(900), Some(800)),
            (900, Some(1_100), Some(200)),
            (5_000, Some(6_500), Some(1_500)),
        ] {
            recorder.acknowledged(ms(latency), at.map(ms), due.map(ms));
        }
        (0..3).for_each(|_| recorder.offered());
        let run = Run {
            sent: Sent {
                seconds: 2,
                ..Sent::default()
            },
            ..Run::default()
        };
        let report = recorder.report(run);
        assert_eq!(
            (
                report.final_per_second,
                report.final_per_second_min,
                report.final_per_second_max
            ),
            (1, 1, 2)
        );
        assert_eq!((report.acknowledged, report.max_us / 10_000), (3, 500));
        let stretches: Vec<u64> = report
            .stretches_p99_us
            .iter()
            .map(|us| us / 100_000)
            .collect();
        assert_eq!(stretches, [9, 50]);
        assert!(report.is_complete());
        recorder.failed("timeout".into());
        assert!(!recorder.report(Run::default()).is_complete());
    }
}
