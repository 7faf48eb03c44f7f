//! Makes and signs sales, ahead of the time at which they are sent.

use crate::outlets::{CURRENCY, Terminal};
use anyhow::Result;
use client::SaleRequest;
use domain::crypto::address_of_secret;
use domain::eip712::DomainSeparator;
use domain::sale::lines_hash;
use domain::{
    Address, B256, BuyerKind, Currency, Line, Payload, Sale, SaleId, Signature, keccak256,
};
use service_kit::clock::now_ms;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use wallet::{lines_salt, receipt_key};

/// What is sold: sku, name, price in the currency's smallest unit.
const MENU: [(&str, &str, u64); 4] = [
    ("khinkali", "Khinkali", 180),
    ("khachapuri", "Adjaruli khachapuri", 1_650),
    ("lobio", "Lobio", 900),
    ("tea", "Tea", 400),
];
/// One sale in so many goes to a wallet, the others to receipts.
const WALLET_ONE_IN: u64 = 4;
/// How many wallets share them.
const WALLETS: u64 = 64;
/// How often it is looked how far the signing is.
const POLL: Duration = Duration::from_millis(5);

/// A sale that is ready to be sent.
#[derive(Clone, Debug)]
pub struct SignedSale {
    /// What is sent: a `SaleRequest` as JSON.
    pub body: Vec<u8>,
    /// What was signed; the id that the network must give it.
    pub transaction_id: B256,
}

/// Makes sales by their number.
pub struct Factory {
    /// They take turns.
    pub terminals: Vec<Terminal>,
    /// Of the network.
    pub domain: DomainSeparator,
    /// Sale ids follow from it.
    pub seed: u64,
    /// Of every sale.
    pub currency: Currency,
}

impl Factory {
    /// Sells through these terminals.
    pub fn new(terminals: Vec<Terminal>, domain: DomainSeparator, seed: u64) -> Result<Self> {
        let currency = CURRENCY.parse().map_err(anyhow::Error::msg)?;
        anyhow::ensure!(!terminals.is_empty(), "there is no terminal to sell");
        Ok(Self {
            terminals,
            domain,
            seed,
            currency,
        })
    }

    /// The sale of a number.
    pub fn make(&self, number: u64, occurred_at_ms: u64) -> SignedSale {
        let terminal = &self.terminals[number as usize % self.terminals.len()];
        let sale_id = sale_id(self.seed, number);
        let lines = sample_lines(number);
        let salt = B256::from(lines_salt(&terminal.key, sale_id.0));
        let (buyer_kind, buyer) = choose_buyer(terminal, number, sale_id);
        let sale = Sale {
            outlet: terminal.outlet,
            terminal: terminal.address,
            sale_id,
            occurred_at_ms,
            currency: self.currency,
            total: lines
                .iter()
                .map(|line| u64::from(line.quantity) * line.unit_price)
                .sum(),
            lines_hash: lines_hash(salt, &lines),
            buyer_kind,
            buyer,
        };
        let transaction_id = self.domain.transaction_digest(&Payload::Sale(sale.clone()));
        let signature = Signature::sign(transaction_id, &terminal.key);
        let request = SaleRequest::new(&sale, lines, salt, signature);
        // Writing to a vector cannot fail.
        SignedSale {
            body: serde_json::to_vec(&request).unwrap_or_default(),
            transaction_id,
        }
    }
}

fn sale_id(seed: u64, number: u64) -> SaleId {
    let hash = keccak256(format!("load {seed} {number}"));
    let mut id = [0; 16];
    id.copy_from_slice(&hash[..16]);
    SaleId(id)
}

fn sample_lines(number: u64) -> Vec<Line> {
    let chosen = MENU
        .iter()
        .cycle()
        .skip(number as usize % MENU.len())
        .take(2);
    let quantity = 1 + (number % 5) as u32;
    let line = |(sku, name, unit_price): &(&str, &str, u64)| Line {
        sku: (*sku).into(),
        name: (*name).into(),
        quantity,
        unit_price: *unit_price,
    };

    chosen.map(line).collect()
}

fn choose_buyer(terminal: &Terminal, number: u64, sale_id: SaleId) -> (BuyerKind, Address) {
    if number.is_multiple_of(WALLET_ONE_IN) {
        let wallet = keccak256(format!("load wallet {}", number / WALLET_ONE_IN % WALLETS));
        return (BuyerKind::Wallet, Address::from_slice(&wallet[12..]));
    }
    (
        BuyerKind::Receipt,
        address_of_secret(&receipt_key(&terminal.key, sale_id.0)),
    )
}

/// Sales that are signed ahead.
pub struct Signed {
    /// In order of their numbers.
    pub sales: mpsc::Receiver<SignedSale>,
    /// What signing one cost.
    pub each: Duration,
    /// How many were signed before the start.
    pub ahead: usize,
}

/// Signs `total` sales, `ahead` of them before this returns; the others follow while those are taken.
pub async fn sign(factory: Factory, total: u64, ahead: u64) -> Result<Signed> {
    let ahead = usize::try_from(ahead.min(total).max(1))?;
    let (sender, sales) = mpsc::channel(ahead);
    let started = Instant::now();
    std::thread::spawn(move || {
        // Blocks while enough is ahead; nobody takes any more once the sending has ended.
        (0..total).all(|number| sender.blocking_send(factory.make(number, now_ms())).is_ok())
    });
    while sales.len() < ahead && !sales.is_closed() {
        tokio::time::sleep(POLL).await;
    }
    Ok(Signed {
        sales,
        each: started.elapsed() / u32::try_from(ahead)?,
        ahead,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::transaction::VerifiedTransaction;
    use domain::{Signature, sale::check_lines};
    use wallet::SecretKey;

    fn factory(seed: u64) -> Factory {
        let key = SecretKey::from_byte_array([7; 32]).unwrap();
        let terminal = |outlet| Terminal {
            outlet,
            key,
            address: address_of_secret(&key),
        };
        Factory::new(
            vec![terminal(1), terminal(2)],
            DomainSeparator::transactions(31_337, B256::ZERO),
            seed,
        )
        .unwrap()
    }

    fn request(sale: &SignedSale) -> SaleRequest {
        serde_json::from_slice(&sale.body).unwrap()
    }

    #[test]
    fn sales_are_what_a_node_accepts() {
        let factory = factory(1);
        for number in 0..20 {
            let sale = factory.make(number, 1_000);
            let request = request(&sale);
            check_lines(&request.sale().unwrap(), request.lines_salt, &request.lines).unwrap();
            let verified =
                VerifiedTransaction::verify(request.transaction().unwrap(), &factory.domain)
                    .unwrap();
            assert_eq!(
                (verified.id, verified.signer),
                (sale.transaction_id, request.terminal)
            );
        }
    }

    #[test]
    fn ids_follow_from_seed_and_number_alone() {
        let id = |seed, number| request(&factory(seed).make(number, now_ms())).sale_id;
        assert_eq!(id(1, 5), id(1, 5));
        assert!(id(1, 5) != id(2, 5) && id(1, 5) != id(1, 6));
    }

    #[tokio::test]
    async fn signing_goes_on_behind_what_is_taken() {
        let mut signed = sign(factory(1), 10, 4).await.unwrap();
        let mut count = 0;
        while let Some(sale) = signed.sales.recv().await {
            assert_ne!(request(&sale).signature, Signature([0; 65]));
            count += 1;
        }
        assert_eq!((count, signed.ahead), (10, 4));
    }
}
