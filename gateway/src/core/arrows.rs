//! How fresh is what comes along each way through the system, and which part is away.

use api_types::{ArrowName, ArrowOverview, ArrowState, SystemPart};
use read_model::network::{Pulse, StreamPulse};
use std::time::Duration;

/// Who is asked every second, and silent for longer, is away.
const ASKED_SILENCE_MAX: Duration = Duration::from_secs(5);
/// The indexer, which writes its pulse every two seconds, or a node that it asks, is away when silent for longer.
const PULSE_SILENCE_MAX: Duration = Duration::from_secs(10);
/// A mirror that lacks blocks for longer is late.
const MIRROR_LATE_AFTER: Duration = Duration::from_secs(15);
/// A checkpoint has to be signed, sent and mined, which takes some blocks of the EVM chain.
const ANCHORING_LATE_AFTER: Duration = Duration::from_secs(120);
/// After this nobody seems to send checkpoints.
const ANCHORING_AWAY_AFTER: Duration = Duration::from_secs(900);

/// What the gateway last saw, as ages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sight {
    /// Since a node last answered; `None` when none did lately.
    pub nodes: Option<Duration>,
    /// Whether two thirds of the nodes that answer do their work.
    pub nodes_ready: bool,
    /// Since the database last answered, and what it said; `None` when it never did.
    pub database: Option<(Duration, Pulse)>,
}

impl Sight {
    fn is_database_away(&self) -> bool {
        self.database.is_none_or(|(age, _)| age > ASKED_SILENCE_MAX)
    }

    fn are_nodes_away(&self) -> bool {
        self.nodes.is_none_or(|age| age > ASKED_SILENCE_MAX)
    }

    /// Nobody knows while the database is away.
    fn is_indexer_away(&self) -> bool {
        let written = |(age, pulse): (Duration, Pulse)| {
            let streams = [pulse.sidechain, pulse.evm];
            let last = streams.iter().flatten().map(|stream| stream.written).min();
            last.map(|written| written + age)
        };
        let is_silent = |last: Option<Duration>| last.is_none_or(|age| age > PULSE_SILENCE_MAX);

        !self.is_database_away() && is_silent(self.database.and_then(written))
    }

    fn is_evm_node_away(&self) -> bool {
        let is_known = !self.is_database_away() && !self.is_indexer_away();
        is_known && self.mirror_arrow(ArrowName::EvmToIndexer).state == ArrowState::Away
    }

    fn nodes_arrow(&self) -> ArrowOverview {
        let state = match (self.are_nodes_away(), self.nodes_ready) {
            (true, _) => ArrowState::Away,
            (false, false) => ArrowState::Late,
            (false, true) => ArrowState::InStep,
        };
        arrow_of(ArrowName::NodesToGateway, state, self.nodes)
    }

    fn database_arrow(&self) -> ArrowOverview {
        let state = if self.is_database_away() {
            ArrowState::Away
        } else {
            ArrowState::InStep
        };
        let age = self.database.map(|(age, _)| age);
        arrow_of(ArrowName::DatabaseToGateway, state, age)
    }

    fn mirror_arrow(&self, name: ArrowName) -> ArrowOverview {
        let Some((age, pulse)) = self.database else {
            return arrow_of(name, ArrowState::Away, None);
        };
        let stream = match name {
            ArrowName::EvmToIndexer => pulse.evm,
            _ => pulse.sidechain,
        };

        let state = stream.map_or(ArrowState::Away, |stream| mirror_state(&stream, age));
        let in_step = stream.and_then(|stream| stream.in_step);
        arrow_of(name, state, in_step.map(|in_step| in_step + age))
    }

    fn relayer_arrow(&self) -> ArrowOverview {
        let Some((age, pulse)) = self.database else {
            return arrow_of(ArrowName::RelayerToEvm, ArrowState::Away, None);
        };
        let waits = pulse.unanchored.map_or(Duration::ZERO, |waits| waits + age);

        let state = match waits {
            waits if waits > ANCHORING_AWAY_AFTER => ArrowState::Away,
            waits if waits > ANCHORING_LATE_AFTER => ArrowState::Late,
            _ => ArrowState::InStep,
        };
        arrow_of(ArrowName::RelayerToEvm, state, Some(waits))
    }
}

/// `age`: since the database said so.
fn mirror_state(stream: &StreamPulse, age: Duration) -> ArrowState {
    let is_within = |since: Option<Duration>, max: Duration| {
        since.is_some_and(|since| since.saturating_add(age) <= max)
    };

    if !is_within(stream.answered, PULSE_SILENCE_MAX) {
        ArrowState::Away
    } else if stream.stands_still || !is_within(stream.in_step, MIRROR_LATE_AFTER) {
        ArrowState::Late
    } else {
        ArrowState::InStep
    }
}

fn arrow_of(arrow: ArrowName, state: ArrowState, age: Option<Duration>) -> ArrowOverview {
    ArrowOverview {
        arrow,
        state,
        age_s: age.map(|age| age.as_secs()),
    }
}

/// All arrows, in the order in which a sale goes along them.
pub fn list_arrows(sight: &Sight) -> Vec<ArrowOverview> {
    vec![
        sight.nodes_arrow(),
        sight.mirror_arrow(ArrowName::SidechainToIndexer),
        sight.relayer_arrow(),
        sight.mirror_arrow(ArrowName::EvmToIndexer),
        sight.database_arrow(),
    ]
}

/// Parts that do not answer. What lies behind a part that is away is not accused.
pub fn parts_away(sight: &Sight) -> Vec<SystemPart> {
    let parts = [
        (SystemPart::Postgresql, sight.is_database_away()),
        (SystemPart::Nodes, sight.are_nodes_away()),
        (SystemPart::Indexer, sight.is_indexer_away()),
        (SystemPart::EvmNode, sight.is_evm_node_away()),
    ];

    let away = parts.into_iter().filter(|(_, is_away)| *is_away);
    away.map(|(part, _)| part).collect()
}

/// Whether the gateway does its work: it hands sales to nodes and answers from a mirror that moves. An EVM node that is
/// away is for the indexer to be unready about.
pub fn check_ready(sight: &Sight) -> Result<(), String> {
    let reason = |part: &SystemPart| match part {
        SystemPart::Postgresql => Some("PostgreSQL does not answer"),
        SystemPart::Nodes => Some("no node of the sidechain answers"),
        SystemPart::Indexer => Some("the mirror stands still: the indexer is away"),
        SystemPart::EvmNode => None,
    };

    let reasons: Vec<&str> = parts_away(sight).iter().filter_map(reason).collect();
    if reasons.is_empty() {
        Ok(())
    } else {
        Err(reasons.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    const FRESH: StreamPulse = StreamPulse {
        written: s(1),
        answered: Some(s(1)),
        in_step: Some(s(1)),
        stands_still: false,
    };

    /// Everything is well but for what a test changes.
    fn sight(change: impl FnOnce(&mut Duration, &mut Pulse)) -> Sight {
        let mut pulse = Pulse {
            sidechain: Some(FRESH),
            evm: Some(FRESH),
            unanchored: None,
        };
        let mut age = s(0);
        change(&mut age, &mut pulse);
        Sight {
            nodes: Some(s(0)),
            nodes_ready: true,
            database: Some((age, pulse)),
        }
    }

    fn states(sight: &Sight) -> [ArrowState; 5] {
        let states: Vec<ArrowState> = list_arrows(sight).iter().map(|one| one.state).collect();
        states.try_into().unwrap()
    }

    #[test]
    fn all_is_in_step_while_everybody_answers() {
        let well = sight(|_, _| ());
        assert_eq!(states(&well), [ArrowState::InStep; 5]);
        assert_eq!(parts_away(&well), []);
        assert_eq!(check_ready(&well), Ok(()));
    }

    #[test]
    fn an_evm_node_that_is_silent_for_over_ten_seconds_is_named_and_leaves_the_gateway_ready() {
        let silent = |seconds| {
            sight(|_, pulse| {
                pulse.evm = Some(StreamPulse {
                    answered: Some(s(seconds)),
                    in_step: Some(s(seconds)),
                    ..FRESH
                });
            })
        };
        assert_eq!(parts_away(&silent(10)), []);
        assert_eq!(parts_away(&silent(11)), [SystemPart::EvmNode]);
        assert_eq!(states(&silent(11))[3], ArrowState::Away);
        assert_eq!(list_arrows(&silent(11))[3].age_s, Some(11));
        assert_eq!(check_ready(&silent(11)), Ok(()));
    }

    #[test]
    fn a_dead_indexer_is_named_and_not_the_evm_node_that_it_no_longer_asks() {
        let dead = sight(|_, pulse| {
            let old = StreamPulse {
                written: s(11),
                answered: Some(s(11)),
                in_step: Some(s(11)),
                stands_still: false,
            };
            (pulse.sidechain, pulse.evm) = (Some(old), Some(old));
        });
        assert_eq!(parts_away(&dead), [SystemPart::Indexer]);
        let reason = check_ready(&dead).unwrap_err();
        assert!(reason.contains("indexer"), "{reason}");

        let never = sight(|_, pulse| *pulse = Pulse::default());
        assert_eq!(parts_away(&never), [SystemPart::Indexer]);
    }

    #[test]
    fn without_the_database_nobody_behind_it_is_accused_and_what_it_said_grows_old() {
        let away = sight(|age, _| *age = s(20));
        assert_eq!(parts_away(&away), [SystemPart::Postgresql]);
        assert_eq!(states(&away)[1], ArrowState::Away);
        assert_eq!(list_arrows(&away)[1].age_s, Some(21));
        assert!(check_ready(&away).unwrap_err().contains("PostgreSQL"));

        let never = Sight::default();
        assert_eq!(
            parts_away(&never),
            [SystemPart::Postgresql, SystemPart::Nodes]
        );
        assert!(check_ready(&never).unwrap_err().contains("no node"));
    }

    #[test]
    fn a_mirror_that_lacks_blocks_and_a_chain_that_stands_still_are_late() {
        let lacks = sight(|_, pulse| {
            pulse.sidechain = Some(StreamPulse {
                in_step: Some(s(16)),
                ..FRESH
            });
        });
        assert_eq!(states(&lacks)[1], ArrowState::Late);
        let still = sight(|_, pulse| {
            pulse.evm = Some(StreamPulse {
                stands_still: true,
                ..FRESH
            });
        });
        assert_eq!(states(&still)[3], ArrowState::Late);
        assert_eq!(parts_away(&still), []);
    }

    #[test]
    fn checkpoints_that_wait_make_the_relayer_late_and_then_away() {
        let waits = |seconds| states(&sight(|_, pulse| pulse.unanchored = Some(s(seconds))))[2];
        assert_eq!(
            [waits(120), waits(121), waits(901)],
            [ArrowState::InStep, ArrowState::Late, ArrowState::Away]
        );
    }

    proptest! {
        #[test]
        fn what_is_in_step_never_names_its_part_as_away(
            age in 0_u64..40, written in 0_u64..40, answered in 0_u64..40, in_step in 0_u64..40,
        ) {
            let sight = sight(|database, pulse| {
                *database = s(age);
                let stream = StreamPulse {
                    written: s(written),
                    answered: Some(s(answered)),
                    in_step: Some(s(in_step)),
                    stands_still: false,
                };
                (pulse.sidechain, pulse.evm) = (Some(stream), Some(stream));
            });
            let evm = sight.mirror_arrow(ArrowName::EvmToIndexer).state;
            prop_assert!(evm != ArrowState::InStep || !parts_away(&sight).contains(&SystemPart::EvmNode));
            prop_assert_eq!(check_ready(&sight).is_ok(), parts_away(&sight).iter().all(|part| *part == SystemPart::EvmNode));
        }
    }
}
