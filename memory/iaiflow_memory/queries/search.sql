-- What search reads. {allowed} stands for the statement of that name.

-- name: allowed
-- What a search may see: of a point on both axes of time, of a scope, not expired.
SELECT * FROM items
WHERE recorded_from <= $recorded AND recorded_to > $recorded
  AND valid_from < $until AND valid_to > $since AND expires_at > $alive
  AND ($everywhere OR scope IN (
      SELECT scope FROM scopes
      WHERE $project IN ('', project) AND $agent IN ('', agent)
        AND $user IN ('', user_) AND $thread IN ('', thread)))
  AND (len($kinds::VARCHAR[]) = 0 OR kind IN (SELECT unnest($kinds::VARCHAR[])))
  AND (len($tags::VARCHAR[]) = 0 OR list_has_all(tags, $tags::VARCHAR[]))
  AND $subject IN ('', subject)

-- name: roles
-- Who has said something.
SELECT DISTINCT role FROM items WHERE role <> ''

-- name: corpus
-- How many memories stand, how many terms they have, and of how many scopes.
SELECT coalesce(sum(docs), 0)::BIGINT, coalesce(sum(length), 0)::BIGINT, count(*)::BIGINT
FROM totals WHERE docs > 0

-- name: known_terms
-- The numbers of terms, and in how many memories they are.
SELECT term_id, term, df FROM terms WHERE term IN (SELECT unnest($terms::VARCHAR[])) AND df > 0

-- name: words
-- BM25 of memories (thread is false; the best ones) and of whole conversations (thread is true).
-- A term counts its share; in a conversation, where related terms are many, less of it.
WITH wanted AS (
    SELECT unnest($ids::INTEGER[]) AS term, unnest($weights::DOUBLE[]) AS weight,
           unnest($shares::DOUBLE[]) AS share
), allowed AS ({allowed}), matched AS MATERIALIZED (
    SELECT allowed.n, allowed.scope, allowed.doclen, term, weight, share, tf
    FROM postings JOIN wanted USING (term) JOIN allowed ON allowed.n = postings.n
), best AS (
    SELECT n, sum(weight * tf * ($k1 + 1)
                  / (tf + $k1 * (1 - $b + $b * doclen / $mean))) AS score
    FROM matched GROUP BY n ORDER BY score DESC, n DESC LIMIT $limit
), told AS (
    SELECT scope, term, share, sum(tf)::DOUBLE AS tf, count(*) OVER (PARTITION BY term) AS df
    FROM matched GROUP BY scope, term, share
), threads AS (
    SELECT told.scope, sum(share * share * ln(1 + ($scopes - df + 0.5) / (df + 0.5))
                           * tf * ($k1 + 1)
                           / (tf + $k1 * (1 - $c + $c * length / $scope_mean))) AS score
    FROM told JOIN totals ON totals.scope = told.scope GROUP BY told.scope
)
SELECT false AS thread, n, score FROM best
UNION ALL
SELECT true, scope, score FROM threads

-- name: pool
-- Candidates: the best ones, and what was written next to them.
WITH allowed AS ({allowed}), window_ AS (
    SELECT DISTINCT unnest(range(best - $near, best + $near + 1)) AS n
    FROM (SELECT unnest($best::BIGINT[]) AS best)
)
SELECT n, scope, said_at, role, subject, kind = 'episodic', contains(body, '?'), importance
FROM allowed JOIN window_ USING (n)

-- name: newest
-- What was said last, for a question without words.
WITH allowed AS ({allowed})
SELECT n FROM allowed ORDER BY said_at DESC, n DESC LIMIT $limit
