#![doc = include_str!("../README.md")]
//!
//! Amounts are in units of 0.01 FRT, money in a currency's smallest unit. Everything but [`books`] is asked on one
//! connection, so that a caller who wants figures of one moment opens a [`begin_snapshot`] and asks them all there.

pub mod accounts;
pub mod books;
pub mod events;
pub mod network;
pub mod recordings;
pub mod sales;

pub use books::{
    AccountPayouts, AccountReleases, Balance, Totals, payouts_by_account, read_totals,
    releases_by_account, token_balances,
};

use alloy_primitives::{Address, B256};
use sqlx::{PgPool, Postgres, Transaction};

/// A transaction that sees one moment and changes nothing.
pub async fn begin_snapshot(pool: &PgPool) -> sqlx::Result<Transaction<'static, Postgres>> {
    pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        .await
}

fn decode_error(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}

fn decode_u64(value: i64) -> sqlx::Result<u64> {
    u64::try_from(value).map_err(decode_error)
}

fn to_bigint(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn decode_units(text: &str) -> sqlx::Result<u128> {
    text.parse()
        .map_err(|error: std::num::ParseIntError| decode_error(error))
}

/// Units within 64 bits: as many as the ledger can ever release.
fn decode_amount(text: &str) -> sqlx::Result<u64> {
    text.parse()
        .map_err(|error: std::num::ParseIntError| decode_error(error))
}

fn decode_address(bytes: &[u8]) -> sqlx::Result<Address> {
    Address::try_from(bytes).map_err(decode_error)
}

fn decode_hash(bytes: &[u8]) -> sqlx::Result<B256> {
    B256::try_from(bytes).map_err(decode_error)
}
