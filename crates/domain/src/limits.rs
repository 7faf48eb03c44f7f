//! Every bound of the protocol in one place. Lengths in bytes, times in milliseconds, money in the smallest unit.

/// Units issued by one sale: 1.00 FRT.
pub const UNITS_PER_SALE: u64 = 100;
/// Units that genesis issues to the founder.
pub const GENESIS_UNITS: u64 = 100;
/// The largest total of a sale, in the currency's smallest unit.
pub const SALE_TOTAL_MAX: u64 = 1_000_000_000_000;
/// The most lines a sale may have.
pub const SALE_LINES_MAX: usize = 500;
/// The longest stock-keeping unit code of a line, in characters: a Georgian letter has three bytes.
pub const LINE_SKU_CHARS_MAX: usize = 64;
/// The longest name of a line, in characters.
pub const LINE_NAME_CHARS_MAX: usize = 256;
/// The most bytes of all skus and names of a sale: nodes keep them for years.
pub const LINES_TEXT_BYTES_MAX: usize = SALE_LINES_MAX * 320;
/// The longest city name of an outlet.
pub const CITY_BYTES_MAX: usize = 64;
/// How late a sale may arrive (offline queue of a terminal).
pub const SALE_LATE_MS_MAX: u64 = 72 * 3_600_000;
/// How far a terminal's clock may be ahead.
pub const SALE_AHEAD_MS_MAX: u64 = 10_000;
/// The most refunds that a sale may have.
pub const REFUNDS_PER_SALE_MAX: usize = 16;
/// The greatest number of a camera.
pub const CAMERA_MAX: u64 = 999_999;
/// How far ahead a guest's consent may end.
pub const CONSENT_MS_MAX: u64 = 12 * 3_600_000;
/// How far ahead an owner's legal basis may end.
pub const BASIS_MS_MAX: u64 = 400 * DAY_MS;
/// The most days that recordings are kept.
pub const RETENTION_DAYS_MAX: u32 = 30;
/// The most consents of guests that are in force for one camera.
pub const CONSENTS_PER_CAMERA_MAX: usize = 64;
/// The most legal bases that are in force for one camera.
pub const BASES_PER_CAMERA_MAX: usize = 8;
/// Consents and legal bases of one outlet in a day of block time: whatever keys an outlet makes, the state grows no
/// faster.
pub const CONSENTS_PER_DAY_MAX: u32 = 5_000;
/// The same for its recordings.
pub const RECORDINGS_PER_DAY_MAX: u32 = 100_000;
/// The longest recording.
pub const RECORDING_MS_MAX: u64 = 600_000;
/// How far a video agent's clock may be wrong, in both directions.
pub const RECORDING_TOLERANCE_MS: u64 = 10_000;
/// The greatest sequence number of a recording.
pub const SEQUENCE_MAX: u64 = 1_000_000_000_000;
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
/// One whole, in parts per million.
pub const PPM: u64 = 1_000_000;
/// Validators of a set; the larger number as soon as so many are electable. Three of four, five of seven decide.
pub const SEATS: [usize; 2] = [4, 7];
/// The least score with which a candidate is electable, parts per million.
pub const SCORE_MIN: u64 = 200_000;
/// A challenger replaces the lowest seated one when its score is at least so much of that one's, percent.
pub const CHALLENGE_PERCENT: u64 = 105;
/// No seated validator has more power than so much of the lowest seated one's, percent: with four or more seats
/// nobody reaches a third.
pub const POWER_SPREAD_PERCENT: u64 = 145;
/// Blocks whose certificates tell a validator's participation.
pub const PARTICIPATION_BLOCKS: u64 = 1_000;
/// Days that tell the regularity of an outlet's sales.
pub const REGULARITY_DAYS: u64 = 30;
/// Days after which a validator's tenure is whole.
pub const TENURE_DAYS: u64 = 365;
/// A validator that signed none of this many certificates is passed over as a proposer.
pub const ABSENT_BLOCKS: usize = 10;
/// The most unbondings of one account at a time.
pub const UNBONDINGS_MAX: usize = 16;
/// The most changes of parameters that wait at a time.
pub const CHANGES_WAITING_MAX: usize = 16;
/// How many epochs ahead the founder may name contracts.
pub const ANCHOR_AHEAD_EPOCHS_MAX: u64 = 1_000;
/// Accounts in one payout chunk; fits EIP-7825's cap on a transaction's gas limit.
pub const CHUNK_WORDS_MAX: usize = 128;
/// The most bytes of an encoded block.
pub const BLOCK_BYTES_MAX: usize = 1_000_000;
/// The most bytes of one encoded transaction.
pub const TRANSACTION_BYTES_MAX: usize = 4_096;
