//! What is offered for gas, in wei.

/// The two fields of an EIP-1559 transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fees {
    pub(crate) max_fee: u128,
    pub(crate) max_priority_fee: u128,
}

/// The most gas a transaction may ask for (EIP-7825 refuses a limit above 16,777,216).
const GAS_LIMIT_MAX: u64 = 16_000_000;

/// An eighth more, rounded up: nodes ask for a tenth.
fn raise_by_eighth(fee: u128) -> u128 {
    fee.saturating_add(fee.div_ceil(8))
}

/// The first offer: the estimate, held down to the cap. `None` when not even the base fee fits under it.
pub(crate) fn first(estimate: Fees, base_fee: u128, cap: u128) -> Option<Fees> {
    let max_fee = estimate.max_fee.min(cap);
    (max_fee > base_fee).then(|| Fees {
        max_fee,
        max_priority_fee: estimate.max_priority_fee.min(max_fee),
    })
}

/// The most that a replacement offers: twice what the chain asks for now, and never more than the cap. An endpoint that
/// refuses every offer would drive it up to the cap otherwise.
pub(crate) fn ceiling(estimate: Fees, cap: u128) -> u128 {
    estimate.max_fee.saturating_mul(2).min(cap)
}

/// The estimate with a tip that the endpoint takes.
pub(crate) fn with_tip_of(estimate: Fees, tip_min: u128, base_fee: u128) -> Fees {
    let max_priority_fee = estimate.max_priority_fee.max(tip_min);
    let room_for_tip = base_fee.saturating_mul(2).saturating_add(max_priority_fee);
    Fees {
        max_fee: estimate.max_fee.max(room_for_tip),
        max_priority_fee,
    }
}

/// The offer that replaces `old`: an eighth more in both fields, or the estimate when that is higher. `None` when
/// the replacement would exceed the cap.
pub(crate) fn bump(old: Fees, estimate: Fees, cap: u128) -> Option<Fees> {
    let needed = raise_by_eighth(old.max_fee).max(1);
    let max_fee = needed.max(estimate.max_fee.min(cap));
    let max_priority_fee = raise_by_eighth(old.max_priority_fee)
        .max(1)
        .max(estimate.max_priority_fee.min(max_fee));
    (max_fee <= cap && max_priority_fee <= max_fee).then_some(Fees {
        max_fee,
        max_priority_fee,
    })
}

/// A fifth above the estimate, below the protocol's cap.
pub(crate) fn gas_limit(estimate: u64) -> u64 {
    estimate
        .saturating_add(estimate.div_ceil(5))
        .min(GAS_LIMIT_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fees(max_fee: u128, max_priority_fee: u128) -> Fees {
        Fees {
            max_fee,
            max_priority_fee,
        }
    }

    #[test]
    fn a_bump_raises_both_fields_by_an_eighth_rounded_up() {
        assert_eq!(bump(fees(100, 1), fees(0, 0), 1_000), Some(fees(113, 2)));
        assert_eq!(bump(fees(800, 80), fees(0, 0), 1_000), Some(fees(900, 90)));
    }

    #[test]
    fn a_bump_follows_a_higher_estimate() {
        assert_eq!(
            bump(fees(100, 10), fees(500, 50), 1_000),
            Some(fees(500, 50))
        );
    }

    #[test]
    fn a_bump_never_exceeds_the_cap() {
        assert_eq!(
            bump(fees(100, 10), fees(5_000, 50), 1_000),
            Some(fees(1_000, 50))
        );
        assert_eq!(bump(fees(900, 10), fees(0, 0), 1_000), None);
    }

    #[test]
    fn an_endpoint_that_always_wants_more_gets_no_more_than_twice_the_estimate() {
        let estimate = fees(100, 5);
        let mut offer = fees(100, 5);
        let mut offers = 0;
        while let Some(next) = bump(offer, estimate, ceiling(estimate, 1_000)) {
            offer = next;
            offers += 1;
        }
        assert!(offers < 8 && offer.max_fee <= 200, "{offers} {offer:?}");
    }

    #[test]
    fn a_tip_that_an_endpoint_asks_for_is_offered_with_room_for_the_base_fee() {
        let asked = with_tip_of(fees(60, 1), 25, 30);
        assert_eq!(asked, fees(85, 25));
        assert_eq!(
            bump(fees(60, 1), asked, ceiling(asked, 200)),
            Some(fees(85, 25))
        );
    }

    #[test]
    fn the_first_offer_is_held_down_to_the_cap_and_waits_above_it() {
        assert_eq!(first(fees(300, 5), 100, 200), Some(fees(200, 5)));
        assert_eq!(first(fees(300, 5), 200, 200), None);
    }

    #[test]
    fn the_gas_limit_stays_below_the_protocols() {
        assert_eq!(gas_limit(100), 120);
        assert_eq!(gas_limit(15_000_000), 16_000_000);
    }
}
