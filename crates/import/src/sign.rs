//! Orders to signed requests, with the keys of the tills that sold. The same order and time give the same bytes.

use crate::order::{Order, Return};
use client::SaleRequest;
use domain::crypto::address_of_secret;
use domain::eip712::DomainSeparator;
use domain::sale::lines_hash;
use domain::transaction::Refund;
use domain::{
    Address, B256, BuyerKind, Currency, OutletId, Payload, Sale, Signature, SignedTransaction,
};
use std::collections::BTreeMap;
use wallet::{SecretKey, lines_salt, receipt_key};

/// Whoever signs for outlets.
#[derive(Clone)]
pub struct Signer {
    /// What signatures are made for: one sidechain.
    pub domain: DomainSeparator,
    /// The currency of all sales.
    pub currency: Currency,
    /// The key of each outlet's till.
    pub terminals: BTreeMap<OutletId, SecretKey>,
    /// The wallets that orders may name by number.
    pub wallets: Vec<Address>,
}

/// An outlet for which there is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no key here sells for outlet {outlet}")]
pub struct NoTerminal {
    /// The outlet that no key is for.
    pub outlet: OutletId,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer")
            .field("outlets", &self.terminals.keys())
            .finish_non_exhaustive()
    }
}

impl Signer {
    fn terminal(&self, outlet: OutletId) -> Result<&SecretKey, NoTerminal> {
        self.terminals.get(&outlet).ok_or(NoTerminal { outlet })
    }

    /// The sale of an order that took place at a time, with its lines.
    pub fn sign_sale(&self, order: &Order, occurred_at_ms: u64) -> Result<SaleRequest, NoTerminal> {
        let terminal = self.terminal(order.outlet)?;
        let salt = B256::from(lines_salt(terminal, order.sale_id.0));
        let (buyer_kind, buyer) = self.choose_buyer(order, terminal);

        let sale = Sale {
            outlet: order.outlet,
            terminal: address_of_secret(terminal),
            sale_id: order.sale_id,
            occurred_at_ms,
            currency: self.currency,
            total: order.total,
            lines_hash: lines_hash(salt, &order.lines),
            buyer_kind,
            buyer,
        };
        let digest = self.domain.transaction_digest(&Payload::Sale(sale.clone()));
        let signature = Signature::sign(digest, terminal);

        Ok(SaleRequest::new(
            &sale,
            order.lines.clone(),
            salt,
            signature,
        ))
    }

    /// The wallet that the order names, or the key of its receipt.
    fn choose_buyer(&self, order: &Order, terminal: &SecretKey) -> (BuyerKind, Address) {
        let wallet = order
            .wallet
            .and_then(|number| self.wallets.get(usize::try_from(number).ok()?));

        match wallet {
            Some(wallet) => (BuyerKind::Wallet, *wallet),
            None => {
                let receipt = receipt_key(terminal, order.sale_id.0);
                (BuyerKind::Receipt, address_of_secret(&receipt))
            }
        }
    }

    /// The refund of an order.
    pub fn sign_return(&self, refund: &Return) -> Result<SignedTransaction, NoTerminal> {
        let terminal = self.terminal(refund.outlet)?;
        let payload = Payload::Refund(Refund {
            outlet: refund.outlet,
            sale_id: refund.sale_id,
            refund_id: refund.refund_id,
            amount: refund.amount,
        });
        let digest = self.domain.transaction_digest(&payload);

        Ok(SignedTransaction {
            signature: Signature::sign(digest, terminal),
            payload,
        })
    }
}
