//! Who walks through the doors, and with which key.

use std::fmt;

/// Somebody who signs, or only asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Actor {
    /// Registers outlets and binds contracts.
    Founder,
    /// Approves outlets.
    Registrar,
    /// Owns outlet A.
    Owner,
    /// Owns outlet B, which is franchised.
    Franchisee,
    /// A till of outlet A.
    Till1,
    /// Another one.
    Till2,
    /// The till of outlet B.
    Till3,
    /// A till that is never enrolled.
    Till4,
    /// The video agent of outlet A.
    Agent,
    /// Has a receipt, and is filmed.
    Guest,
    /// Wants what is the guest's.
    Thief,
    /// Nobody knows this key.
    Stranger,
    /// Buys with a wallet.
    Member,
}

/// Where a key lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// In the network's folder, under the actor's name.
    Network,
    /// In the walk's wallet.
    Wallet {
        /// As `hotpot wallet` calls it.
        role: &'static str,
        /// Its number.
        index: u32,
    },
}

impl Actor {
    /// Who has a key in the walk's wallet.
    pub const OF_THE_WALLET: [Self; 11] = [
        Self::Owner,
        Self::Franchisee,
        Self::Till1,
        Self::Till2,
        Self::Till3,
        Self::Till4,
        Self::Agent,
        Self::Guest,
        Self::Thief,
        Self::Stranger,
        Self::Member,
    ];

    /// Which key is the actor's.
    pub const fn key(self) -> Key {
        let (role, index) = match self {
            Self::Founder | Self::Registrar => return Key::Network,
            Self::Owner => ("owner", 0),
            Self::Franchisee => ("owner", 1),
            Self::Till1 => ("terminal", 0),
            Self::Till2 => ("terminal", 1),
            Self::Till3 => ("terminal", 2),
            Self::Till4 => ("terminal", 3),
            Self::Agent => ("terminal", 4),
            Self::Guest => ("holder", 0),
            Self::Thief => ("holder", 1),
            Self::Stranger => ("holder", 2),
            Self::Member => ("holder", 3),
        };
        Key::Wallet { role, index }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Founder => "founder",
            Self::Registrar => "registrar",
            Self::Owner => "owner",
            Self::Franchisee => "franchisee",
            Self::Till1 => "till-1",
            Self::Till2 => "till-2",
            Self::Till3 => "till-3",
            Self::Till4 => "till-4",
            Self::Agent => "agent",
            Self::Guest => "guest",
            Self::Thief => "thief",
            Self::Stranger => "stranger",
            Self::Member => "member",
        })
    }
}
