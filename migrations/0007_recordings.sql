-- Who allowed a camera to be recorded, and what was recorded: names of encrypted content, never a picture or a person.

ALTER TABLE chain.terminal DROP CONSTRAINT terminal_kind_check;
ALTER TABLE chain.terminal ADD CONSTRAINT terminal_kind_check CHECK (kind IN ('physical', 'gateway', 'video_agent'));
COMMENT ON TABLE chain.terminal IS 'Keys that may sign for an outlet: sales, or recordings (video_agent).';

CREATE TABLE chain.consent (
    id              bytea       PRIMARY KEY CHECK (octet_length(id) = 32),
    height          bigint      NOT NULL,
    place           bigint      NOT NULL,
    kind            text        NOT NULL CHECK (kind IN ('guest', 'security', 'chef')),
    outlet          bigint      NOT NULL,
    camera          bigint      NOT NULL,
    purposes        bigint      NOT NULL CHECK (purposes BETWEEN 1 AND 3),
    commitment      bytea,
    guest           bytea,
    witness         bytea,
    notice_hash     bytea,
    retention_days  bigint,
    owner           bytea,
    recorded_at     timestamptz NOT NULL,
    until           timestamptz NOT NULL,
    revoked_at      timestamptz,
    revoked_by      bytea,
    revoked_height  bigint,
    CHECK (CASE kind WHEN 'guest' THEN (commitment, guest, witness) IS NOT NULL
                     ELSE (notice_hash, retention_days, owner) IS NOT NULL END)
);
CREATE INDEX consent_height ON chain.consent (height DESC, place DESC);
CREATE INDEX consent_camera ON chain.consent (outlet, camera, height DESC, place DESC);
COMMENT ON TABLE chain.consent IS 'Consents of guests and legal bases of owners, as recorded in final blocks.';
COMMENT ON COLUMN chain.consent.id IS 'The digest that was signed.';
COMMENT ON COLUMN chain.consent.place IS 'Place among the consents of its block; (height, place) orders all consents.';
COMMENT ON COLUMN chain.consent.purposes IS 'Bits: 1 recording, 2 public stream.';
COMMENT ON COLUMN chain.consent.commitment IS 'Hash of a salt and a reference that both live elsewhere and are destroyed with an erasure.';
COMMENT ON COLUMN chain.consent.recorded_at IS 'The block''s time; in force from then on.';
COMMENT ON COLUMN chain.consent.until IS 'The first moment at which it is over.';
COMMENT ON COLUMN chain.consent.revoked_at IS 'Time of the block that revoked it, for ever; null while nobody did.';

CREATE TABLE chain.recording (
    cid            bytea       PRIMARY KEY CHECK (octet_length(cid) = 36),
    tx_id          bytea       NOT NULL CONSTRAINT recording_tx_id_key UNIQUE,
    height         bigint      NOT NULL,
    place          bigint      NOT NULL,
    outlet         bigint      NOT NULL,
    camera         bigint      NOT NULL,
    consent        bytea       NOT NULL,
    manifest_hash  bytea       NOT NULL,
    sequence       bigint      NOT NULL,
    started_at     timestamptz NOT NULL,
    ended_at       timestamptz NOT NULL,
    agent          bytea       NOT NULL,
    erased_height  bigint,
    erased_at      timestamptz,
    erased_by      bytea,
    erase_reason   text        CHECK (erase_reason IN ('revoked', 'retention', 'request', 'other'))
);
CREATE INDEX recording_height ON chain.recording (height DESC, place DESC);
CREATE INDEX recording_camera ON chain.recording (outlet, camera, height DESC, place DESC);
CREATE INDEX recording_consent ON chain.recording (consent);
COMMENT ON TABLE chain.recording IS 'Recordings by their content id, as pinned in final blocks; erased ones stay as tombstones.';
COMMENT ON COLUMN chain.recording.cid IS 'The 36 bytes of the content id.';
COMMENT ON COLUMN chain.recording.place IS 'Place among the recordings of its block; (height, place) orders all recordings.';
COMMENT ON COLUMN chain.recording.started_at IS 'By the agent''s clock, within ten seconds of block time''s bounds.';
COMMENT ON COLUMN chain.recording.erased_height IS 'The block that says that the key was destroyed; null while it was not.';

CREATE INDEX epoch_checkpoint_last_height ON chain.epoch_checkpoint (last_height);
