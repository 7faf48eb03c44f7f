-- Staking: what was bonded, and where all units are after the last block, as the ledger itself counts them.

ALTER TABLE chain.release ADD COLUMN bonded bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN chain.release.bonded IS 'Mature units that the account bonded and that were not released.';

CREATE TABLE chain.supply (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    height   bigint NOT NULL,
    issued   bigint NOT NULL,
    reversed bigint NOT NULL,
    released bigint NOT NULL,
    pending  bigint NOT NULL,
    receipts bigint NOT NULL,
    pool     bigint NOT NULL,
    debt     bigint NOT NULL,
    bonded   bigint NOT NULL,
    slashed  bigint NOT NULL,
    sales    bigint NOT NULL,
    CHECK (released + pending + receipts + pool + bonded + slashed - debt = issued - reversed)
);
COMMENT ON TABLE chain.supply IS 'Where all units are after the block at height; one row, moved in the transaction that writes the block.';
COMMENT ON COLUMN chain.supply.receipts IS 'On receipts that nobody has claimed.';
COMMENT ON COLUMN chain.supply.bonded IS 'Bonded by accounts, unbonding units included.';
COMMENT ON COLUMN chain.supply.slashed IS 'Lost by offences of validators.';
