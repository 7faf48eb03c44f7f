use crate::actors::{Chain, certify};
use crate::evm;
use crate::fake_node::FakeNode;
use crate::world::{Indexer, World, digests, eventually, totals};
use domain::sale::Beneficiary;
use domain::{Address, BuyerKind, Ledger, SaleId, SaleKey};

use sqlx::{PgPool, Row};
use std::collections::BTreeMap;

fn busy_chain() -> Chain {
    let mut chain = Chain::with_outlets("test");
    let kinds = [BuyerKind::Wallet, BuyerKind::Receipt, BuyerKind::None];
    for number in 0..30u64 {
        // Every tenth is below the least total that issues.
        let total = if number % 10 == 8 { 99 } else { 1000 + number };
        let sale = chain.sale(1 + number % 2, number, kinds[number as usize % 3], total);
        let mut block = vec![sale];
        if number % 6 == 5 {
            block.push(chain.claim(1 + (number - 4) % 2, number - 4, "guest 0"));
        }
        chain.block(&block);
    }
    let revoke = chain.revoke_terminal(2, "till 2");
    chain.block(&[revoke]);
    chain
}

async fn reach(pool: &PgPool, height: u64) {
    eventually("sidechain height", || async {
        totals(pool).await.sidechain_height == height
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_equal_the_ledger() {
    let world = World::start(32).await;
    let evm = evm::Chain::with_own_issuer(&world.evm_url()).await;
    let chain = busy_chain();
    let node = FakeNode::start(&chain).await;
    let pool = world.database("main").await;
    let indexer = Indexer::start(&world.config("main", &evm, &node.url));
    reach(&pool, chain.ledger.height()).await;
    indexer.wait_until_ready().await;
    assert_equals_the_ledger(&pool, &chain.ledger).await;
    let blocks: i64 = sqlx::query_scalar("SELECT count(*) FROM chain.sidechain_block")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(blocks as u64, chain.ledger.height());
    indexer.stop().await;
}

async fn assert_equals_the_ledger(pool: &PgPool, ledger: &Ledger) {
    let totals = totals(pool).await;
    let supply = ledger.supply();
    assert_eq!(
        (totals.sales, totals.issued, totals.released),
        (supply.sales, supply.issued, supply.released)
    );
    assert_eq!(totals.claims, 5);
    assert_sales(pool, ledger).await;
    assert_outlets(pool, ledger).await;
    let released: BTreeMap<Address, u64> = ledger
        .accounts()
        .map(|(who, account)| (who, account.released))
        .filter(|(_, units)| *units > 0)
        .collect();
    let rows = read_model::releases_by_account(pool).await.unwrap();
    assert_eq!(
        rows.into_iter()
            .map(|row| (row.account, row.released))
            .collect::<BTreeMap<_, _>>(),
        released
    );
}

async fn assert_sales(pool: &PgPool, ledger: &Ledger) {
    for row in sqlx::query("SELECT * FROM chain.sale")
        .fetch_all(pool)
        .await
        .unwrap()
    {
        let id: Vec<u8> = row.get("sale_id");
        let outlet: i64 = row.get("outlet");
        let key = SaleKey {
            outlet: outlet as u64,
            sale_id: SaleId(id.clone().try_into().unwrap()),
        };
        let entry = ledger.sale(key).unwrap();
        assert_eq!(row.get::<Vec<u8>, _>("tx_id"), entry.tx_id.to_vec());
        assert_eq!(row.get::<i64, _>("height") as u64, entry.height);
        assert_eq!(row.get::<i64, _>("issued") as u64, entry.issued);
        assert_eq!(
            row.get::<Option<String>, _>("not_issued").is_some(),
            entry.issued == 0
        );
        let shares = sqlx::query(
            "SELECT s.kind, COALESCE(c.wallet, s.account) AS holder, s.units
             FROM chain.sale_share AS s
             LEFT JOIN chain.receipt_claim AS c
                ON s.kind = 'receipt' AND c.outlet = s.outlet AND c.sale_id = s.sale_id
             WHERE s.outlet = $1 AND s.sale_id = $2 ORDER BY s.place",
        );
        let shares = shares.bind(outlet).bind(id).fetch_all(pool).await.unwrap();
        let found: Vec<(Option<Vec<u8>>, u64)> = shares
            .iter()
            .map(|row| (row.get("holder"), row.get::<i64, _>("units") as u64))
            .collect();
        let holder = |to: Beneficiary| match to {
            Beneficiary::Account(to)
            | Beneficiary::Receipt(to)
            | Beneficiary::Claimed { wallet: to, .. } => Some(to),
            Beneficiary::Pool => None,
        };
        let expected: Vec<(Option<Vec<u8>>, u64)> = entry
            .shares
            .iter()
            .map(|share| (holder(share.to).map(|to| to.to_vec()), share.units))
            .collect();
        assert_eq!(found, expected);
    }
}

async fn assert_outlets(pool: &PgPool, ledger: &Ledger) {
    let rows = sqlx::query("SELECT outlet, owner, city FROM chain.outlet ORDER BY outlet")
        .fetch_all(pool)
        .await
        .unwrap();
    let found: Vec<(u64, Vec<u8>, String)> = rows
        .iter()
        .map(|row| (row.get::<i64, _>(0) as u64, row.get(1), row.get(2)))
        .collect();
    let expected: Vec<(u64, Vec<u8>, String)> = ledger
        .outlets()
        .map(|(id, outlet)| (id, outlet.owner.to_vec(), outlet.city.clone()))
        .collect();
    assert_eq!(found, expected);
    let rows = sqlx::query(
        "SELECT terminal, outlet, revoked_height IS NULL FROM chain.terminal ORDER BY terminal",
    );
    let rows = rows.fetch_all(pool).await.unwrap();
    let found: Vec<(Vec<u8>, u64, bool)> = rows
        .iter()
        .map(|row| (row.get(0), row.get::<i64, _>(1) as u64, row.get(2)))
        .collect();
    let expected: Vec<(Vec<u8>, u64, bool)> = ledger
        .terminals()
        .map(|(who, terminal)| (who.to_vec(), terminal.outlet, terminal.active))
        .collect();
    assert_eq!(found, expected);
}

/// The tables that the EVM's follower does not write meanwhile.
async fn sidechain_digests(pool: &PgPool) -> BTreeMap<&'static str, String> {
    const OF_THE_EVM: [&str; 8] = [
        "balance",
        "checkpoint_anchored",
        "chunk_issued",
        "cursor",
        "evm_block",
        "payout",
        "raw_log",
        "token_transfer",
    ];
    let mut digests = digests(pool).await;
    digests.retain(|table, _| !OF_THE_EVM.contains(table));
    assert!(digests.len() > 5, "{digests:?}");
    digests
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_blocks_are_refused_and_nothing_is_written() {
    let world = World::start(32).await;
    let evm = evm::Chain::with_own_issuer(&world.evm_url()).await;
    let mut chain = Chain::with_outlets("test");
    let node = FakeNode::start(&chain).await;
    let pool = world.database("main").await;
    let config = world.config("main", &evm, &node.url);
    let indexer = Indexer::start(&config);
    reach(&pool, 2).await;
    let before = sidechain_digests(&pool).await;

    // Two of four validators are no quorum.
    let sale = chain.sale(1, 1, BuyerKind::Wallet, 500);
    let ledger = chain.ledger.clone();
    chain.block(&[sale]);
    let honest = chain.blocks[2].clone();
    chain.blocks[2].certificate = certify(&ledger, &honest.header, 2);
    node.serve(&chain);
    indexer.wait_for_reason("certificate does not hold").await;
    assert_eq!(sidechain_digests(&pool).await, before);

    // Another total under an honest certificate.
    chain.blocks[2] = honest.clone();
    let mut raw = alloy::hex::decode(&honest.raw).unwrap();
    let amount = 500u64.to_le_bytes();
    let place = raw.windows(8).position(|window| window == amount).unwrap();
    raw[place] ^= 1;
    chain.blocks[2].raw = alloy::hex::encode(&raw);
    node.serve(&chain);
    indexer.wait_for_reason("breaks the ledger's rules").await;
    raw.truncate(40);
    chain.blocks[2].raw = alloy::hex::encode(&raw);
    node.serve(&chain);
    indexer.wait_for_reason("cannot be decoded").await;
    assert_eq!(sidechain_digests(&pool).await, before);

    // The good prefix of a bad batch is written, the bad block is not.
    let next = chain.sale(1, 2, BuyerKind::Wallet, 500);
    let ledger = chain.ledger.clone();
    chain.block(&[next]);
    chain.blocks[2] = honest;
    let second = chain.blocks[3].clone();
    chain.blocks[3].certificate = certify(&ledger, &second.header, 1);
    node.serve(&chain);
    reach(&pool, 3).await;
    indexer.wait_for_reason("block 4 is refused").await;
    chain.blocks[3] = second;
    node.serve(&chain);
    reach(&pool, 4).await;
    indexer.wait_until_ready().await;
    indexer.stop().await;

    // Another chain behind the same URL.
    let before = sidechain_digests(&pool).await;
    let other = FakeNode::start(&Chain::with_outlets("another")).await;
    let indexer = Indexer::start(&world.config("main", &evm, &other.url));
    indexer.wait_for_reason("expected").await;
    assert_eq!(sidechain_digests(&pool).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn lying_and_dead_nodes_do_not_hold_up_the_others() {
    let world = World::start(32).await;
    let evm = evm::Chain::with_own_issuer(&world.evm_url()).await;
    let mut chain = busy_chain();
    let (liar, stuck, honest) = tokio::join!(
        FakeNode::start(&chain),
        FakeNode::start(&chain),
        FakeNode::start(&chain)
    );
    liar.served.lock().unwrap().claimed = Some(u64::MAX - 1);
    liar.served.lock().unwrap().blocks[20]
        .certificate
        .signatures
        .clear();
    stuck.served.lock().unwrap().blocks.truncate(5);
    let pool = world.database("main").await;
    let mut config = world.config("main", &evm, &liar.url);
    config.node.urls = vec![
        liar.url,
        "http://127.0.0.1:1".into(),
        stuck.url,
        honest.url.clone(),
    ];
    let indexer = Indexer::start(&config);
    reach(&pool, chain.ledger.height()).await;
    let sale = chain.sale(1, 500, BuyerKind::Wallet, 500);
    chain.block(&[sale]);
    honest.serve(&chain);
    reach(&pool, chain.ledger.height()).await;
    assert_equals_the_ledger(&pool, &chain.ledger).await;
    indexer.stop().await;
}
