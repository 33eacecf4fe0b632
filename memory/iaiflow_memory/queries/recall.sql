-- name: recall_digests
-- The digests of all texts that were recalled.
SELECT DISTINCT sha256 FROM recall_log;

-- name: recall_seen
-- The rows of memories whose texts were recalled, by the digest of the text.
SELECT sha256, n FROM recall_log WHERE list_contains(?::BLOB[], sha256);

-- name: recall_standing
-- Those of these memories that stand, with their ends, and whose they are.
SELECT i.n, i.id, least(i.valid_to, i.expires_at), s.project, s.agent, s.user_, s.thread
  FROM items AS i JOIN scopes AS s USING (scope)
 WHERE list_contains(?::BIGINT[], i.n) AND i.recorded_to = 'infinity';

-- name: recall_put
-- Texts that were recalled, each once, unless they were erased since.
INSERT INTO recall_log
SELECT * FROM (SELECT unnest(?::DOUBLE[]), unnest(?::UBIGINT[]), unnest(?::BIGINT[]),
                      unnest(?::BLOB[]) AS sha256) AS noted(recalled_at, query_hash, n, sha256)
 SEMI JOIN items USING (n)
 ANTI JOIN recall_log USING (sha256);

-- name: recall_trim
-- Forget what was recalled long ago.
DELETE FROM recall_log WHERE recalled_at < ?;

-- name: uses_count
-- These versions were recalled again.
UPDATE uses SET last_used = more.moment, uses = uses.uses + more.times
  FROM (SELECT unnest($ns::BIGINT[]) AS n, unnest($moments::DOUBLE[]) AS moment,
               unnest($times::INTEGER[]) AS times) AS more
 WHERE uses.n = more.n;

-- name: uses_put
-- These versions were recalled for the first time.
INSERT INTO uses
SELECT more.* FROM (SELECT unnest($ns::BIGINT[]) AS n, unnest($moments::DOUBLE[]) AS last_used,
                           unnest($times::INTEGER[]) AS uses) AS more
 SEMI JOIN items USING (n)
 ANTI JOIN uses USING (n);
