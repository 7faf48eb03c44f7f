//! One function per transaction: check everything, then change. A rejected transaction changes nothing.

use super::Event;
use super::changes::Overlay;
use super::state::AnchorBinding;
use super::{election, staking, video};
use crate::limits::{
    ANCHOR_AHEAD_EPOCHS_MAX, CITY_BYTES_MAX, REFUNDS_PER_SALE_MAX, SALE_AHEAD_MS_MAX,
    SALE_LATE_MS_MAX, SALE_TOTAL_MAX, UNITS_PER_SALE,
};
use crate::outlet::{Outlet, OutletId, Quota, Terminal};
use crate::rejection::Rejection;
use crate::sale::{
    Beneficiary, BuyerKind, NotIssued, RefundEntry, Sale, SaleEntry, SaleKey, Share,
};
use crate::transaction::{
    ClaimReceipt, FullSettlement, Payload, Refund, RegisterOutlet, RegisterTerminal, RequestPayout,
    RevokeTerminal, SetAnchor, VerifiedTransaction,
};
use alloy_primitives::{Address, B256};

pub(super) type Outcome = Result<Vec<Event>, Rejection>;

/// Executes one verified transaction.
pub(super) fn apply(state: &mut Overlay<'_>, transaction: &VerifiedTransaction) -> Outcome {
    let signer = transaction.signer;

    match &transaction.transaction.payload {
        Payload::Sale(t) => record_sale(state, t, transaction.id, signer),
        Payload::RegisterOutlet(t) => register_outlet(state, t, signer),
        Payload::RegisterTerminal(t) => register_terminal(state, t, signer),
        Payload::RevokeTerminal(t) => revoke_terminal(state, t, signer),
        Payload::ClaimReceipt(t) => claim_receipt(state, t, signer),
        Payload::Refund(t) => record_refund(state, t, transaction.id, signer),
        Payload::RequestPayout(t) => request_payout(state, t, signer),
        Payload::FullSettlement(t) => full_settlement(state, t, signer),
        Payload::SetAnchor(t) => set_anchor(state, t, signer),
        Payload::SetBonding(t) => staking::set_bonding(state, t, signer),
        Payload::Unbond(t) => staking::unbond(state, t, signer),
        Payload::RegisterValidator(t) => staking::register_validator(state, t, signer),
        Payload::Heartbeat(t) => staking::heartbeat(state, t, signer),
        Payload::Unjail(t) => staking::unjail(state, t, signer),
        Payload::Evidence(t) => staking::evidence(state, t, signer),
        Payload::SetParameters(t) => staking::set_parameters(state, t, signer),
        Payload::CancelChange(t) => staking::cancel_change(state, t, signer),
        Payload::RecordConsent(t) => video::record_consent(state, t, transaction.id, signer),
        Payload::RecordLegalBasis(t) => video::record_legal_basis(state, t, transaction.id, signer),
        Payload::RevokeConsent(t) => video::revoke_consent(state, t, signer),
        Payload::PinRecording(t) => video::pin_recording(state, t, transaction.id, signer),
        Payload::EraseRecording(t) => video::erase_recording(state, t, signer),
    }
}

pub(super) fn require_signer(
    role: &'static str,
    expected: Address,
    found: Address,
) -> Result<(), Rejection> {
    if expected == found {
        Ok(())
    } else {
        Err(Rejection::WrongSigner {
            role,
            expected,
            found,
        })
    }
}

pub(super) fn check_nonce(
    state: &Overlay<'_>,
    signer: Address,
    nonce: u64,
) -> Result<(), Rejection> {
    let last = state.account(signer).nonce;
    if nonce > last {
        Ok(())
    } else {
        Err(Rejection::StaleNonce { last, found: nonce })
    }
}

/// Zero and the token cannot be minted to, so nothing may accrue to them.
fn is_payable(state: &Overlay<'_>, address: Address) -> bool {
    let core = state.core();
    let contract = |binding: Option<AnchorBinding>| {
        binding.is_some_and(|binding| address == binding.token || address == binding.anchor)
    };
    !address.is_zero() && !contract(core.anchor) && !contract(core.proposed_anchor)
}

fn register_outlet(state: &mut Overlay<'_>, t: &RegisterOutlet, signer: Address) -> Outcome {
    let founder = state.ledger().genesis().founder;
    require_signer("the founder", founder, signer)?;
    if state.outlet(t.outlet).is_some() {
        return Err(Rejection::OutletExists { found: t.outlet });
    }
    check_outlet_fields(state, t)?;
    check_approval(state, t)?;
    check_nonce(state, signer, t.nonce)?;

    let outlet = Outlet {
        owner: t.owner,
        kind: t.kind,
        city: t.city.clone(),
        currency: t.currency,
        shares: t.kind.shares(),
        quota: Quota::new(t.quota_per_day, state.time_ms()),
        terminal_quota_per_day: t.terminal_quota_per_day,
    };

    state.put_outlet(t.outlet, outlet);
    state.use_approval(t.approval_ref);
    state.account_mut(signer).nonce = t.nonce;

    Ok(vec![Event::OutletRegistered {
        outlet: t.outlet,
        owner: t.owner,
        kind: t.kind,
    }])
}

fn check_outlet_fields(state: &Overlay<'_>, t: &RegisterOutlet) -> Result<(), Rejection> {
    if t.city.is_empty() || t.city.len() > CITY_BYTES_MAX {
        return Err(Rejection::BadCity {
            found: t.city.len(),
        });
    }
    if !t.currency.is_well_formed() {
        return Err(Rejection::BadCurrency);
    }
    if !is_payable(state, t.owner) {
        return Err(Rejection::BadOwner);
    }
    Ok(())
}

fn check_approval(state: &Overlay<'_>, t: &RegisterOutlet) -> Result<(), Rejection> {
    let ledger = state.ledger();
    let digest = ledger.domain().approval_digest(
        t.outlet,
        t.owner,
        t.approval_ref,
        t.approval_expires_at_ms,
    );
    let found = t
        .approval_signature
        .recover(digest)
        .map_err(|found| Rejection::BadApprovalSignature { found })?;
    let expected = ledger.genesis().registrar;
    if found != expected {
        return Err(Rejection::WrongRegistrar { expected, found });
    }

    let now_ms = state.time_ms();
    if now_ms > t.approval_expires_at_ms {
        return Err(Rejection::ApprovalExpired {
            expired_at_ms: t.approval_expires_at_ms,
            now_ms,
        });
    }

    if state.approval_used(t.approval_ref) {
        return Err(Rejection::ApprovalUsed {
            found: t.approval_ref,
        });
    }

    Ok(())
}

pub(super) fn outlet_of_owner(
    state: &Overlay<'_>,
    id: OutletId,
    signer: Address,
) -> Result<Outlet, Rejection> {
    let outlet = state
        .outlet(id)
        .ok_or(Rejection::UnknownOutlet { found: id })?;
    require_signer("the outlet's owner", outlet.owner, signer)?;
    Ok(outlet.clone())
}

fn register_terminal(state: &mut Overlay<'_>, t: &RegisterTerminal, signer: Address) -> Outcome {
    let outlet = outlet_of_owner(state, t.outlet, signer)?;
    if state.terminal(t.terminal).is_some() {
        return Err(Rejection::TerminalExists { found: t.terminal });
    }
    check_nonce(state, signer, t.nonce)?;

    let quota = Quota::new(outlet.terminal_quota_per_day, state.time_ms());
    state.put_terminal(
        t.terminal,
        Terminal {
            outlet: t.outlet,
            kind: t.kind,
            active: true,
            quota,
        },
    );
    state.account_mut(signer).nonce = t.nonce;

    Ok(vec![Event::TerminalRegistered {
        outlet: t.outlet,
        terminal: t.terminal,
        kind: t.kind,
    }])
}

fn revoke_terminal(state: &mut Overlay<'_>, t: &RevokeTerminal, signer: Address) -> Outcome {
    outlet_of_owner(state, t.outlet, signer)?;
    let terminal = terminal_of_outlet(state, t.terminal, t.outlet)?;
    check_nonce(state, signer, t.nonce)?;

    state.put_terminal(
        t.terminal,
        Terminal {
            active: false,
            ..terminal
        },
    );
    state.account_mut(signer).nonce = t.nonce;

    Ok(vec![Event::TerminalRevoked {
        outlet: t.outlet,
        terminal: t.terminal,
    }])
}

pub(super) fn terminal_of_outlet(
    state: &Overlay<'_>,
    address: Address,
    outlet: OutletId,
) -> Result<Terminal, Rejection> {
    let terminal = state
        .terminal(address)
        .ok_or(Rejection::UnknownTerminal { found: address })?;

    if !terminal.active {
        return Err(Rejection::RevokedTerminal { found: address });
    }
    if terminal.outlet != outlet {
        return Err(Rejection::WrongOutlet {
            terminal: address,
            expected: terminal.outlet,
            found: outlet,
        });
    }

    Ok(terminal.clone())
}

/// A terminal that sells: a video agent neither sells, refunds nor witnesses.
pub(super) fn till_of_outlet(
    state: &Overlay<'_>,
    address: Address,
    outlet: OutletId,
) -> Result<Terminal, Rejection> {
    let terminal = terminal_of_outlet(state, address, outlet)?;
    if !terminal.kind.sells() {
        let (expected, found) = ("physical or gateway", terminal.kind);
        return Err(Rejection::WrongTerminalKind {
            terminal: address,
            expected,
            found,
        });
    }

    Ok(terminal)
}

/// Order matters: identity first (the same again is the same answer for ever, however late), then rights, then content.
fn record_sale(state: &mut Overlay<'_>, t: &Sale, tx_id: B256, signer: Address) -> Outcome {
    if signer != t.terminal {
        return Err(Rejection::WrongTerminalSignature {
            expected: t.terminal,
            found: signer,
        });
    }

    check_not_recorded(state, t.key(), tx_id)?;
    let terminal = till_of_outlet(state, t.terminal, t.outlet)?;
    let outlet = state
        .outlet(t.outlet)
        .cloned()
        .ok_or(Rejection::UnknownOutlet { found: t.outlet })?;
    check_sale_fields(state, t, &outlet)?;

    let not_issued = why_not_issued(state, t, &outlet, &terminal);
    let shares = if not_issued.is_none() {
        split_units(state, t, &outlet)
    } else {
        Vec::new()
    };
    if not_issued.is_none() {
        take_quota(state, t, outlet, terminal);
    }

    Ok(vec![put_sale(state, t, tx_id, not_issued, shares)])
}

fn check_not_recorded(state: &Overlay<'_>, key: SaleKey, found: B256) -> Result<(), Rejection> {
    match state.sale(key) {
        None => Ok(()),
        Some(entry) if entry.tx_id == found => Err(Rejection::AlreadyIncluded {
            height: entry.height,
        }),
        Some(entry) => Err(Rejection::SaleConflict {
            key,
            expected: entry.tx_id,
            found,
        }),
    }
}

fn check_sale_fields(state: &Overlay<'_>, t: &Sale, outlet: &Outlet) -> Result<(), Rejection> {
    if t.currency != outlet.currency {
        return Err(Rejection::WrongCurrency {
            outlet: t.outlet,
            expected: outlet.currency,
            found: t.currency,
        });
    }
    if t.total > SALE_TOTAL_MAX {
        return Err(Rejection::TotalOutOfBounds {
            max: SALE_TOTAL_MAX,
            found: t.total,
        });
    }

    check_sale_time(state.time_ms(), t.occurred_at_ms)?;
    check_buyer(state, t)
}

fn check_sale_time(now_ms: u64, occurred_at_ms: u64) -> Result<(), Rejection> {
    let late_ms = now_ms.saturating_sub(occurred_at_ms);
    if late_ms > SALE_LATE_MS_MAX {
        return Err(Rejection::TooLate {
            late_ms,
            max_ms: SALE_LATE_MS_MAX,
        });
    }

    let ahead_ms = occurred_at_ms.saturating_sub(now_ms);
    if ahead_ms > SALE_AHEAD_MS_MAX {
        return Err(Rejection::TooFarAhead {
            ahead_ms,
            max_ms: SALE_AHEAD_MS_MAX,
        });
    }

    Ok(())
}

fn check_buyer(state: &Overlay<'_>, t: &Sale) -> Result<(), Rejection> {
    match t.buyer_kind {
        BuyerKind::None if !t.buyer.is_zero() => Err(Rejection::BadBuyer {
            expected: "zero for buyer_kind none",
            found: t.buyer,
        }),
        BuyerKind::Wallet | BuyerKind::Receipt if !is_payable(state, t.buyer) => {
            Err(Rejection::BadBuyer {
                expected: "an address that the token can pay",
                found: t.buyer,
            })
        }
        _ => Ok(()),
    }
}

fn why_not_issued(
    state: &Overlay<'_>,
    t: &Sale,
    outlet: &Outlet,
    terminal: &Terminal,
) -> Option<NotIssued> {
    let now_ms = state.time_ms();

    if t.total < state.core().parameters.sale_total_min {
        return Some(NotIssued::BelowMinimum);
    }
    if !outlet.quota.at(now_ms).allows() {
        return Some(NotIssued::OutletQuota);
    }
    if !terminal.quota.at(now_ms).allows() {
        return Some(NotIssued::TerminalQuota);
    }
    if state.account(outlet.owner).debt > state.core().parameters.owner_debt_max {
        return Some(NotIssued::OwnerDebt);
    }

    None
}

fn take_quota(state: &mut Overlay<'_>, t: &Sale, outlet: Outlet, terminal: Terminal) {
    let now_ms = state.time_ms();
    let outlet = Outlet {
        quota: outlet.quota.at(now_ms).take(),
        ..outlet
    };
    let terminal = Terminal {
        quota: terminal.quota.at(now_ms).take(),
        ..terminal
    };
    state.put_outlet(t.outlet, outlet);
    state.put_terminal(t.terminal, terminal);
}

fn split_units(state: &Overlay<'_>, t: &Sale, outlet: &Outlet) -> Vec<Share> {
    let buyer = match t.buyer_kind {
        BuyerKind::None => Beneficiary::Pool,
        BuyerKind::Wallet => Beneficiary::Account(t.buyer),
        BuyerKind::Receipt => Beneficiary::Receipt(t.buyer),
    };
    let founder = state.ledger().genesis().founder;
    let table = outlet.shares;

    [
        (Beneficiary::Account(outlet.owner), table.owner),
        (Beneficiary::Account(founder), table.royalty),
        (buyer, table.buyer),
    ]
    .into_iter()
    .filter(|(_, units)| *units > 0)
    .map(|(to, units)| Share {
        to,
        units,
        reversed: 0,
    })
    .collect()
}

fn put_sale(
    state: &mut Overlay<'_>,
    t: &Sale,
    tx_id: B256,
    not_issued: Option<NotIssued>,
    shares: Vec<Share>,
) -> Event {
    let key = t.key();
    let issued = if not_issued.is_none() {
        UNITS_PER_SALE
    } else {
        0
    };
    let recorded_at_ms = state.time_ms();
    let matures_at_ms = recorded_at_ms.saturating_add(state.ledger().genesis().maturity_ms);

    let supply = &mut state.core_mut().supply;
    supply.issued += issued;
    supply.sales += 1;
    if issued > 0 {
        election::count_sale(state, key.outlet, recorded_at_ms);
    }

    let height = state.core().height;
    let event = Event::SaleRecorded {
        key,
        tx_id,
        issued,
        not_issued,
        shares: shares.clone(),
    };

    let (total, refunds) = (t.total, Vec::new());
    let entry = SaleEntry {
        tx_id,
        height,
        total,
        issued,
        not_issued,
        shares,
        recorded_at_ms,
        matures_at_ms,
        refunds,
    };

    for share in &entry.shares {
        accrue_share(state, &entry, share);
    }
    state.put_sale(key, entry);

    event
}

fn accrue_share(state: &mut Overlay<'_>, entry: &SaleEntry, share: &Share) {
    let units = share.outstanding();

    match share.to {
        Beneficiary::Account(address)
        | Beneficiary::Claimed {
            wallet: address, ..
        } => {
            state.account_mut(address).pending += units;
            state.core_mut().supply.pending += units;
            state.accrue(
                entry.releasable_at_ms(share).unwrap_or(entry.matures_at_ms),
                address,
                units,
            );
        }
        Beneficiary::Receipt(_) => {
            state.core_mut().supply.receipts += units;
            state.add_receipt(entry.recorded_at_ms, units);
        }
        Beneficiary::Pool => state.core_mut().supply.pool += units,
    }
}

fn claim_receipt(state: &mut Overlay<'_>, t: &ClaimReceipt, signer: Address) -> Outcome {
    let key = SaleKey {
        outlet: t.outlet,
        sale_id: t.sale_id,
    };
    let mut entry = state.sale(key).ok_or(Rejection::UnknownSale { key })?;
    let (place, receipt) = unclaimed_receipt(state, &entry, key, t.wallet)?;
    require_signer("the key of the receipt", receipt, signer)?;
    if !is_payable(state, t.wallet) {
        return Err(Rejection::BadWallet { found: t.wallet });
    }

    let to = Beneficiary::Claimed {
        receipt,
        wallet: t.wallet,
        at_ms: state.time_ms(),
    };
    let claimed = Share {
        to,
        ..entry.shares[place]
    };
    let units = claimed.outstanding();

    state.core_mut().supply.receipts -= units;
    state.take_receipt(entry.recorded_at_ms, units);
    accrue_share(state, &entry, &claimed);
    entry.shares[place] = claimed;
    state.put_sale(key, entry);

    Ok(vec![Event::ReceiptClaimed {
        key,
        wallet: t.wallet,
        units,
    }])
}

/// Order as for a sale: identity first, then rights, then content.
fn record_refund(state: &mut Overlay<'_>, t: &Refund, tx_id: B256, signer: Address) -> Outcome {
    let key = SaleKey {
        outlet: t.outlet,
        sale_id: t.sale_id,
    };
    let mut entry = state.sale(key).ok_or(Rejection::UnknownSale { key })?;
    check_not_refunded(&entry, t, tx_id)?;

    let owner = state
        .outlet(t.outlet)
        .ok_or(Rejection::UnknownOutlet { found: t.outlet })?
        .owner;
    if signer != owner {
        till_of_outlet(state, signer, t.outlet)?;
    }
    check_refund_fits(&entry, t)?;

    let reversed = entry.reversal_of(t.amount);
    let debt = reverse_shares(state, &mut entry, &reversed);
    state.account_mut(owner).debt += debt;
    let supply = &mut state.core_mut().supply;
    supply.debt += debt;
    supply.reversed += reversed.iter().sum::<u64>();

    let height = state.core().height;
    if entry.issued > 0 && entry.refunds.is_empty() {
        election::discount_sale(state, t.outlet, entry.recorded_at_ms);
    }
    entry.refunds.push(RefundEntry {
        refund_id: t.refund_id,
        tx_id,
        height,
        amount: t.amount,
    });
    state.put_sale(key, entry);

    Ok(vec![Event::Refunded {
        key,
        refund_id: t.refund_id,
        tx_id,
        amount: t.amount,
        reversed,
        owner,
        debt,
    }])
}

fn check_not_refunded(entry: &SaleEntry, t: &Refund, found: B256) -> Result<(), Rejection> {
    match entry
        .refunds
        .iter()
        .find(|refund| refund.refund_id == t.refund_id)
    {
        None => Ok(()),
        Some(refund) if refund.tx_id == found => Err(Rejection::AlreadyIncluded {
            height: refund.height,
        }),
        Some(refund) => Err(Rejection::RefundConflict {
            refund_id: t.refund_id,
            expected: refund.tx_id,
            found,
        }),
    }
}

fn check_refund_fits(entry: &SaleEntry, t: &Refund) -> Result<(), Rejection> {
    let max = entry.total - entry.refunded();
    if t.amount == 0 || t.amount > max {
        return Err(Rejection::RefundOutOfBounds {
            max,
            found: t.amount,
        });
    }
    if entry.refunds.len() >= REFUNDS_PER_SALE_MAX {
        return Err(Rejection::TooManyRefunds {
            max: REFUNDS_PER_SALE_MAX,
        });
    }

    Ok(())
}

/// Takes units back from each share where they still are; returns those that are gone, because they were released.
fn reverse_shares(state: &mut Overlay<'_>, entry: &mut SaleEntry, reversed: &[u64]) -> u64 {
    let mut debt = 0;
    for (place, units) in reversed.iter().copied().enumerate() {
        debt += take_back(state, entry, entry.shares[place], units);
        entry.shares[place].reversed += units;
    }
    debt
}

fn take_back(state: &mut Overlay<'_>, entry: &SaleEntry, share: Share, units: u64) -> u64 {
    match state.core().holder(entry, &share) {
        Beneficiary::Account(_) | Beneficiary::Claimed { .. }
            if state.core().is_released(entry, &share) =>
        {
            units
        }
        Beneficiary::Account(account)
        | Beneficiary::Claimed {
            wallet: account, ..
        } => {
            state.account_mut(account).pending -= units;
            state.core_mut().supply.pending -= units;
            state.take_accrued(
                entry
                    .releasable_at_ms(&share)
                    .unwrap_or(entry.matures_at_ms),
                account,
                units,
            );
            0
        }
        Beneficiary::Pool if state.core().was_shared_out(entry, &share) => units,
        Beneficiary::Pool => {
            state.core_mut().supply.pool -= units;
            0
        }
        Beneficiary::Receipt(_) => {
            state.core_mut().supply.receipts -= units;
            state.take_receipt(entry.recorded_at_ms, units);
            0
        }
    }
}

/// The place of a sale's receipt among its shares, and the receipt's address. `found` is the wallet that claims: to
/// whoever claimed before it is said that the receipt is claimed already, to another wallet that it is somebody else's.
fn unclaimed_receipt(
    state: &Overlay<'_>,
    entry: &SaleEntry,
    key: SaleKey,
    found: Address,
) -> Result<(usize, Address), Rejection> {
    for (place, share) in entry.shares.iter().enumerate() {
        match state.core().holder(entry, share) {
            Beneficiary::Receipt(_) if share.outstanding() == 0 => {
                return Err(Rejection::NoReceipt { key });
            }
            Beneficiary::Receipt(address) => return Ok((place, address)),
            Beneficiary::Claimed { wallet, .. } if wallet == found => {
                return Err(Rejection::AlreadyClaimed { wallet });
            }
            Beneficiary::Claimed { wallet, .. } => {
                return Err(Rejection::ClaimConflict {
                    expected: wallet,
                    found,
                });
            }
            Beneficiary::Account(_) | Beneficiary::Pool => {}
        }
    }

    Err(Rejection::NoReceipt { key })
}

fn request_payout(state: &mut Overlay<'_>, t: &RequestPayout, signer: Address) -> Outcome {
    require_signer("the account itself", t.account, signer)?;
    if state.account(t.account).released == 0 {
        return Err(Rejection::NothingReleased { found: t.account });
    }
    if state.is_to_settle(t.account) {
        return Err(Rejection::PayoutAlreadyDue { found: t.account });
    }
    check_nonce(state, signer, t.nonce)?;
    state.account_mut(signer).nonce = t.nonce;
    state.set_to_settle(t.account, true);
    Ok(vec![Event::PayoutRequested { account: t.account }])
}

fn full_settlement(state: &mut Overlay<'_>, t: &FullSettlement, signer: Address) -> Outcome {
    require_signer("the founder", state.ledger().genesis().founder, signer)?;
    check_nonce(state, signer, t.nonce)?;
    state.account_mut(signer).nonce = t.nonce;
    state.core_mut().settle_all = true;
    Ok(vec![Event::FullSettlementRequested])
}

fn set_anchor(state: &mut Overlay<'_>, t: &SetAnchor, signer: Address) -> Outcome {
    require_signer("the founder", state.ledger().genesis().founder, signer)?;
    check_binding(state, t)?;
    check_nonce(state, signer, t.nonce)?;
    let binding = AnchorBinding {
        token: t.token,
        anchor: t.anchor,
        from_epoch: t.from_epoch,
        validators_hash: t.validators_hash,
    };
    state.account_mut(signer).nonce = t.nonce;
    state.core_mut().proposed_anchor = Some(binding);
    Ok(vec![Event::AnchorProposed { binding }])
}

fn check_binding(state: &Overlay<'_>, t: &SetAnchor) -> Result<(), Rejection> {
    let core = state.core();
    for (field, found) in [("token", t.token), ("anchor", t.anchor)] {
        let is_account = state.is_account(found) || (t.token == t.anchor);
        if found.is_zero() || is_account {
            return Err(Rejection::BadContract { field, found });
        }
    }

    if let Some(bound) = core.anchor.filter(|bound| bound.token != t.token) {
        return Err(Rejection::TokenFixed {
            expected: bound.token,
            found: t.token,
        });
    }

    if t.from_epoch < core.epoch {
        return Err(Rejection::EpochPassed {
            min: core.epoch,
            found: t.from_epoch,
        });
    }
    let max = core.epoch.saturating_add(ANCHOR_AHEAD_EPOCHS_MAX);
    if t.from_epoch > max {
        return Err(Rejection::EpochTooFar {
            max,
            found: t.from_epoch,
        });
    }

    let expected = core.validators.hash();
    if t.validators_hash != expected {
        return Err(Rejection::WrongValidators {
            expected,
            found: t.validators_hash,
        });
    }

    Ok(())
}
