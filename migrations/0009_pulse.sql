-- How old is what came along each way into the mirror, for whoever reads it.

CREATE TABLE chain.pulse (
    stream       text        PRIMARY KEY CHECK (stream IN ('evm', 'sidechain')),
    written_at   timestamptz NOT NULL,
    answered_at  timestamptz,
    in_step_at   timestamptz,
    stands_still boolean     NOT NULL
);
COMMENT ON TABLE chain.pulse IS 'How the indexer follows each chain; written every two seconds, also while no block comes. Mirrors nothing.';
COMMENT ON COLUMN chain.pulse.written_at IS 'When the indexer last said so: an old one means that no indexer works.';
COMMENT ON COLUMN chain.pulse.answered_at IS 'When a node of the chain last answered it; null before the first time.';
COMMENT ON COLUMN chain.pulse.in_step_at IS 'When the mirror last had every block that the node has; null before the first time.';
COMMENT ON COLUMN chain.pulse.stands_still IS 'Whether the chain''s head has not grown for longer than the indexer''s configuration allows.';

CREATE FUNCTION chain.age_ms(moment timestamptz) RETURNS bigint
    LANGUAGE sql VOLATILE STRICT PARALLEL SAFE
    RETURN (extract(epoch FROM clock_timestamp() - moment) * 1000)::bigint;
COMMENT ON FUNCTION chain.age_ms IS 'Milliseconds from a time to now, both by the database''s clock.';
