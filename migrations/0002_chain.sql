-- The read model: a mirror of the contracts' events and of the sidechain's blocks. One writer (the indexer), many
-- readers. Everything typed about the EVM is derived from raw_log by the views below, so a new column is one
-- INSERT ... SELECT and no second reading of the chain.
-- Amounts are integers in units of 0.01 FRT; money is in a currency's smallest unit; heights and block numbers count
-- from the chain's own first block.

CREATE SCHEMA chain;
COMMENT ON SCHEMA chain IS 'Mirror of the EVM contracts'' events and the sidechain''s blocks, written by the indexer alone.';

CREATE FUNCTION chain.time_of_ms(ms bigint) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN timestamptz 'epoch' + ms * interval '1 millisecond';
COMMENT ON FUNCTION chain.time_of_ms IS 'Milliseconds since the Unix epoch as a time.';

-- ------------------------------------------------------------------------------------------------ following

CREATE TABLE chain.cursor (
    stream      text        PRIMARY KEY CHECK (stream IN ('evm', 'sidechain')),
    identity    bytea       NOT NULL,
    scope       text        NOT NULL,
    position    bigint      NOT NULL,
    hash        bytea,
    finalized   bigint      NOT NULL,
    updated_at  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE chain.cursor IS 'How far each stream is mirrored. Moves in the same transaction as the rows, which is the whole of exactly-once.';
COMMENT ON COLUMN chain.cursor.identity IS 'Hash of the EVM''s block 0, or the sidechain''s id: another chain behind the same URL is noticed.';
COMMENT ON COLUMN chain.cursor.scope IS 'What is mirrored (contracts and first block): a change of configuration that would leave gaps is noticed.';
COMMENT ON COLUMN chain.cursor.position IS 'The last block whose rows are here; one less than the first block before it.';
COMMENT ON COLUMN chain.cursor.hash IS 'Its hash; null before the first block.';
COMMENT ON COLUMN chain.cursor.finalized IS 'The last mirrored block that can no longer be replaced. Never goes down.';

CREATE TABLE chain.reorg_log (
    id            bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    chain_id      bigint      NOT NULL,
    at            timestamptz NOT NULL DEFAULT now(),
    fork_number   bigint      NOT NULL,
    depth         bigint      NOT NULL,
    old_hash      bytea       NOT NULL,
    new_hash      bytea       NOT NULL,
    rows_removed  bigint      NOT NULL
);
COMMENT ON TABLE chain.reorg_log IS 'Every replacement of EVM blocks that was mirrored.';
COMMENT ON COLUMN chain.reorg_log.fork_number IS 'The last block that both branches share.';
COMMENT ON COLUMN chain.reorg_log.depth IS 'How many mirrored blocks were replaced.';
COMMENT ON COLUMN chain.reorg_log.old_hash IS 'Head before.';
COMMENT ON COLUMN chain.reorg_log.new_hash IS 'Head after.';
COMMENT ON COLUMN chain.reorg_log.rows_removed IS 'Raw logs of the replaced blocks.';

-- ------------------------------------------------------------------------------------------------ EVM: truth

CREATE TABLE chain.evm_block (
    chain_id     bigint      NOT NULL,
    number       bigint      NOT NULL,
    hash         bytea       NOT NULL CHECK (octet_length(hash) = 32),
    parent_hash  bytea       NOT NULL CHECK (octet_length(parent_hash) = 32),
    time         timestamptz NOT NULL,
    finalized    boolean     NOT NULL,
    PRIMARY KEY (chain_id, number),
    CONSTRAINT evm_block_hash_key UNIQUE (chain_id, hash)
);
CREATE INDEX evm_block_not_finalized ON chain.evm_block (chain_id, number) WHERE NOT finalized;
COMMENT ON TABLE chain.evm_block IS 'Every EVM block from the first one mirrored, with or without logs of ours.';
COMMENT ON COLUMN chain.evm_block.finalized IS 'True once the block can no longer be replaced.';

CREATE TABLE chain.raw_log (
    chain_id      bigint      NOT NULL,
    block_number  bigint      NOT NULL,
    log_index     bigint      NOT NULL,
    block_hash    bytea       NOT NULL,
    block_time    timestamptz NOT NULL,
    tx_hash       bytea       NOT NULL,
    tx_index      bigint      NOT NULL,
    address       bytea       NOT NULL,
    topic0        bytea,
    topic1        bytea,
    topic2        bytea,
    topic3        bytea,
    data          bytea       NOT NULL,
    PRIMARY KEY (chain_id, block_number, log_index)
) PARTITION BY RANGE (block_number);
CREATE TABLE chain.raw_log_default PARTITION OF chain.raw_log DEFAULT;
COMMENT ON TABLE chain.raw_log IS 'All logs of the token and the anchor as the chain has them: the truth that the typed tables are decoded from.';
COMMENT ON COLUMN chain.raw_log.log_index IS 'Place in the block, not in the transaction.';
COMMENT ON COLUMN chain.raw_log.topic0 IS 'Hash of the event''s signature.';

-- ------------------------------------------------------------------------------------------------ EVM: typed

CREATE TABLE chain.token_transfer (
    chain_id      bigint      NOT NULL,
    block_number  bigint      NOT NULL,
    log_index     bigint      NOT NULL,
    block_time    timestamptz NOT NULL,
    tx_hash       bytea       NOT NULL,
    token         bytea       NOT NULL,
    sender        bytea       NOT NULL,
    recipient     bytea       NOT NULL,
    value         numeric(39) NOT NULL,
    PRIMARY KEY (chain_id, block_number, log_index)
);
CREATE INDEX token_transfer_sender ON chain.token_transfer (sender, block_number DESC, log_index DESC);
CREATE INDEX token_transfer_recipient ON chain.token_transfer (recipient, block_number DESC, log_index DESC);
COMMENT ON TABLE chain.token_transfer IS 'Transfers of the token, issuance (from zero) and burning (to zero) included.';

CREATE TABLE chain.chunk_issued (
    chain_id      bigint      NOT NULL,
    block_number  bigint      NOT NULL,
    log_index     bigint      NOT NULL,
    tx_hash       bytea       NOT NULL,
    anchor        bytea       NOT NULL,
    epoch         bigint      NOT NULL,
    chunk_root    bytea       NOT NULL,
    minted        numeric(39) NOT NULL,
    PRIMARY KEY (chain_id, block_number, log_index)
);
CREATE INDEX chunk_issued_epoch ON chain.chunk_issued (epoch);
COMMENT ON TABLE chain.chunk_issued IS 'Chunks of payouts that the anchor issued.';

CREATE TABLE chain.payout (
    chain_id      bigint      NOT NULL,
    block_number  bigint      NOT NULL,
    log_index     bigint      NOT NULL,
    block_time    timestamptz NOT NULL,
    tx_hash       bytea       NOT NULL,
    token         bytea       NOT NULL,
    account       bytea       NOT NULL,
    value         numeric(39) NOT NULL,
    epoch         bigint,
    PRIMARY KEY (chain_id, block_number, log_index)
);
CREATE INDEX payout_account ON chain.payout (account, block_number DESC, log_index DESC);
COMMENT ON TABLE chain.payout IS 'What was minted to accounts: transfers from the zero address.';
COMMENT ON COLUMN chain.payout.epoch IS 'Epoch of the ChunkIssued event that follows in the same transaction; null when another issuer minted.';

CREATE TABLE chain.checkpoint_anchored (
    chain_id              bigint      NOT NULL,
    block_number          bigint      NOT NULL,
    log_index             bigint      NOT NULL,
    block_time            timestamptz NOT NULL,
    tx_hash               bytea       NOT NULL,
    anchor                bytea       NOT NULL,
    epoch                 bigint      NOT NULL,
    first_height          bigint      NOT NULL,
    last_height           bigint      NOT NULL,
    blocks_root           bytea       NOT NULL,
    state_root            bytea       NOT NULL,
    payout_root           bytea       NOT NULL,
    recordings_root       bytea       NOT NULL,
    total_released        numeric(39) NOT NULL,
    next_validators_hash  bytea       NOT NULL,
    PRIMARY KEY (chain_id, block_number, log_index)
);
CREATE INDEX checkpoint_anchored_epoch ON chain.checkpoint_anchored (epoch);
COMMENT ON TABLE chain.checkpoint_anchored IS 'Checkpoints that the anchor accepted. Compared with epoch_checkpoint, which the indexer computed itself.';

CREATE TABLE chain.balance (
    chain_id  bigint      NOT NULL,
    token     bytea       NOT NULL,
    holder    bytea       NOT NULL,
    value     numeric(39) NOT NULL CONSTRAINT balance_value_positive CHECK (value > 0),
    PRIMARY KEY (chain_id, token, holder)
);
COMMENT ON TABLE chain.balance IS 'Sum of the mirrored transfers by holder; who holds nothing has no row. The zero address never has one.';

-- ------------------------------------------------------------------------------------------------ EVM: decoding

CREATE FUNCTION chain.limb(word bytea, place integer, bytes integer) RETURNS bigint
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN ('x' || lpad(encode(substring(word FROM place FOR bytes), 'hex'), 16, '0'))::bit(64)::bigint;
COMMENT ON FUNCTION chain.limb IS 'At most seven bytes of a word as a number.';

CREATE FUNCTION chain.uint(word bytea) RETURNS numeric
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (((chain.limb(word, 1, 4)::numeric
              * 72057594037927936 + chain.limb(word, 5, 7))
             * 72057594037927936 + chain.limb(word, 12, 7))
            * 72057594037927936 + chain.limb(word, 19, 7))
           * 72057594037927936 + chain.limb(word, 26, 7);
COMMENT ON FUNCTION chain.uint IS 'An unsigned ABI word of 32 bytes as a number.';

CREATE FUNCTION chain.word(data bytea, place integer) RETURNS bytea
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN substring(data FROM 1 + 32 * place FOR 32);
COMMENT ON FUNCTION chain.word IS 'The ABI word at a place, counted from 0.';

CREATE FUNCTION chain.address(word bytea) RETURNS bytea
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN substring(word FROM 13 FOR 20);
COMMENT ON FUNCTION chain.address IS 'The address in an ABI word.';

-- Transfer(address indexed from, address indexed to, uint256 value)
CREATE VIEW chain.token_transfer_of_log AS
SELECT l.chain_id, l.block_number, l.log_index, l.block_time, l.tx_hash, l.address AS token,
       chain.address(l.topic1) AS sender, chain.address(l.topic2) AS recipient, chain.uint(l.data) AS value
FROM chain.raw_log AS l
WHERE l.topic0 = '\xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef';

-- ChunkIssued(uint64 indexed epoch, bytes32 chunkRoot, uint128 minted)
CREATE VIEW chain.chunk_issued_of_log AS
SELECT l.chain_id, l.block_number, l.log_index, l.tx_hash, l.address AS anchor,
       chain.uint(l.topic1)::bigint AS epoch, chain.word(l.data, 0) AS chunk_root,
       chain.uint(chain.word(l.data, 1)) AS minted
FROM chain.raw_log AS l
WHERE l.topic0 = '\xc276c2b5a4faef2c92883f33d7ca68fb9fc8a948d25e1e901866f02705011adb';

-- CheckpointAnchored(uint64 indexed epoch, uint64 firstHeight, uint64 lastHeight, bytes32 blocksRoot,
--   bytes32 stateRoot, bytes32 payoutRoot, bytes32 recordingsRoot, uint128 totalReleased, bytes32 nextValidatorsHash)
CREATE VIEW chain.checkpoint_anchored_of_log AS
SELECT l.chain_id, l.block_number, l.log_index, l.block_time, l.tx_hash, l.address AS anchor,
       chain.uint(l.topic1)::bigint AS epoch,
       chain.uint(chain.word(l.data, 0))::bigint AS first_height,
       chain.uint(chain.word(l.data, 1))::bigint AS last_height,
       chain.word(l.data, 2) AS blocks_root, chain.word(l.data, 3) AS state_root,
       chain.word(l.data, 4) AS payout_root, chain.word(l.data, 5) AS recordings_root,
       chain.uint(chain.word(l.data, 6)) AS total_released, chain.word(l.data, 7) AS next_validators_hash
FROM chain.raw_log AS l
WHERE l.topic0 = '\xe7f2a7fad6e036d1ad8e83da1c49411ad5aa865f7bdd921bd1697e45f5b4c18d';

CREATE VIEW chain.payout_of_log AS
SELECT t.chain_id, t.block_number, t.log_index, t.block_time, t.tx_hash, t.token, t.recipient AS account, t.value,
       (SELECT c.epoch
        FROM chain.chunk_issued AS c
        WHERE c.chain_id = t.chain_id AND c.block_number = t.block_number AND c.log_index > t.log_index
          AND c.tx_hash = t.tx_hash
        ORDER BY c.log_index
        LIMIT 1) AS epoch
FROM chain.token_transfer AS t
WHERE t.sender = '\x0000000000000000000000000000000000000000';

CREATE VIEW chain.balance_change AS
SELECT t.chain_id, t.block_number, t.token, side.holder, side.change
FROM chain.token_transfer AS t
CROSS JOIN LATERAL (VALUES (t.sender, -t.value), (t.recipient, t.value)) AS side (holder, change)
WHERE side.holder <> '\x0000000000000000000000000000000000000000';
COMMENT ON VIEW chain.balance_change IS 'What each transfer adds to its two holders; balance is the sum over it.';

-- ------------------------------------------------------------------------------------------------ sidechain

CREATE TABLE chain.sidechain (
    only_one       boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    sidechain_id   bytea   NOT NULL,
    genesis        bytea   NOT NULL,
    evm_chain_id   bigint  NOT NULL,
    first_height   bigint  NOT NULL,
    genesis_units  bigint  NOT NULL
);
COMMENT ON TABLE chain.sidechain IS 'The sidechain that this database mirrors; one row, written once.';
COMMENT ON COLUMN chain.sidechain.genesis IS 'Canonical bytes; their keccak256 is sidechain_id.';
COMMENT ON COLUMN chain.sidechain.genesis_units IS 'Units issued and released to the founder before the first block.';

CREATE TABLE chain.sidechain_block (
    height        bigint      PRIMARY KEY,
    hash          bytea       NOT NULL CONSTRAINT sidechain_block_hash_key UNIQUE,
    parent_hash   bytea       NOT NULL,
    time          timestamptz NOT NULL,
    proposer      bytea       NOT NULL,
    transactions  bigint      NOT NULL,
    raw           bytea       NOT NULL,
    certificate   bytea       NOT NULL
);
COMMENT ON TABLE chain.sidechain_block IS 'Final blocks of the sidechain, each checked against its certificate and executed before it was written.';
COMMENT ON COLUMN chain.sidechain_block.transactions IS 'How many.';
COMMENT ON COLUMN chain.sidechain_block.raw IS 'The whole block in its canonical encoding.';
COMMENT ON COLUMN chain.sidechain_block.certificate IS 'The commit certificate in its canonical encoding.';

CREATE TABLE chain.outlet (
    outlet                  bigint PRIMARY KEY,
    owner                   bytea  NOT NULL,
    kind                    text   NOT NULL CHECK (kind IN ('owner_operated', 'franchised')),
    city                    text   NOT NULL,
    currency                text   NOT NULL,
    quota_per_day           bigint NOT NULL,
    terminal_quota_per_day  bigint NOT NULL,
    height                  bigint NOT NULL
);
COMMENT ON TABLE chain.outlet IS 'Outlets by the founder''s number.';
COMMENT ON COLUMN chain.outlet.quota_per_day IS 'Issuing sales a day of block time; 4294967295 = unlimited.';

CREATE TABLE chain.terminal (
    terminal        bytea  PRIMARY KEY,
    outlet          bigint NOT NULL,
    kind            text   NOT NULL CHECK (kind IN ('physical', 'gateway')),
    height          bigint NOT NULL,
    revoked_height  bigint
);
CREATE INDEX terminal_outlet ON chain.terminal (outlet);
COMMENT ON TABLE chain.terminal IS 'Keys that may sign sales of an outlet.';
COMMENT ON COLUMN chain.terminal.revoked_height IS 'The block that revoked it, for ever; null while it is active.';

CREATE TABLE chain.sale (
    outlet       bigint      NOT NULL,
    sale_id      bytea       NOT NULL CHECK (octet_length(sale_id) = 16),
    tx_id        bytea       NOT NULL CONSTRAINT sale_tx_id_key UNIQUE,
    height       bigint      NOT NULL,
    place        bigint      NOT NULL,
    terminal     bytea       NOT NULL,
    occurred_at  timestamptz NOT NULL,
    currency     text        NOT NULL,
    total        bigint      NOT NULL,
    lines_hash   bytea       NOT NULL,
    buyer_kind   text        NOT NULL CHECK (buyer_kind IN ('none', 'wallet', 'receipt')),
    buyer        bytea,
    issued       bigint      NOT NULL,
    not_issued   text        CHECK (not_issued IN ('below_minimum', 'outlet_quota', 'terminal_quota')),
    PRIMARY KEY (outlet, sale_id)
);
CREATE INDEX sale_height ON chain.sale (height DESC, place DESC);
CREATE INDEX sale_outlet_height ON chain.sale (outlet, height DESC, place DESC);
COMMENT ON TABLE chain.sale IS 'Sales as recorded in final blocks.';
COMMENT ON COLUMN chain.sale.tx_id IS 'The digest that the terminal signed.';
COMMENT ON COLUMN chain.sale.place IS 'Place among the sales of its block; (height, place) orders all sales.';
COMMENT ON COLUMN chain.sale.occurred_at IS 'By the terminal''s clock; informative only.';
COMMENT ON COLUMN chain.sale.total IS 'In the smallest unit of the currency.';
COMMENT ON COLUMN chain.sale.buyer IS 'The wallet, or the address printed on the receipt; null for none.';
COMMENT ON COLUMN chain.sale.not_issued IS 'Why nothing was issued; null when something was.';

CREATE TABLE chain.sale_share (
    outlet   bigint NOT NULL,
    sale_id  bytea  NOT NULL,
    place    bigint NOT NULL,
    kind     text   NOT NULL CHECK (kind IN ('account', 'receipt', 'pool')),
    account  bytea,
    units    bigint NOT NULL,
    PRIMARY KEY (outlet, sale_id, place)
);
CREATE INDEX sale_share_account ON chain.sale_share (account);
COMMENT ON TABLE chain.sale_share IS 'The split of a sale''s units as stored when it was recorded. A claimed receipt keeps its row here and has one in receipt_claim.';
COMMENT ON COLUMN chain.sale_share.account IS 'The account or the receipt''s address; null for the pool.';

CREATE TABLE chain.receipt_claim (
    outlet   bigint NOT NULL,
    sale_id  bytea  NOT NULL,
    wallet   bytea  NOT NULL,
    units    bigint NOT NULL,
    height   bigint NOT NULL,
    PRIMARY KEY (outlet, sale_id)
);
CREATE INDEX receipt_claim_wallet ON chain.receipt_claim (wallet);
COMMENT ON TABLE chain.receipt_claim IS 'Receipts whose units went to a wallet; at most one claim a sale.';

CREATE TABLE chain.release (
    height   bigint NOT NULL,
    account  bytea  NOT NULL,
    units    bigint NOT NULL,
    PRIMARY KEY (height, account)
);
CREATE INDEX release_account ON chain.release (account);
COMMENT ON TABLE chain.release IS 'Units that left pending: the EVM may mint them. The founder''s genesis units stand at the height before the first.';

CREATE TABLE chain.epoch_checkpoint (
    epoch                 bigint      PRIMARY KEY,
    height                bigint      NOT NULL,
    anchor                bytea       NOT NULL,
    first_height          bigint      NOT NULL,
    last_height           bigint      NOT NULL,
    blocks_root           bytea       NOT NULL,
    state_root            bytea       NOT NULL,
    payout_root           bytea       NOT NULL,
    recordings_root       bytea       NOT NULL,
    total_released        numeric(39) NOT NULL,
    next_validators_hash  bytea       NOT NULL,
    payouts               bigint      NOT NULL
);
COMMENT ON TABLE chain.epoch_checkpoint IS 'Checkpoints as the indexer computed them itself from the blocks: what checkpoint_anchored has to say.';
COMMENT ON COLUMN chain.epoch_checkpoint.payouts IS 'How many accounts its settlement pays.';

-- What an anchored checkpoint says and what the blocks say, where the two differ.
CREATE VIEW chain.checkpoint_disagreement AS
SELECT a.epoch, a.block_number, a.log_index
FROM chain.checkpoint_anchored AS a
JOIN chain.epoch_checkpoint AS e ON e.epoch = a.epoch AND e.anchor = a.anchor
WHERE (a.first_height, a.last_height, a.blocks_root, a.state_root, a.payout_root, a.recordings_root,
       a.total_released, a.next_validators_hash)
      IS DISTINCT FROM
      (e.first_height, e.last_height, e.blocks_root, e.state_root, e.payout_root, e.recordings_root,
       e.total_released, e.next_validators_hash)
UNION ALL
SELECT a.epoch, a.block_number, a.log_index
FROM chain.checkpoint_anchored AS a
WHERE a.last_height <= (SELECT c.position FROM chain.cursor AS c WHERE c.stream = 'sidechain')
  AND NOT EXISTS (SELECT FROM chain.epoch_checkpoint AS e WHERE e.epoch = a.epoch AND e.anchor = a.anchor);
COMMENT ON VIEW chain.checkpoint_disagreement IS 'Anchored checkpoints that are not what the blocks lead to. Must be empty.';
