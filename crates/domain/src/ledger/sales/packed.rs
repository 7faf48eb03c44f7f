//! The form in which a sale is kept in memory. It never leaves the process: what is signed, hashed or written is borsh.

use crate::sale::{Beneficiary, NotIssued, RefundEntry, RefundId, SaleEntry, Share};
use alloy_primitives::Address;
use imbl::{OrdMap, Vector};
use serde::{Deserialize, Serialize};

/// Accounts that share in sale after sale, owners and the founder: their sales name them by number.
#[derive(Clone, Debug, Default)]
pub struct Parties {
    addresses: Vector<Address>,
    numbers: OrdMap<Address, u32>,
}

/// [`SaleEntry`] with numbers as short as they are.
#[derive(Serialize, Deserialize)]
struct Packed {
    tx_id: [u8; 32],
    height: u64,
    total: u64,
    issued: u64,
    not_issued: Option<NotIssued>,
    shares: Vec<PackedShare>,
    recorded_at_ms: u64,
    /// After it was recorded.
    matures_ms: u64,
    refunds: Vec<PackedRefund>,
}

#[derive(Serialize, Deserialize)]
struct PackedShare {
    to: PackedBeneficiary,
    units: u64,
    reversed: u64,
}

#[derive(Serialize, Deserialize)]
enum PackedBeneficiary {
    Party(u32),
    Account([u8; 20]),
    Receipt([u8; 20]),
    Claimed {
        receipt: [u8; 20],
        wallet: [u8; 20],
        at_ms: u64,
    },
    Pool,
}

#[derive(Serialize, Deserialize)]
struct PackedRefund {
    refund_id: [u8; 16],
    tx_id: [u8; 32],
    height: u64,
    amount: u64,
}

impl Parties {
    /// The bytes of an entry; whoever shares before the last, the buyer, becomes a party.
    #[expect(clippy::expect_used, reason = "writing to a vector cannot fail")]
    pub fn pack(&mut self, entry: &SaleEntry) -> Vec<u8> {
        let others = entry.shares.len().saturating_sub(1);
        let mut shares = Vec::with_capacity(entry.shares.len());
        for (index, share) in entry.shares.iter().enumerate() {
            let to = match share.to {
                Beneficiary::Account(account) if index < others => {
                    PackedBeneficiary::Party(self.number(account))
                }
                Beneficiary::Account(account) => PackedBeneficiary::Account(account.into()),
                Beneficiary::Receipt(receipt) => PackedBeneficiary::Receipt(receipt.into()),
                Beneficiary::Claimed {
                    receipt,
                    wallet,
                    at_ms,
                } => PackedBeneficiary::Claimed {
                    receipt: receipt.into(),
                    wallet: wallet.into(),
                    at_ms,
                },
                Beneficiary::Pool => PackedBeneficiary::Pool,
            };

            let Share {
                units, reversed, ..
            } = *share;
            shares.push(PackedShare {
                to,
                units,
                reversed,
            });
        }

        let packed = Packed {
            tx_id: entry.tx_id.into(),
            height: entry.height,
            total: entry.total,
            issued: entry.issued,
            not_issued: entry.not_issued,
            shares,
            recorded_at_ms: entry.recorded_at_ms,
            matures_ms: entry.matures_at_ms.wrapping_sub(entry.recorded_at_ms),
            refunds: entry.refunds.iter().map(PackedRefund::from).collect(),
        };

        postcard::to_allocvec(&packed).expect("bytes of a sale")
    }

    /// The entry of bytes that came from [`Parties::pack`] of these parties, or of those that they were copied from.
    #[expect(
        clippy::expect_used,
        reason = "the bytes were written by `pack` in this process"
    )]
    pub fn unpack(&self, bytes: &[u8]) -> SaleEntry {
        let packed: Packed = postcard::from_bytes(bytes).expect("bytes of a sale");

        SaleEntry {
            tx_id: packed.tx_id.into(),
            height: packed.height,
            total: packed.total,
            issued: packed.issued,
            not_issued: packed.not_issued,
            shares: packed
                .shares
                .into_iter()
                .map(|share| self.unpack_share(share))
                .collect(),
            recorded_at_ms: packed.recorded_at_ms,
            matures_at_ms: packed.recorded_at_ms.wrapping_add(packed.matures_ms),
            refunds: packed.refunds.into_iter().map(RefundEntry::from).collect(),
        }
    }

    fn unpack_share(&self, packed: PackedShare) -> Share {
        let PackedShare {
            to,
            units,
            reversed,
        } = packed;

        let to = match to {
            PackedBeneficiary::Party(number) => {
                Beneficiary::Account(self.addresses[number as usize])
            }
            PackedBeneficiary::Account(account) => Beneficiary::Account(account.into()),
            PackedBeneficiary::Receipt(receipt) => Beneficiary::Receipt(receipt.into()),
            PackedBeneficiary::Claimed {
                receipt,
                wallet,
                at_ms,
            } => Beneficiary::Claimed {
                receipt: receipt.into(),
                wallet: wallet.into(),
                at_ms,
            },
            PackedBeneficiary::Pool => Beneficiary::Pool,
        };

        Share {
            to,
            units,
            reversed,
        }
    }

    /// There are fewer parties than outlets, whose count fits 32 bits by far.
    fn number(&mut self, party: Address) -> u32 {
        if let Some(number) = self.numbers.get(&party) {
            return *number;
        }
        let number = u32::try_from(self.addresses.len()).unwrap_or(u32::MAX);
        self.addresses.push_back(party);
        self.numbers.insert(party, number);
        number
    }
}

impl From<&RefundEntry> for PackedRefund {
    fn from(refund: &RefundEntry) -> Self {
        let RefundEntry {
            refund_id,
            tx_id,
            height,
            amount,
        } = *refund;
        Self {
            refund_id: refund_id.0,
            tx_id: tx_id.into(),
            height,
            amount,
        }
    }
}

impl From<PackedRefund> for RefundEntry {
    fn from(packed: PackedRefund) -> Self {
        let PackedRefund {
            refund_id,
            tx_id,
            height,
            amount,
        } = packed;
        Self {
            refund_id: RefundId(refund_id),
            tx_id: tx_id.into(),
            height,
            amount,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::B256;
    use proptest::prelude::*;

    fn address() -> impl Strategy<Value = Address> {
        any::<u8>().prop_map(Address::repeat_byte)
    }

    fn beneficiary() -> impl Strategy<Value = Beneficiary> {
        prop_oneof![
            address().prop_map(Beneficiary::Account),
            address().prop_map(Beneficiary::Receipt),
            (address(), address(), any::<u64>()).prop_map(|(receipt, wallet, at_ms)| {
                Beneficiary::Claimed {
                    receipt,
                    wallet,
                    at_ms,
                }
            }),
            Just(Beneficiary::Pool),
        ]
    }

    fn share() -> impl Strategy<Value = Share> {
        (beneficiary(), any::<u64>(), any::<u64>()).prop_map(|(to, units, reversed)| Share {
            to,
            units,
            reversed,
        })
    }

    fn refund() -> impl Strategy<Value = RefundEntry> {
        (
            any::<[u8; 16]>(),
            any::<[u8; 32]>(),
            any::<u64>(),
            any::<u64>(),
        )
            .prop_map(|(id, tx_id, height, amount)| RefundEntry {
                refund_id: RefundId(id),
                tx_id: B256::from(tx_id),
                height,
                amount,
            })
    }

    fn not_issued() -> impl Strategy<Value = Option<NotIssued>> {
        prop_oneof![
            Just(None),
            Just(Some(NotIssued::BelowMinimum)),
            Just(Some(NotIssued::OutletQuota)),
            Just(Some(NotIssued::TerminalQuota)),
            Just(Some(NotIssued::OwnerDebt)),
        ]
    }

    fn entry() -> impl Strategy<Value = SaleEntry> {
        let numbers = (
            any::<[u8; 32]>(),
            any::<u64>(),
            any::<u64>(),
            any::<u64>(),
            any::<u64>(),
            any::<u64>(),
        );
        let lists = (
            proptest::collection::vec(share(), 0..4),
            proptest::collection::vec(refund(), 0..3),
        );
        (numbers, not_issued(), lists).prop_map(|(numbers, not_issued, (shares, refunds))| {
            let (tx_id, height, total, issued, recorded_at_ms, matures_at_ms) = numbers;
            let tx_id = B256::from(tx_id);
            SaleEntry {
                tx_id,
                height,
                total,
                issued,
                not_issued,
                shares,
                recorded_at_ms,
                matures_at_ms,
                refunds,
            }
        })
    }

    proptest! {
        #[test]
        fn every_entry_comes_back_whatever_was_packed_beside_it(entries in proptest::collection::vec(entry(), 1..20)) {
            let mut parties = Parties::default();
            let packed: Vec<Vec<u8>> = entries.iter().map(|entry| parties.pack(entry)).collect();
            let unpacked: Vec<SaleEntry> = packed.iter().map(|bytes| parties.unpack(bytes)).collect();
            prop_assert_eq!(unpacked, entries);
        }
    }
}
