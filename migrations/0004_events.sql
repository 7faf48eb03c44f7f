-- What readers are told, in order: each message of the indexer, kept so that a reader who was away can continue.

CREATE TABLE chain.event (
    id      bigint PRIMARY KEY,
    stream  text   NOT NULL CHECK (stream IN ('evm', 'sidechain')),
    first   bigint NOT NULL,
    last    bigint NOT NULL,
    kind    text   NOT NULL CHECK (kind IN ('apply', 'revert'))
);
COMMENT ON TABLE chain.event IS 'The last 100,000 messages on the channel chain_events. Not part of the mirror: a rebuilt database tells another story of how it came about.';
COMMENT ON COLUMN chain.event.id IS 'Ascends in the order of commits: writers take turns (pg_advisory_xact_lock) before they number a message.';
COMMENT ON COLUMN chain.event.first IS 'The first block that came or went; greater than last when only the finalized block moved.';

CREATE FUNCTION chain.tell(stream text, first bigint, last bigint, kind text) RETURNS void
    LANGUAGE plpgsql AS
$$
DECLARE
    next_id bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(17224, 3);
    SELECT COALESCE(max(e.id), 0) + 1 INTO next_id FROM chain.event AS e;
    INSERT INTO chain.event VALUES (next_id, stream, first, last, kind);
    DELETE FROM chain.event AS e WHERE e.id <= next_id - 100000;
    PERFORM pg_notify('chain_events', json_build_object(
        'id', next_id, 'stream', stream, 'from', first, 'to', last, 'kind', kind)::text);
END
$$;
COMMENT ON FUNCTION chain.tell IS 'Keeps a message and sends it when the transaction commits. Call it last: it makes the other writer wait until then.';
