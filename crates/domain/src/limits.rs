//! Every bound of the protocol in one place. Lengths in bytes, times in milliseconds, money in the smallest unit.

/// Units issued by one sale: 1.00 FRT.
pub const UNITS_PER_SALE: u64 = 100;
/// Units that genesis issues to the founder.
pub const GENESIS_UNITS: u64 = 100;
/// The largest total of a sale, in the currency's smallest unit.
pub const SALE_TOTAL_MAX: u64 = 1_000_000_000_000;
/// The most lines a sale may have.
pub const SALE_LINES_MAX: usize = 500;
/// The longest stock-keeping unit code of a line.
pub const LINE_SKU_BYTES_MAX: usize = 64;
/// The longest name of a line.
pub const LINE_NAME_BYTES_MAX: usize = 256;
/// The longest city name of an outlet.
pub const CITY_BYTES_MAX: usize = 64;
/// How late a sale may arrive (offline queue of a terminal).
pub const SALE_LATE_MS_MAX: u64 = 72 * 3_600_000;
/// How far a terminal's clock may be ahead.
pub const SALE_AHEAD_MS_MAX: u64 = 10_000;
/// The most refunds that a sale may have.
pub const REFUNDS_PER_SALE_MAX: usize = 16;
/// How far a block's time may be ahead of a live validator's clock.
pub const BLOCK_AHEAD_MS_MAX: u64 = 10_000;
/// One day of block time.
pub const DAY_MS: u64 = 86_400_000;
/// Unused quota adds up to this many days, so that an offline queue fits.
pub const QUOTA_DAYS_MAX: u64 = 4;
/// A quota of this value never runs out.
pub const QUOTA_UNLIMITED: u32 = u32::MAX;
/// The most validators in a set; the contract has the same bound.
pub const VALIDATORS_MAX: usize = 64;
/// The most voting power of one validator; the engine multiplies power by three.
pub const POWER_MAX: u64 = 1_000_000;
/// How many epochs ahead the founder may name contracts.
pub const ANCHOR_AHEAD_EPOCHS_MAX: u64 = 1_000;
/// Accounts in one payout chunk; fits EIP-7825's cap on a transaction's gas limit.
pub const CHUNK_WORDS_MAX: usize = 128;
/// The most bytes of an encoded block.
pub const BLOCK_BYTES_MAX: usize = 1_000_000;
/// The most bytes of one encoded transaction.
pub const TRANSACTION_BYTES_MAX: usize = 4_096;
