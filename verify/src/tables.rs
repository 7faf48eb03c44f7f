//! The tables of schema `chain` that mirror something. Another column or table is of another version of the schema.

use crate::rows::Table;

/// Every column of a row as text; what is too large to keep is replaced by its hash.
macro_rules! rows_of {
    ($table:literal) => {
        rows_of!($table, "to_jsonb(t)")
    };
    ($table:literal, $json:literal) => {
        concat!(
            "SELECT (SELECT jsonb_object_agg(c.key, c.value) FROM jsonb_each_text(",
            $json,
            ") AS c)::text FROM ",
            $table,
            " AS t"
        )
    };
}

macro_rules! tables {
    ($($(#[$doc:meta])* $constant:ident = $name:literal, $keys:literal key of [$($column:literal),* $(,)?] $(as $json:literal)?;)*) => {
        $($(#[$doc])* pub static $constant: Table = Table {
            name: $name,
            columns: &[$($column),*],
            keys: $keys,
            query: rows_of!($name $(, $json)?),
        };)*
        /// All of them.
        pub static ALL: &[&Table] = &[$(&$constant),*];
    };
}

tables! {
    /// The one row that holds the genesis.
    SIDECHAIN = "chain.sidechain", 1 key of [
        "sidechain_id", "only_one", "genesis", "evm_chain_id", "first_height", "genesis_units",
    ];
    /// Final blocks; the certificate is checked on its own, because a commit has more than one.
    SIDECHAIN_BLOCK = "chain.sidechain_block", 1 key of [
        "height", "hash", "parent_hash", "time", "proposer", "transactions", "raw",
    ] as "to_jsonb(t) - 'certificate' || jsonb_build_object('raw', sha256(t.raw))";
    /// Registered outlets, with their quotas.
    OUTLET = "chain.outlet", 1 key of [
        "outlet", "owner", "kind", "city", "currency", "quota_per_day", "terminal_quota_per_day", "height",
    ];
    /// Enrolled terminals, revoked ones too.
    TERMINAL = "chain.terminal", 1 key of ["terminal", "outlet", "kind", "height", "revoked_height"];
    /// Sales as they were recorded; refunds stand apart.
    SALE = "chain.sale", 2 key of [
        "outlet", "sale_id", "tx_id", "height", "place", "terminal", "occurred_at", "currency", "total", "lines_hash",
        "buyer_kind", "buyer", "issued", "not_issued",
    ];
    /// How each sale's units were split.
    SALE_SHARE = "chain.sale_share", 3 key of ["outlet", "sale_id", "place", "kind", "account", "units"];
    /// Receipts that were claimed, and by which wallet.
    RECEIPT_CLAIM = "chain.receipt_claim", 2 key of ["outlet", "sale_id", "wallet", "units", "height"];
    /// Refunds, with the debt that they left.
    REFUND = "chain.refund", 3 key of [
        "outlet", "sale_id", "refund_id", "tx_id", "height", "amount", "reversed", "debt", "owner",
    ];
    /// What they took back.
    REFUND_SHARE = "chain.refund_share", 4 key of ["outlet", "sale_id", "refund_id", "place", "units"];
    /// Units released at the end of an epoch.
    RELEASE = "chain.release", 2 key of ["height", "account", "units", "debt_paid", "bonded"];
    /// Where all units are.
    SUPPLY = "chain.supply", 1 key of [
        "only_one", "height", "issued", "reversed", "released", "pending", "receipts", "pool", "debt", "bonded", "slashed",
        "sales",
    ];
    /// Checkpoints as blocks lead to them.
    EPOCH_CHECKPOINT = "chain.epoch_checkpoint", 1 key of [
        "epoch", "height", "anchor", "first_height", "last_height", "blocks_root", "state_root", "payout_root",
        "recordings_root", "total_released", "next_validators_hash", "payouts",
    ];
    /// Consents of guests and legal bases of owners.
    CONSENT = "chain.consent", 1 key of [
        "id", "height", "place", "kind", "outlet", "camera", "purposes", "commitment", "guest", "witness",
        "notice_hash", "retention_days", "owner", "recorded_at", "until", "revoked_at", "revoked_by", "revoked_height",
    ];
    /// Pinned recordings, with tombstones of the erased.
    RECORDING = "chain.recording", 1 key of [
        "cid", "tx_id", "height", "place", "outlet", "camera", "consent", "manifest_hash", "sequence", "started_at",
        "ended_at", "agent", "erased_height", "erased_at", "erased_by", "erase_reason",
    ];
    /// Blocks of the EVM.
    EVM_BLOCK = "chain.evm_block", 2 key of ["chain_id", "number", "hash", "parent_hash", "time", "finalized"];
    /// Logs of the contracts.
    RAW_LOG = "chain.raw_log", 3 key of [
        "chain_id", "block_number", "log_index", "block_hash", "block_time", "tx_hash", "tx_index", "address",
        "topic0", "topic1", "topic2", "topic3", "data",
    ];
    /// Transfers of the token, mintings and burnings too.
    TOKEN_TRANSFER = "chain.token_transfer", 3 key of [
        "chain_id", "block_number", "log_index", "block_time", "tx_hash", "token", "sender", "recipient", "value",
    ];
    /// Chunks of payouts that the anchor issued.
    CHUNK_ISSUED = "chain.chunk_issued", 3 key of [
        "chain_id", "block_number", "log_index", "tx_hash", "anchor", "epoch", "chunk_root", "minted",
    ];
    /// What was minted to accounts.
    PAYOUT = "chain.payout", 3 key of [
        "chain_id", "block_number", "log_index", "block_time", "tx_hash", "token", "account", "value", "epoch",
    ];
    /// Checkpoints as the anchor took them.
    CHECKPOINT_ANCHORED = "chain.checkpoint_anchored", 3 key of [
        "chain_id", "block_number", "log_index", "block_time", "tx_hash", "anchor", "epoch", "first_height",
        "last_height", "blocks_root", "state_root", "payout_root", "recordings_root", "total_released",
        "next_validators_hash",
    ];
    /// What each holder has.
    BALANCE = "chain.balance", 3 key of ["chain_id", "token", "holder", "value"];
}

/// Tables that mirror nothing: how the mirror came about, and how far it is.
pub const NO_MIRROR: [&str; 4] = [
    "chain.event",
    "chain.reorg_log",
    "chain.cursor",
    "chain.pulse",
];
/// A column that is checked otherwise.
const CHECKED_APART: [(&str, &str); 1] = [("chain.sidechain_block", "certificate")];

/// What a database of another version has or lacks; empty when it is of this one.
pub fn unknown_columns(columns: &[(String, String)]) -> Vec<String> {
    let known = |table: &str, column: &str| {
        NO_MIRROR.contains(&table)
            || CHECKED_APART.contains(&(table, column))
            || ALL
                .iter()
                .any(|known| known.name == table && known.columns.contains(&column))
    };
    let there = |table: &str, column: &str| {
        columns
            .iter()
            .any(|(t, c)| (t.as_str(), c.as_str()) == (table, column))
    };

    let more = columns
        .iter()
        .filter(|(table, column)| !known(table, column));
    let more = more.map(|(table, column)| format!("{table}.{column} is not known to this program"));

    let all = ALL
        .iter()
        .flat_map(|table| table.columns.iter().map(|column| (table.name, *column)));
    let less = all
        .filter(|(table, column)| !there(table, column))
        .map(|(t, c)| format!("{t}.{c} is missing"));

    more.chain(less).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns() -> Vec<(String, String)> {
        let all = ALL
            .iter()
            .flat_map(|table| table.columns.iter().map(|column| (table.name, *column)));
        all.chain(CHECKED_APART)
            .map(|(table, column)| (table.to_owned(), column.to_owned()))
            .collect()
    }

    #[test]
    fn a_database_of_another_version_is_noticed() {
        assert_eq!(unknown_columns(&columns()), Vec::<String>::new());
        let mut more = columns();
        more.push(("chain.sale".into(), "tip".into()));
        assert_eq!(
            unknown_columns(&more),
            ["chain.sale.tip is not known to this program"]
        );
        let mut less = columns();
        less.retain(|(table, column)| (table.as_str(), column.as_str()) != ("chain.sale", "total"));
        assert_eq!(unknown_columns(&less), ["chain.sale.total is missing"]);
    }

    #[test]
    fn every_table_of_the_migrations_is_known() {
        let migrations =
            std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations")).unwrap();
        let text: String = migrations
            .flatten()
            .filter_map(|file| std::fs::read_to_string(file.path()).ok())
            .collect();
        let created = text
            .lines()
            .filter_map(|line| line.strip_prefix("CREATE TABLE chain."));
        let names: Vec<String> = created
            .filter(|rest| !rest.contains("PARTITION OF"))
            .map(|rest| format!("chain.{}", rest.split([' ', '(']).next().unwrap()))
            .collect();
        assert!(names.len() > 15, "{names:?}");
        for name in &names {
            let known =
                ALL.iter().any(|table| table.name == name) || NO_MIRROR.contains(&name.as_str());
            assert!(known, "hotpot verify does not know {name}");
        }
    }
}
