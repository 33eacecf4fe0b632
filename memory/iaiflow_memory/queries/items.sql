-- name: item
-- Versions of memories, whole, with the ids of their episodes.
SELECT i.n, i.id, i.version, i.kind, i.subject, i.predicate, i.body, i.value, i.confidence,
       i.importance, i.valid_from, i.valid_to, i.recorded_from, i.recorded_to, i.supersedes,
       i.expires_at, i.tags, i.scope, coalesce(e.id, ''), i.role, i.said_at, i.source
  FROM items AS i LEFT JOIN episodes AS e ON e.seq = i.episode;

-- name: items_by_n
-- Those of these rows.
{item} WHERE i.n IN (SELECT unnest(?::BIGINT[]));

-- name: item_by_n
-- The one of this row, which is found faster than among several.
{item} WHERE i.n = ?::BIGINT;

-- name: item_scopes
-- Whose memories of these scopes are.
SELECT scope, project, agent, user_, thread FROM scopes
 WHERE scope IN (SELECT unnest(?::INTEGER[]));

-- name: items_of
-- All versions of the memories of a key: id, version, row, intervals, expiry, scope.
SELECT id, version, n, valid_from, valid_to, recorded_from, recorded_to, expires_at,
       scope
  FROM items WHERE key = ?::UBIGINT;

-- name: items_standing
-- The versions of the memories of a key that stand now, with what is needed to write them again.
SELECT n, id, version, scope, kind, subject, predicate, body, value, confidence, importance,
       valid_from, valid_to, recorded_from, supersedes, expires_at, tags, episode, role, said_at,
       source
  FROM items WHERE key = ?::UBIGINT AND recorded_to = 'infinity';

-- name: items_last_version
-- The number of the last version of each memory of these keys.
SELECT id, max(version) FROM items WHERE list_contains(?::UBIGINT[], key) GROUP BY id;

-- name: items_close
-- These versions stand no longer.
UPDATE items SET recorded_to = $moment
 WHERE n BETWEEN $first AND $last AND list_contains($ns::BIGINT[], n);

-- name: items_put
-- New versions.
INSERT INTO items
SELECT unnest(?::BIGINT[]), unnest(?::VARCHAR[]), unnest(?::INTEGER[]), unnest(?::INTEGER[]),
       unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::VARCHAR[]),
       unnest(?::VARCHAR[]), unnest(?::FLOAT[]), unnest(?::FLOAT[]), unnest(?::DOUBLE[]),
       unnest(?::DOUBLE[]), unnest(?::DOUBLE[]), unnest(?::DOUBLE[]), unnest(?::BIGINT[]),
       unnest(?::DOUBLE[]), unnest(?::VARCHAR[][]), unnest(?::BIGINT[]), unnest(?::VARCHAR[]),
       unnest(?::DOUBLE[]), unnest(?::VARCHAR[]), unnest(?::INTEGER[]), unnest(?::UBIGINT[]),
       unnest(?::UINTEGER[]), unnest(?::UINTEGER[]), unnest(?::UINTEGER[]), unnest(?::UBIGINT[]);

-- name: items_said
-- Whether standing memories may say the same as new ones: most say something new.
SELECT 1 FROM items
 WHERE list_contains(?::UBIGINT[], said) AND recorded_to = 'infinity' LIMIT 1;

-- name: items_saying
-- Standing memories that say the same as new ones, the last of those about the same.
SELECT n, id, scope, body, valid_from, least(valid_to, expires_at), kind, role, subject,
       predicate, value, said, NULL, NULL, NULL
  FROM items
 WHERE list_contains($said::UBIGINT[], said) AND list_contains($scopes::INTEGER[], scope)
   AND list_contains($subjects::VARCHAR[], subject) AND recorded_to = 'infinity'
QUALIFY row_number() OVER (PARTITION BY said, scope, kind, role, subject, predicate, value
                           ORDER BY n DESC) = 1;

-- name: items_alike
-- The last standing memories whose long texts may say almost the same as new ones.
SELECT n, id, scope, body, valid_from, least(valid_to, expires_at), kind, role, subject,
       predicate, value, said, band0, band1, band2
  FROM items
 WHERE (list_contains($band0::UINTEGER[], band0) OR list_contains($band1::UINTEGER[], band1)
        OR list_contains($band2::UINTEGER[], band2))
   AND list_contains($scopes::INTEGER[], scope)
   AND list_contains($subjects::VARCHAR[], subject) AND recorded_to = 'infinity'
 ORDER BY n DESC LIMIT $most;

-- name: items_opened
-- The versions that a batch recorded.
SELECT n, id, scope FROM items WHERE recorded_from = ?;

-- name: items_closed
-- The versions that a batch closed.
SELECT n, id, scope FROM items WHERE recorded_to = ? ORDER BY n;

-- name: items_after
-- Memories that were changed after a batch which changed them.
SELECT DISTINCT id FROM items
 WHERE list_contains($ids::VARCHAR[], id)
   AND (recorded_from > $moment OR (recorded_to > $moment AND recorded_to < 'infinity'));

-- name: totals_put
-- Nothing stands in a new scope.
INSERT INTO totals VALUES (?, 0, 0);

-- name: totals_add
-- More texts and terms stand in these scopes.
UPDATE totals
   SET docs = docs + list_extract($docs::BIGINT[], list_position($scopes::INTEGER[], scope)),
       length = length + list_extract($lengths::BIGINT[], list_position($scopes::INTEGER[], scope))
 WHERE list_contains($scopes::INTEGER[], scope);

-- name: totals_take
-- Fewer texts and terms stand in these scopes.
UPDATE totals SET docs = totals.docs - less.docs, length = totals.length - less.length
  FROM (SELECT scope, count(*) AS docs, sum(doclen)::BIGINT AS length FROM items
         WHERE n BETWEEN $first AND $last AND list_contains($ns::BIGINT[], n) GROUP BY scope) AS less
 WHERE totals.scope = less.scope;

-- name: items_again
-- Versions with what is needed to write them again.
SELECT n, id, version, scope, kind, subject, predicate, body, value, confidence, importance,
       valid_from, valid_to, recorded_from, supersedes, expires_at, tags, episode, role, said_at,
       source
  FROM items WHERE list_contains(?::BIGINT[], n) ORDER BY n;
