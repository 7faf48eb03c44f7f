-- Refunds: money of a sale given back, and the units that went back with it.

CREATE TABLE chain.refund (
    outlet     bigint NOT NULL,
    sale_id    bytea  NOT NULL,
    refund_id  bytea  NOT NULL CHECK (octet_length(refund_id) = 16),
    tx_id      bytea  NOT NULL CONSTRAINT refund_tx_id_key UNIQUE,
    height     bigint NOT NULL,
    amount     bigint NOT NULL,
    reversed   bigint NOT NULL,
    debt       bigint NOT NULL,
    owner      bytea  NOT NULL,
    PRIMARY KEY (outlet, sale_id, refund_id)
);
COMMENT ON TABLE chain.refund IS 'Refunds as recorded in final blocks.';
COMMENT ON COLUMN chain.refund.tx_id IS 'The digest that was signed.';
COMMENT ON COLUMN chain.refund.amount IS 'Money given back, in the smallest unit of the sale''s currency.';
COMMENT ON COLUMN chain.refund.reversed IS 'Units taken back; refund_share says from whom.';
COMMENT ON COLUMN chain.refund.debt IS 'Units of reversed that were released already and became the debt of owner.';
COMMENT ON COLUMN chain.refund.owner IS 'The outlet''s owner at that time.';

CREATE TABLE chain.refund_share (
    outlet     bigint NOT NULL,
    sale_id    bytea  NOT NULL,
    refund_id  bytea  NOT NULL,
    place      bigint NOT NULL,
    units      bigint NOT NULL,
    PRIMARY KEY (outlet, sale_id, refund_id, place)
);
COMMENT ON TABLE chain.refund_share IS 'Units that a refund took back, by share.';
COMMENT ON COLUMN chain.refund_share.place IS 'The share''s place in sale_share.';

ALTER TABLE chain.release ADD COLUMN debt_paid bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN chain.release.debt_paid IS 'Mature units that paid the account''s debt and were not released.';

ALTER TABLE chain.sale DROP CONSTRAINT sale_not_issued_check;
ALTER TABLE chain.sale ADD CONSTRAINT sale_not_issued_check
    CHECK (not_issued IN ('below_minimum', 'outlet_quota', 'terminal_quota', 'owner_debt'));
