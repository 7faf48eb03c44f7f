//! Who may look at an outlet's cameras: whoever brings a signature of its owner, or of an active video agent of it.

use api_types::OutletAnswer;
use domain::eip712::DomainSeparator;
use domain::{Address, Signature, TerminalKind};

/// The cookie of the pages, which a video element brings along too.
const COOKIE: &str = "hotpot_watch";
/// A signature opens the cameras for no longer, milliseconds: a laptop that is lost looks on for an hour at most.
const OPEN_MS_MAX: u64 = 3_600_000;

/// A signature over `WatchCameras(outlet, until)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pass {
    until_ms: u64,
    signature: Signature,
}

impl Pass {
    /// Reads `hotpot_watch=UNTIL.0xSIGNATURE` out of a header `Cookie`.
    pub fn parse(cookies: &str) -> Option<Self> {
        let value = cookies
            .split(';')
            .find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))?;
        let (until, signature) = value.split_once('.')?;
        let bytes = alloy_primitives::hex::decode(signature).ok()?;
        Some(Self {
            until_ms: until.parse().ok()?,
            signature: Signature(bytes.try_into().ok()?),
        })
    }

    /// Who signed, while the signature is good.
    pub fn signer(&self, domain: &DomainSeparator, outlet: u64, now_ms: u64) -> Option<Address> {
        let is_good = self.until_ms > now_ms && self.until_ms - now_ms <= OPEN_MS_MAX;
        let digest = domain.watch_cameras_digest(outlet, self.until_ms);
        is_good
            .then(|| self.signature.recover(digest).ok())
            .flatten()
    }
}

/// Whether somebody may look at an outlet's cameras.
pub fn may_watch(outlet: &OutletAnswer, who: Address) -> bool {
    let mut agents = outlet
        .terminals
        .iter()
        .filter(|one| one.active && one.kind == TerminalKind::VideoAgent);
    outlet.owner == who || agents.any(|agent| agent.address == who)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::B256;
    use proptest::prelude::*;
    use serde_json::json;

    const NOW: u64 = 1_700_000_000_000;

    fn domain() -> DomainSeparator {
        DomainSeparator::transactions(31_337, B256::repeat_byte(0xb3))
    }

    #[test]
    fn a_pass_is_read_among_other_cookies() {
        let signature = format!("0x{}", "ab".repeat(65));
        let pass = Pass {
            until_ms: 7,
            signature: Signature([0xab; 65]),
        };
        assert_eq!(
            Pass::parse(&format!("a=b; hotpot_watch=7.{signature}; c=d")),
            Some(pass)
        );
        for bad in [
            "",
            "hotpot_watch=",
            "hotpot_watch=7",
            "hotpot_watch=x.0xab",
            "hotpot_watch=7.0xab",
            "xhotpot_watch=7",
        ] {
            assert_eq!(Pass::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_pass_of_a_stranger_is_the_strangers_and_one_that_is_over_or_too_long_is_nobodys() {
        let pass = |until_ms| Pass {
            until_ms,
            signature: Signature([27; 65]),
        };
        assert_eq!(pass(NOW).signer(&domain(), 1, NOW), None);
        assert_eq!(pass(NOW + OPEN_MS_MAX + 1).signer(&domain(), 1, NOW), None);
        assert_eq!(pass(u64::MAX).signer(&domain(), 1, NOW), None);
    }

    /// As `web_interfaces/test/typed.test.ts` has it too.
    #[test]
    fn what_the_page_signs_names_its_signer_for_this_outlet_alone() {
        let signature = "0xc8b9c25f022cbacd539265ae55a058a210e5c4889132a78065cc383ee83da02f184cbbb9ecf3787c443a906506981b8b1519c4d0f331be424dbc9486760f07c21b";
        let pass = Pass::parse(&format!("hotpot_watch=1700000600000.{signature}")).unwrap();
        let signer: Address = "0x19e7e376e7c213b7e7e7e46cc70a5dd086daff2a"
            .parse()
            .unwrap();
        assert_eq!(pass.signer(&domain(), 1, NOW), Some(signer));
        assert_ne!(pass.signer(&domain(), 2, NOW), Some(signer));
    }

    #[test]
    fn the_owner_and_active_agents_watch() {
        let address = |byte| Address::repeat_byte(byte);
        let terminal =
            |byte, kind, active| json!({"address": address(byte), "kind": kind, "active": active});
        let terminals = [
            terminal(2, "video_agent", true),
            terminal(3, "video_agent", false),
            terminal(4, "physical", true),
        ];
        let outlet = json!({"outlet": 1, "owner": address(1), "kind": "franchised", "city": "Tbilisi", "currency": "GEL", "terminals": terminals});
        let outlet: OutletAnswer = serde_json::from_value(outlet).unwrap();
        let watch = |byte| may_watch(&outlet, address(byte));
        assert_eq!(
            [1, 2, 3, 4, 5].map(watch),
            [true, true, false, false, false]
        );
    }

    proptest! {
        #[test]
        fn no_cookie_panics(text in "\\PC{0,200}", tail in "\\PC{0,150}") {
            Pass::parse(&text);
            if let Some(pass) = Pass::parse(&format!("hotpot_watch={tail}")) {
                pass.signer(&domain(), 1, NOW);
            }
        }
    }
}
