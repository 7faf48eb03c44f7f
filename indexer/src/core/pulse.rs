//! How a chain's node answers, and what of it is trouble. Time is since any fixed moment, and given by the caller.

use std::time::Duration;

/// A node that gave no good answer for longer is away.
pub const SILENCE_MAX: Duration = Duration::from_secs(10);

/// What is known of how one chain's node answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beat {
    /// When the process began to wait for it.
    since: Duration,
    /// When it last answered.
    pub answered: Option<Duration>,
    /// When the mirror last had everything that it has.
    pub in_step: Option<Duration>,
    /// Its newest block, and when that was first seen.
    head: Option<(u64, Duration)>,
}

impl Beat {
    /// Nothing was heard yet.
    pub const fn starting(now: Duration) -> Self {
        Self {
            since: now,
            answered: None,
            in_step: None,
            head: None,
        }
    }

    /// The node answered.
    pub fn note_answer(&mut self, now: Duration) {
        self.answered = Some(now);
    }

    /// The node said which block is its newest.
    pub fn note_head(&mut self, number: u64, now: Duration) {
        self.answered = Some(now);
        if self.head.is_none_or(|(known, _)| known != number) {
            self.head = Some((number, now));
        }
    }

    /// The mirror has everything that the node has.
    pub fn note_in_step(&mut self, now: Duration) {
        self.in_step = Some(now);
    }

    /// Whether the head has been the same for longer than allowed; never where nothing is said to be allowed.
    pub fn stands_still(&self, now: Duration, interval_max: Option<Duration>) -> bool {
        match (self.head, interval_max) {
            (Some((_, seen)), Some(max)) => now.saturating_sub(seen) > max,
            _ => false,
        }
    }

    /// Why the chain cannot be followed now.
    pub fn trouble(&self, now: Duration, interval_max: Option<Duration>) -> Option<String> {
        let silent = now.saturating_sub(self.answered.unwrap_or(self.since));
        if silent > SILENCE_MAX {
            return Some(format!("no good answer for {} s", silent.as_secs()));
        }

        let (number, seen) = self.head?;
        self.stands_still(now, interval_max).then(|| {
            let age_s = now.saturating_sub(seen).as_secs();
            format!("block {number} has been the newest for {age_s} s")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_node_is_away_after_ten_seconds_without_an_answer_also_if_it_never_gave_one() {
        let mut beat = Beat::starting(at(100));
        assert_eq!(beat.trouble(at(110), None), None);
        assert!(beat.trouble(at(111), None).is_some());

        beat.note_answer(at(120));
        assert_eq!(beat.trouble(at(130), None), None);
        let said = beat.trouble(at(145), None);
        assert_eq!(said.as_deref(), Some("no good answer for 25 s"));
    }

    #[test]
    fn a_chain_that_mines_on_demand_stands_still_for_as_long_as_it_likes_unless_an_interval_is_set()
    {
        let mut beat = Beat::starting(at(0));
        for second in 0..=60 {
            beat.note_head(7, at(second));
        }
        assert_eq!(beat.trouble(at(60), None), None);
        assert_eq!(beat.trouble(at(60), Some(at(60))), None);
        let said = beat.trouble(at(60), Some(at(30)));
        assert_eq!(
            said.as_deref(),
            Some("block 7 has been the newest for 60 s")
        );

        beat.note_head(8, at(61));
        assert_eq!(beat.trouble(at(62), Some(at(30))), None);
    }

    #[test]
    fn a_replaced_head_has_not_stood_still() {
        let mut beat = Beat::starting(at(0));
        beat.note_head(7, at(0));
        beat.note_head(6, at(50));
        assert!(!beat.stands_still(at(60), Some(at(30))));
    }
}
