use crate::actors::{Chain, address, cid};
use crate::evm;
use crate::fake_node::FakeNode;
use crate::world::{Indexer, World, eventually, totals};
use api_types::{ConsentRow, RecordingRow};
use domain::consent::Purposes;
use domain::recording::EraseReason;
use domain::{B256, TerminalKind, keccak256};
use read_model::recordings::{Filter, find_consents, find_recordings};
use sqlx::PgPool;

/// Two guests, a legal basis, twelve recordings; one consent is revoked and two recordings are erased, some of it in
/// the block that made it.
fn watched() -> (Chain, [B256; 3]) {
    let mut chain = Chain::with_outlets("test");
    let agent = chain.register_terminal_of(1, "agent 1", TerminalKind::VideoAgent);
    chain.block(&[agent]);
    let (first, second, basis) = (
        chain.consent(3, "guest 0"),
        chain.consent(3, "guest 1"),
        chain.legal_basis(9),
    );
    let ids = [&first, &second, &basis].map(|transaction| chain.id(transaction));
    chain.block(&[first, second]);
    chain.block(&[basis]);
    for number in 0..12u64 {
        let place = usize::try_from(number % 3).unwrap();
        let pin = chain.pin([3, 3, 9][place], ids[place], number);
        if number == 11 {
            let (erase, revoke) = (
                chain.erase(11, "agent 1"),
                chain.revoke_consent(ids[1], "guest 1"),
            );
            chain.block(&[pin, erase, revoke]);
        } else {
            chain.block(&[pin]);
        }
    }
    let erase = chain.erase(2, "owner 1");
    chain.block(&[erase]);
    (chain, ids)
}

async fn all_recordings(pool: &PgPool, filter: Filter, limit: i64) -> Vec<RecordingRow> {
    let (mut all, mut before): (Vec<RecordingRow>, _) = (Vec::new(), None);
    loop {
        let mut connection = pool.acquire().await.unwrap();
        let page = find_recordings(&mut connection, Filter { before, ..filter }, limit)
            .await
            .unwrap();
        let Some(last) = page.last() else { return all };
        before = Some((last.height, last.place));
        all.extend(page);
    }
}

async fn all_consents(pool: &PgPool, filter: Filter, in_force: Option<bool>) -> Vec<ConsentRow> {
    let mut connection = pool.acquire().await.unwrap();
    find_consents(&mut connection, filter, in_force, 100)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn consents_and_recordings_equal_the_ledger_and_come_in_pages() {
    let world = World::start(32).await;
    let evm = evm::Chain::with_own_issuer(&world.evm_url()).await;
    let (chain, ids) = watched();
    let node = FakeNode::start(&chain).await;
    let pool = world.database("main").await;
    let indexer = Indexer::start(&world.config("main", &evm, &node.url));
    eventually("sidechain height", || async {
        totals(&pool).await.sidechain_height == chain.ledger.height()
    })
    .await;

    let filter = Filter {
        outlet: Some(1),
        ..Filter::default()
    };
    for limit in [1, 5, 100] {
        let rows = all_recordings(&pool, filter, limit).await;
        let found: Vec<u64> = rows.iter().map(|row| row.sequence).collect();
        assert_eq!(
            found,
            (0..12).rev().collect::<Vec<_>>(),
            "each once, newest first, {limit} at a time"
        );
    }
    for row in all_recordings(&pool, filter, 100).await {
        let kept = chain.ledger.recording(row.cid).unwrap();
        assert_eq!(
            (row.cid, row.transaction_id),
            (cid(row.sequence), kept.tx_id)
        );
        assert_eq!(
            (row.camera, row.consent, row.agent),
            (kept.pinned.camera, kept.pinned.consent, address("agent 1"))
        );
        assert_eq!(row.manifest_hash, keccak256(row.sequence.to_be_bytes()));
        assert_eq!(
            row.ended_at.unix_timestamp_nanos() / 1_000_000,
            i128::from(kept.pinned.ended_at_ms)
        );
        assert_eq!(row.erased.is_some(), [2, 11].contains(&row.sequence));
        let erased = row.erased.zip(kept.erased);
        assert!(erased.is_none_or(|(row, kept)| {
            (row.height, row.by, row.reason.as_str()) == (kept.height, kept.by, "request")
                && kept.reason == EraseReason::Request
        }));
    }
    let kitchen = all_recordings(
        &pool,
        Filter {
            camera: Some(9),
            ..filter
        },
        3,
    )
    .await;
    assert_eq!(kitchen.len(), 4);
    assert!(
        all_recordings(
            &pool,
            Filter {
                outlet: Some(2),
                ..filter
            },
            3
        )
        .await
        .is_empty()
    );

    let rows = all_consents(&pool, filter, None).await;
    assert_eq!(
        rows.iter().map(|row| row.id).collect::<Vec<_>>(),
        [ids[2], ids[1], ids[0]]
    );
    let revoked_at_ms = chain.ledger.consent(ids[1]).unwrap().revoked_at_ms.unwrap();
    assert_eq!(
        rows[1].revoked_at.unwrap().unix_timestamp_nanos() / 1_000_000,
        i128::from(revoked_at_ms)
    );
    assert_eq!(rows[1].revoked_by, Some(address("guest 1")));
    assert_eq!(
        (rows[0].kind.as_str(), rows[0].retention_days, rows[0].guest),
        ("security", Some(30), None)
    );
    assert_eq!(
        (rows[2].purposes, rows[2].guest),
        (Purposes::Both, Some(address("guest 0")))
    );
    assert_eq!(
        rows.iter().map(|row| row.recordings).collect::<Vec<_>>(),
        [2, 4, 4],
        "erased ones are not counted"
    );
    // The chain is of 2023: by the clock all of them are over.
    assert!(all_consents(&pool, filter, Some(true)).await.is_empty());
    assert_eq!(all_consents(&pool, filter, Some(false)).await.len(), 3);
    indexer.stop().await;
}
