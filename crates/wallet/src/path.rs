//! Which key of a mnemonic is whose (docs/WALLET.md).

use coins_bip32::path::DerivationPath;
use std::fmt;
use std::str::FromStr;

/// More steps than any scheme has; the depth is one byte in BIP-32.
const STEPS_MAX: usize = 10;

/// A BIP-32 path such as `m/44'/60'/0'/0/0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HdPath(pub(crate) DerivationPath);

/// What was read is no path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a path such as m/44'/60'/0'/0/0 of at most {STEPS_MAX} steps below 2147483648, found {found:?}"
)]
pub struct PathError {
    found: String,
}

impl FromStr for HdPath {
    type Err = PathError;
    fn from_str(text: &str) -> Result<Self, PathError> {
        let error = || PathError {
            found: text.to_owned(),
        };
        let path = DerivationPath::from_str(text).map_err(|_| error())?;
        if path.len() > STEPS_MAX || !text.starts_with('m') {
            return Err(error());
        }
        Ok(Self(path))
    }
}

impl fmt::Display for HdPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.derivation_string())
    }
}

/// Whose key: the account of a BIP-44 path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Holds FRT. The account that every Ethereum wallet shows first.
    #[default]
    Holder = 0,
    /// Registers outlets and binds contracts.
    Founder = 101,
    /// May pause issuing on the EVM.
    Guardian = 102,
    /// Approves outlets after KYC.
    Registrar = 103,
    /// Gets an outlet's share and enrols its terminals.
    Owner = 104,
    /// Signs an outlet's sales.
    Terminal = 105,
    /// Signs votes and checkpoints.
    Validator = 106,
}

impl Role {
    /// All roles, as they are written.
    pub const ALL: [(&'static str, Self); 7] = [
        ("holder", Self::Holder),
        ("founder", Self::Founder),
        ("guardian", Self::Guardian),
        ("registrar", Self::Registrar),
        ("owner", Self::Owner),
        ("terminal", Self::Terminal),
        ("validator", Self::Validator),
    ];

    /// `m/44'/60'/ROLE'/0`, the node whose children are the role's keys.
    pub fn branch(self) -> HdPath {
        let hardened = |index| index | coins_bip32::BIP32_HARDEN;
        HdPath(vec![hardened(44), hardened(60), hardened(self as u32), 0].into())
    }

    /// `m/44'/60'/ROLE'/0/index`, one of the role's keys; the top bit of `index` is dropped.
    pub fn path(self, index: u32) -> HdPath {
        HdPath(self.branch().0.extended(index & !coins_bip32::BIP32_HARDEN))
    }
}

/// What was read is no role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected holder, founder, guardian, registrar, owner, terminal or validator, found {found:?}"
)]
pub struct UnknownRole {
    found: String,
}

impl FromStr for Role {
    type Err = UnknownRole;
    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        let known = Self::ALL.iter().find(|(name, _)| *name == text);
        known.map(|(_, role)| *role).ok_or_else(|| UnknownRole {
            found: text.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_has_an_account_of_its_own_and_metamask_shows_the_holders() {
        assert_eq!(Role::Holder.path(3).to_string(), "m/44'/60'/0'/0/3");
        assert_eq!(Role::Terminal.path(0).to_string(), "m/44'/60'/105'/0/0");
        let mut accounts: Vec<u32> = Role::ALL.iter().map(|(_, role)| *role as u32).collect();
        accounts.dedup();
        assert_eq!(accounts.len(), Role::ALL.len());
        for (name, role) in Role::ALL {
            assert_eq!(name.parse(), Ok(role));
        }
        assert!(
            "cook"
                .parse::<Role>()
                .unwrap_err()
                .to_string()
                .contains("\"cook\"")
        );
    }

    #[test]
    fn paths_are_read_with_either_sign_of_hardening_and_refused_when_wrong() {
        assert_eq!(
            "m/44h/60'/1'/0/7".parse::<HdPath>().unwrap().to_string(),
            "m/44'/60'/1'/0/7"
        );
        assert_eq!("m".parse::<HdPath>().unwrap().to_string(), "m");
        let deep = format!("m{}", "/0".repeat(STEPS_MAX + 1));
        for wrong in [
            "",
            "44'/60'",
            "m/",
            "m//0",
            "m/x",
            "m/-1",
            "m/2147483648",
            "m/1''",
            "m/0/",
            deep.as_str(),
        ] {
            assert!(wrong.parse::<HdPath>().is_err(), "{wrong:?}");
        }
    }
}
