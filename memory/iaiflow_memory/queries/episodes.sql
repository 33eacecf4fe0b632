-- name: episodes_put
-- What was told.
INSERT INTO episodes
SELECT unnest(?::BIGINT[]), unnest(?::VARCHAR[]), unnest(?::INTEGER[]), unnest(?::VARCHAR[]),
       unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::VARCHAR[]),
       unnest(?::DOUBLE[]), unnest(?::DOUBLE[]), unnest(?::BLOB[]), unnest(?::UBIGINT[]);

-- name: episodes_told
-- What was told under ids of these keys: id, row, digest, scope.
SELECT id, seq, sha256, scope FROM episodes WHERE list_contains(?::UBIGINT[], key);

-- name: episodes_outcome
-- What became of what was told: row, how, memory, batch.
SELECT p.episode, p.method, i.id, p.batch
  FROM provenance AS p JOIN items AS i ON i.n = p.item
 WHERE list_contains(?::BIGINT[], p.episode) AND p.method IN ('verbatim', 'same');

-- name: episodes_get
-- The episodes of a key.
SELECT e.seq, e.id, s.project, s.agent, s.user_, s.thread, e.role, e.body, e.meta, e.run_id,
       e.node_id, e.said_at, e.recorded_at
  FROM episodes AS e JOIN scopes AS s USING (scope)
 WHERE e.key = ?::UBIGINT;

-- name: provenance_put
-- Where versions come from.
INSERT INTO provenance
SELECT unnest(?::BIGINT[]), unnest(?::BIGINT[]), unnest(?::INTEGER[]), unnest(?::INTEGER[]),
       unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::BIGINT[]);

-- name: provenance_of
-- Where a version comes from: span, method, model and batch, then the episode.
SELECT p.span_from, p.span_to, p.method, p.model, p.batch,
       e.seq, e.id, s.project, s.agent, s.user_, s.thread, e.role, e.body, e.meta, e.run_id,
       e.node_id, e.said_at, e.recorded_at
  FROM provenance AS p JOIN episodes AS e ON e.seq = p.episode JOIN scopes AS s USING (scope)
 WHERE p.item = ?
 ORDER BY e.seq, p.span_from, p.batch;

-- name: scopes_find
-- The number of a scope.
SELECT scope FROM scopes WHERE project = ? AND agent = ? AND user_ = ? AND thread = ?;

-- name: scopes_of
-- Scopes by number.
SELECT project, agent, user_, thread FROM scopes WHERE scope IN (SELECT unnest(?::INTEGER[]));

-- name: scopes_put
-- A new scope.
INSERT INTO scopes VALUES (?, ?, ?, ?, ?);

-- name: batches_put
-- A write.
INSERT INTO batches
SELECT unnest(?::BIGINT[]), unnest(?::DOUBLE[]), unnest(?::VARCHAR[]), 0;

-- name: batches_put_undo
-- A write that takes another back.
INSERT INTO batches VALUES (?, ?, 'undo', ?);

-- name: batches_undone
-- The batch that took another back, unless it was taken back itself.
SELECT batch FROM batches AS b WHERE undoes = ?
   AND NOT EXISTS (SELECT 1 FROM batches AS later WHERE later.undoes = b.batch);

-- name: batches_get
-- When a batch was written.
SELECT moment, verb FROM batches WHERE batch = ?;
