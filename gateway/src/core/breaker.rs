//! A circuit breaker: a node that does not answer is asked last for a while, then by the next look alone.

use std::time::Duration;

/// Failures in a row that open the circuit: one may be a packet that was lost.
const FAILURES_MAX: u32 = 2;
/// How long it is open at first; doubles with each further failure,
const OPEN_MIN: Duration = Duration::from_secs(1);
/// but a node that is back is used again soon.
const OPEN_MAX: Duration = Duration::from_secs(8);

/// Whether a node is asked as one that answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Circuit {
    /// It answers.
    Closed,
    /// It did not answer; what its next answer is decides.
    HalfOpen,
    /// It did not answer, and is left alone.
    Open,
}

/// What is remembered of a node's failures. Time is since any fixed moment, and given by the caller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Breaker {
    failures: u32,
    opened: Option<Opened>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Opened {
    until: Duration,
    pause: Duration,
}

impl Breaker {
    /// Where the circuit stands at a moment.
    pub fn circuit(&self, now: Duration) -> Circuit {
        match self.opened {
            None => Circuit::Closed,
            Some(opened) if now < opened.until => Circuit::Open,
            Some(_) => Circuit::HalfOpen,
        }
    }

    /// The node answered. While the circuit is open that changes nothing: the answer is to an old question.
    pub fn note_success(&mut self, now: Duration) {
        if self.circuit(now) != Circuit::Open {
            *self = Self::default();
        }
    }

    /// The node did not answer in time.
    pub fn note_failure(&mut self, now: Duration) {
        self.failures = self.failures.saturating_add(1);

        match (self.circuit(now), self.opened) {
            (Circuit::Closed, _) if self.failures >= FAILURES_MAX => self.open(now, OPEN_MIN),
            (Circuit::HalfOpen, Some(opened)) => self.open(now, opened.pause * 2),
            _ => {}
        }
    }

    fn open(&mut self, now: Duration, pause: Duration) {
        let pause = pause.min(OPEN_MAX);
        self.opened = Some(Opened {
            until: now.saturating_add(pause),
            pause,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn failed_at(moments: &[u64]) -> Breaker {
        let mut breaker = Breaker::default();
        for moment in moments {
            breaker.note_failure(at(*moment));
        }
        breaker
    }

    #[test]
    fn one_failure_is_forgiven_and_two_in_a_row_open_the_circuit_for_a_second() {
        assert_eq!(failed_at(&[0]).circuit(at(0)), Circuit::Closed);

        let mut forgiven = failed_at(&[0]);
        forgiven.note_success(at(1));
        forgiven.note_failure(at(2));
        assert_eq!(forgiven.circuit(at(2)), Circuit::Closed);

        let open = failed_at(&[0, 10]);
        assert_eq!(open.circuit(at(1_009)), Circuit::Open);
        assert_eq!(open.circuit(at(1_010)), Circuit::HalfOpen);
    }

    #[test]
    fn an_old_answer_does_not_close_an_open_circuit_and_a_new_one_closes_a_half_open_one() {
        let mut breaker = failed_at(&[0, 0]);
        breaker.note_success(at(500));
        assert_eq!(breaker.circuit(at(500)), Circuit::Open);

        breaker.note_success(at(1_000));
        assert_eq!(breaker, Breaker::default());
    }

    #[test]
    fn each_failed_trial_doubles_the_pause_up_to_eight_seconds() {
        let mut breaker = failed_at(&[0, 0]);
        let mut now = 1_000;
        for pause in [2_000, 4_000, 8_000, 8_000] {
            breaker.note_failure(at(now));
            assert_eq!(breaker.circuit(at(now + pause - 1)), Circuit::Open);
            assert_eq!(breaker.circuit(at(now + pause)), Circuit::HalfOpen);
            now += pause;
        }
    }

    proptest! {
        #[test]
        fn it_opens_only_after_two_failures_in_a_row_and_never_for_longer_than_the_maximum(
            events in proptest::collection::vec((any::<bool>(), 0_u64..5_000), 0..60)
        ) {
            let (mut breaker, mut now, mut in_a_row) = (Breaker::default(), Duration::ZERO, 0);
            for (is_success, pause_ms) in events {
                now += at(pause_ms);
                let before = breaker.circuit(now);
                if is_success {
                    breaker.note_success(now);
                    in_a_row = 0;
                } else {
                    breaker.note_failure(now);
                    in_a_row += 1;
                }

                let opens = before == Circuit::Closed && breaker.circuit(now) == Circuit::Open;
                prop_assert!(!opens || in_a_row >= FAILURES_MAX);
                prop_assert_ne!(breaker.circuit(now + OPEN_MAX), Circuit::Open);
            }
        }
    }
}
