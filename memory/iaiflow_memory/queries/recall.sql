-- name: recall_find
-- Memories whose texts were recalled: digest, id, scope.
SELECT r.sha256, i.id, i.n, s.project, s.agent, s.user_, s.thread
  FROM recall_log AS r
  JOIN items AS i ON i.n = r.n AND i.recorded_to = 'infinity'
  JOIN scopes AS s ON s.scope = i.scope
 WHERE list_contains(?::BLOB[], r.sha256);

-- name: recall_put
-- Texts that were recalled, each once.
INSERT INTO recall_log
SELECT * FROM (SELECT unnest(?::DOUBLE[]), unnest(?::UBIGINT[]), unnest(?::BIGINT[]),
                      unnest(?::BLOB[]) AS sha256)
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
 ANTI JOIN uses USING (n);
