//! One walk: through the gateway or through a node, with two outlets and a wallet of its own.

use crate::actor::Actor;
use crate::draft::{Document, Draft};
use crate::network::Network;
use crate::signer::Signer;
use crate::supply::{Move, OF_AN_EPOCH, differences};
use crate::{Verdict, refund, report};
use anyhow::{Context, Result};
use api_types::{SupplyAnswer, format_time};
use domain::keccak256;
use serde_json::{Value, json};
use service_kit::clock::now_ms;
use std::path::{Path, PathBuf};

/// Where sales are sent.
pub const SALES: &str = "/api/v1/sales";
/// Where everything else is.
pub const TRANSACTIONS: &str = "/api/v1/transactions";
/// Outlets that a walk may open before the next walk's numbers begin, a millisecond later.
const OUTLETS_MAX: u64 = 10;

/// Who buys, as a till knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Buyer {
    Nobody,
    Wallet,
    Receipt,
}

/// What a till sells.
#[derive(Clone, Copy, Debug)]
pub struct Order {
    outlet: u64,
    total: u64,
    buyer: Buyer,
    occurred_at_ms: u64,
}

impl Order {
    /// For so much money, now, to nobody in particular.
    pub fn at(outlet: u64, total: u64) -> Self {
        Self {
            outlet,
            total,
            buyer: Buyer::Nobody,
            occurred_at_ms: now_ms(),
        }
    }

    /// The member's wallet gets the buyer's share.
    pub const fn to_a_wallet(mut self) -> Self {
        self.buyer = Buyer::Wallet;
        self
    }

    /// Whoever has the receipt gets it.
    pub const fn for_a_receipt(mut self) -> Self {
        self.buyer = Buyer::Receipt;
        self
    }

    /// Sold some time ago.
    pub const fn seconds_ago(mut self, seconds: u64) -> Self {
        self.occurred_at_ms -= seconds * 1000;
        self
    }

    /// Sold in some time, as a till with a wrong clock says.
    pub const fn seconds_ahead(mut self, seconds: u64) -> Self {
        self.occurred_at_ms += seconds * 1000;
        self
    }
}

/// A walk under way.
#[derive(Debug)]
pub struct Walk {
    /// The outlet that its owner runs.
    pub a: u64,
    /// The outlet that a franchisee runs.
    pub b: u64,
    network: Network,
    base: String,
    folder: PathBuf,
    signer: Signer,
    verdict: Verdict,
}

impl Walk {
    /// Makes the folder and the wallet of a walk through the doors at a URL.
    pub fn new(network: &Network, hotpot: &Path, through: &str, base: &str) -> Result<Self> {
        let a = now_ms() * OUTLETS_MAX;
        let b = a + 1;
        let folder = network.folder().join("doors").join(a.to_string());
        let shown = folder.display();
        report::say(&format!(
            "through the {through}, {base}; outlets A = {a} and B = {b}, folder {shown}"
        ));
        std::fs::create_dir_all(&folder).with_context(|| format!("make {shown}"))?;

        Ok(Self {
            a,
            b,
            network: network.clone(),
            base: base.to_owned(),
            signer: Signer::new(hotpot, network, &folder)?,
            folder,
            verdict: Verdict::default(),
        })
    }

    /// What came of it so far.
    pub const fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// The network that is walked through.
    pub const fn network(&self) -> &Network {
        &self.network
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// An actor's account.
    pub fn address(&self, who: Actor) -> Result<&str> {
        self.signer.address(who)
    }

    /// A heading.
    pub fn group(&self, title: &str) {
        report::group(title);
    }
}

/// Papers: what is signed lies in the walk's folder.
impl Walk {
    /// Signs a draft.
    pub fn sign(&self, who: Actor, name: &'static str, draft: Draft) -> Result<Document> {
        self.keep(name, self.signer.sign(who, &draft)?)
    }

    /// What nobody signed, to be sent all the same.
    pub fn keep(&self, name: &'static str, text: String) -> Result<Document> {
        let file = self.folder.join(format!("{name}.json"));
        std::fs::write(&file, &text).with_context(|| format!("write {}", file.display()))?;
        Ok(Document::new(name, text))
    }

    /// A sale of one line; its id follows from its name.
    pub fn sale(&self, till: Actor, name: &'static str, order: Order) -> Result<Document> {
        let Order { outlet, total, .. } = order;
        let line =
            json!({"sku": "khinkali", "name": "ხინკალი", "quantity": 1, "unit_price": total});
        let draft = Draft::of(json!({
            "outlet": outlet, "sale_id": id_of(name), "occurred_at": seconds(order.occurred_at_ms),
            "currency": "GEL", "total": total, "lines": [line],
        }));

        let draft = match order.buyer {
            Buyer::Nobody => draft.with("buyer_kind", "none"),
            Buyer::Receipt => draft.with("buyer_kind", "receipt"),
            Buyer::Wallet => draft
                .with("buyer_kind", "wallet")
                .with("buyer", self.address(Actor::Member)?),
        };
        self.sign(till, name, draft)
    }

    /// A refund of so much money of a sale, as of an outlet.
    pub fn refund(
        &self,
        who: Actor,
        name: &'static str,
        sale: &Document,
        outlet: u64,
        amount: u64,
    ) -> Result<Document> {
        let draft = json!({
            "type": "refund", "outlet": outlet, "sale_id": id_of(sale.name()),
            "refund_id": id_of(name), "amount": amount,
        });
        self.sign(who, name, Draft::of(draft))
    }

    /// The registrar's approval of an outlet, as fields of a draft.
    pub fn approval(&self, outlet: u64, owner: Actor) -> Result<Draft> {
        self.signer.approve(outlet, owner).map(Draft::of)
    }

    /// A claim of a sale of outlet A with the code that till 1 printed.
    pub fn claim(&self, name: &'static str, sale: &Document, wallet: Actor) -> Result<Document> {
        let id = id_of(sale.name());
        self.keep(name, self.signer.claim(Actor::Till1, self.a, &id, wallet)?)
    }

    /// The guest's consent to a camera of outlet A, seen by a till.
    pub fn consent(&self, name: &'static str, camera: u64, seen_by: Actor) -> Result<Document> {
        self.keep(name, self.signer.consent(name, seen_by, self.a, camera)?)
    }
}

/// Doors that stand for more than one look.
impl Walk {
    /// A refund that is taken, with the moves that the protocol computes.
    pub fn gives_back(
        &mut self,
        who: Actor,
        what: &str,
        refund: &Document,
        sale: &Document,
    ) -> Result<()> {
        let known = self.network.sale(self.a, &id_of(sale.name()))?;
        let (total, amount) = (sale.number_of("total")?, refund.number_of("amount")?);
        let moves = refund::moves(&known, total, amount)?;
        self.door(who, what, refund).moves(moves).expect(201)
    }

    /// Waits until nothing is pending; the moves are those since then.
    pub fn epoch_ends(
        &mut self,
        what: &str,
        since: &SupplyAnswer,
        moves: impl IntoIterator<Item = Move>,
    ) -> Result<()> {
        self.network.come_to_rest()?;
        let now = self.network.supply()?;
        let moves: Vec<Move> = moves.into_iter().collect();

        report::time(what, &format!("curl {}/api/v1/supply", self.network.node()));
        report::moves(since, &now);
        self.count(&differences(since, &now, OF_AN_EPOCH, &moves));
        Ok(())
    }

    /// One more door, and what was wrong with it.
    pub(crate) fn count(&mut self, wrong: &[String]) {
        self.verdict.doors += 1;
        if !wrong.is_empty() {
            self.verdict.wrong += 1;
            report::wrong(&wrong.join(" "));
        }
    }
}

/// The id of a sale or a refund: 32 hex digits that follow from its name.
pub fn id_of(name: &str) -> String {
    let digest = keccak256(name).to_string();
    digest.chars().skip(2).take(32).collect()
}

/// A moment in whole seconds, as tills write it.
pub fn seconds(ms: u64) -> Value {
    format_time(ms / 1000 * 1000).into()
}
