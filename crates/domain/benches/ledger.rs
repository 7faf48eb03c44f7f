//! The ledger's hot paths: what every sale costs every validator. `cargo bench -p domain`.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, dead_code)]

#[path = "../tests/it/actors.rs"]
mod actors;

use actors::{Chain, genesis};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use domain::ledger::BlockExecution;
use domain::transaction::VerifiedTransaction;
use domain::{Block, BuyerKind, SignedTransaction, keccak256, merkle};
use std::hint::black_box;

/// What a busy block holds.
const SALES: u64 = 400;

fn sales(chain: &Chain) -> Vec<SignedTransaction> {
    (0..SALES)
        .map(|number| chain.sign_sale(chain.sale(1, number, BuyerKind::Wallet)))
        .collect()
}

fn verify_all(chain: &Chain, transactions: &[SignedTransaction]) -> Vec<VerifiedTransaction> {
    let domain = chain.ledger.domain();
    let verify =
        |one: &SignedTransaction| VerifiedTransaction::verify(one.clone(), domain).unwrap();
    transactions.iter().map(verify).collect()
}

/// Recovering the signer: most of a sale's cost.
fn verify_signature(criterion: &mut Criterion) {
    let chain = Chain::with_outlets(genesis());
    let sale = chain.sign_sale(chain.sale(1, 1, BuyerKind::Wallet));
    let domain = chain.ledger.domain();

    criterion.bench_function("verify the signature of a sale", |bencher| {
        bencher.iter(|| VerifiedTransaction::verify(black_box(sale.clone()), domain).unwrap());
    });
}

fn execute_block(criterion: &mut Criterion) {
    let chain = Chain::with_outlets(genesis());
    let verified = verify_all(&chain, &sales(&chain));
    let mut group = criterion.benchmark_group("a block of 400 sales");
    group.throughput(Throughput::Elements(SALES));

    group.bench_function("execute, signatures known", |bencher| {
        bencher.iter(|| {
            let mut execution = BlockExecution::begin(&chain.ledger, chain.now_ms + 250);
            for transaction in &verified {
                execution.apply(black_box(transaction)).unwrap();
            }
            execution.header(chain.ledger.validators().as_slice()[0].address, None)
        });
    });
    group.finish();
}

fn code_block(criterion: &mut Criterion) {
    let mut chain = Chain::with_outlets(genesis());
    let transactions = sales(&chain);
    chain.block(&transactions).unwrap();
    let block = chain.blocks.last().unwrap().clone();
    let bytes = block.encode();

    let mut group = criterion.benchmark_group("a block of 400 sales");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("encode", |bencher| {
        bencher.iter(|| black_box(&block).encode());
    });
    group.bench_function("decode", |bencher| {
        bencher.iter(|| Block::decode(black_box(&bytes)).unwrap());
    });
    group.finish();
}

/// Its leaves are the payouts of an epoch with so many accounts.
fn merkle_tree(criterion: &mut Criterion) {
    let leaves: Vec<_> = (0..10_000u32).map(|i| keccak256(i.to_be_bytes())).collect();
    let mut group = criterion.benchmark_group("a Merkle tree of 10,000 leaves");

    group.bench_function("root", |bencher| {
        bencher.iter(|| merkle::root(black_box(&leaves)));
    });
    group.bench_function("proof", |bencher| {
        bencher.iter(|| merkle::proof(black_box(&leaves), 7_777).unwrap());
    });
    group.finish();
}

/// The epoch's last block: what matured is released, checkpoint and settlement are made.
fn close_epoch(criterion: &mut Criterion) {
    let full_epoch = || {
        let mut chain = Chain::with_outlets(genesis());
        let transactions = sales(&chain);
        chain.block(&transactions).unwrap();
        chain
    };

    criterion.bench_function("close an epoch of 400 sales", |bencher| {
        bencher.iter_batched(
            full_epoch,
            |mut chain| chain.finish_epoch(),
            BatchSize::LargeInput,
        );
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = verify_signature, execute_block, code_block, merkle_tree, close_epoch
}
criterion_main!(benches);
