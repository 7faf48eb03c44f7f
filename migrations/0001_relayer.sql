-- The relayer's journal: what it wants on the EVM chain, which nonces it used for it, and every transaction it
-- signed. The chain's state is the truth; these rows let a restarted relayer send the very same bytes again.

CREATE SCHEMA relayer;

CREATE TABLE relayer.intents (
    id           BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    chain_id     BIGINT NOT NULL,
    anchor       BYTEA  NOT NULL CHECK (octet_length(anchor) = 20),
    kind         TEXT   NOT NULL CHECK (kind IN ('checkpoint', 'chunk')),
    epoch        BIGINT NOT NULL,
    chunk        BIGINT NOT NULL,
    calldata     BYTEA  NOT NULL,
    stage        TEXT   NOT NULL DEFAULT 'intended'
                 CHECK (stage IN ('intended', 'signed', 'sent', 'included', 'final', 'obsolete')),
    block_number BIGINT,
    block_hash   BYTEA  CHECK (octet_length(block_hash) = 32),
    failures     BIGINT NOT NULL DEFAULT 0,
    retry_after  TIMESTAMPTZ,
    created_at   TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at   TIMESTAMPTZ NOT NULL DEFAULT now(),
    CONSTRAINT intents_key UNIQUE (chain_id, anchor, kind, epoch, chunk)
);

CREATE INDEX intents_open ON relayer.intents (chain_id, anchor, epoch, chunk) WHERE stage NOT IN ('final', 'obsolete');

COMMENT ON TABLE relayer.intents IS 'What has to stand on the chain: a checkpoint, or a chunk of its payouts.';
COMMENT ON COLUMN relayer.intents.anchor IS 'Rows of another chain or anchor are ignored, never mixed.';
COMMENT ON COLUMN relayer.intents.chunk IS 'Index within the epoch''s settlement; 0 for a checkpoint.';
COMMENT ON COLUMN relayer.intents.calldata IS 'The call of the anchor.';
COMMENT ON COLUMN relayer.intents.stage IS
    'intended: nothing under way; signed, sent: a transaction is; included: the contract holds it; final: it does at a final block; obsolete: likewise, and somebody else brought it.';
COMMENT ON COLUMN relayer.intents.block_number IS 'A block whose state holds the intent; set from stage included on.';
COMMENT ON COLUMN relayer.intents.failures IS 'Refused estimates and reverted transactions; each doubles the wait.';

CREATE TABLE relayer.slots (
    id           BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    intent_id    BIGINT NOT NULL REFERENCES relayer.intents (id),
    chain_id     BIGINT NOT NULL,
    anchor       BYTEA  NOT NULL CHECK (octet_length(anchor) = 20),
    signer       BYTEA  NOT NULL CHECK (octet_length(signer) = 20),
    nonce        BIGINT NOT NULL,
    gas_limit    BIGINT NOT NULL,
    stage        TEXT   NOT NULL DEFAULT 'signed' CHECK (stage IN ('signed', 'sent', 'included', 'final')),
    outcome      TEXT   CHECK (outcome IN ('executed', 'reverted', 'cancelled', 'taken')),
    block_number BIGINT,
    block_hash   BYTEA  CHECK (octet_length(block_hash) = 32),
    created_at   TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at   TIMESTAMPTZ NOT NULL DEFAULT now()
);

-- Two relayers that both believe to be the writer cannot both reserve a nonce.
CREATE UNIQUE INDEX slots_open_nonce ON relayer.slots (chain_id, anchor, signer, nonce) WHERE stage <> 'final';
CREATE INDEX slots_intent ON relayer.slots (intent_id);

COMMENT ON TABLE relayer.slots IS 'A nonce of the signer, reserved for an intent.';
COMMENT ON COLUMN relayer.slots.outcome IS
    'From stage included on. cancelled: the self-transfer was mined; taken: a transaction that is not ours used the nonce.';

CREATE TABLE relayer.variants (
    slot_id                  BIGINT  NOT NULL REFERENCES relayer.slots (id),
    hash                     BYTEA   NOT NULL CHECK (octet_length(hash) = 32),
    raw                      BYTEA   NOT NULL,
    max_fee_per_gas          BIGINT  NOT NULL,
    max_priority_fee_per_gas BIGINT  NOT NULL,
    cancels                  BOOLEAN NOT NULL,
    head_number              BIGINT  NOT NULL,
    created_at               TIMESTAMPTZ NOT NULL DEFAULT now(),
    PRIMARY KEY (slot_id, hash)
);

COMMENT ON TABLE relayer.variants IS 'Every transaction signed for a slot, committed before it is sent.';
COMMENT ON COLUMN relayer.variants.max_fee_per_gas IS 'Wei.';
COMMENT ON COLUMN relayer.variants.cancels IS 'A transfer of nothing to ourselves that only uses up the nonce.';
COMMENT ON COLUMN relayer.variants.head_number IS 'The chain''s head when it was signed, or when its block vanished; a raise of the fee counts blocks from here.';

CREATE TABLE relayer.scans (
    chain_id BIGINT NOT NULL,
    anchor   BYTEA  NOT NULL CHECK (octet_length(anchor) = 20),
    epoch    BIGINT NOT NULL,
    PRIMARY KEY (chain_id, anchor)
);

COMMENT ON TABLE relayer.scans IS 'All anchored epochs up to this one have their chunks among the intents.';
