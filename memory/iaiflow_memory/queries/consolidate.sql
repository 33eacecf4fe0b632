-- name: reading_mark
-- The last episode of a scope that a model has read.
SELECT value::BIGINT FROM meta WHERE key = ?;

-- name: reading_put
INSERT OR REPLACE INTO meta VALUES (?, ?);

-- name: episodes_after
-- The episodes of a scope after one, in the order of telling.
SELECT e.seq, e.id, s.project, s.agent, s.user_, s.thread, e.role, e.body, e.meta, e.run_id,
       e.node_id, e.said_at, e.recorded_at
  FROM episodes AS e JOIN scopes AS s USING (scope)
 WHERE e.seq > $after
   AND ($project = '' OR s.project = $project) AND ($agent = '' OR s.agent = $agent)
   AND ($user = '' OR s.user_ = $user) AND ($thread = '' OR s.thread = $thread)
 ORDER BY e.seq LIMIT $limit;

-- name: sources_of
-- Episodes by key: id, row, characters, when it was said, scope.
SELECT id, seq, length(body), said_at, scope FROM episodes WHERE list_contains(?::UBIGINT[], key);

-- name: provenance_inherit
-- A memory comes from all that the memories come from which it replaces.
INSERT INTO provenance
SELECT DISTINCT $n, episode, span_from, span_to, 'drawn', $model, $batch
  FROM provenance WHERE list_contains($replaced::BIGINT[], item);

-- name: items_faded
-- Standing memories that matter little by now, with all versions that stand: importance halves with
-- each half-life without use, and what was used often has a longer one.
SELECT i.n, i.id FROM items AS i
  JOIN scopes AS s USING (scope)
  LEFT JOIN uses AS u ON u.n = i.n
 WHERE i.recorded_to = 'infinity'
   AND ($project = '' OR s.project = $project) AND ($agent = '' OR s.agent = $agent)
   AND ($user = '' OR s.user_ = $user) AND ($thread = '' OR s.thread = $thread)
QUALIFY bool_and(
    list_contains($kinds::VARCHAR[], i.kind)
    AND i.importance * pow(2, -($now - greatest(i.recorded_from, coalesce(u.last_used, 0)))
                              / ($half_life * (1 + log2(1 + coalesce(u.uses, 0))))) < $keep
) OVER (PARTITION BY i.id);
