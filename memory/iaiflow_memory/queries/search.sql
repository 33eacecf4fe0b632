-- What search reads. {condition} says which rows of items may be seen.

-- name: scopes_within
-- The scopes that are part of one, whole as in `item_scopes`: '' stands for any.
SELECT scope, project, agent, user_, thread FROM scopes
WHERE $1 IN ('', project) AND $2 IN ('', agent) AND $3 IN ('', user_) AND $4 IN ('', thread)

-- name: roles
-- Who has said something in one.
SELECT DISTINCT role FROM items JOIN scopes USING (scope)
WHERE role <> ''
AND $1 IN ('', project) AND $2 IN ('', agent) AND $3 IN ('', user_) AND $4 IN ('', thread)

-- name: corpus
-- How many memories stand, how many terms they have, and of how many scopes.
SELECT coalesce(sum(docs), 0)::BIGINT, coalesce(sum(length), 0)::BIGINT, count(*)::BIGINT
FROM totals WHERE docs > 0

-- name: known_terms
-- Terms with their numbers, and in how many memories they are: none, if only past ones have them.
SELECT term, term_id, df FROM terms WHERE list_contains(?::VARCHAR[], term)

-- name: words
-- BM25 of the best memories (term is 0), and how often each conversation has each term (term is its
-- number, row the conversation). {terms} are the terms' numbers with what each counts; as rows to
-- join they take half as long as in a list, which DuckDB compares after reading.
WITH matched AS MATERIALIZED (
    SELECT items.n, items.scope, items.doclen, term, weight, tf
    FROM postings JOIN (VALUES {terms}) AS asked(term, weight) USING (term)
    JOIN items ON items.n = postings.n
    WHERE {condition}
), best AS (
    SELECT n, sum(weight * tf * ($k1 + 1)
                  / (tf + $k1 * (1 - $b + $b * doclen / $mean))) AS score
    FROM matched GROUP BY n ORDER BY score DESC, n DESC LIMIT $limit
)
SELECT 0 AS term, n AS row, score FROM best
UNION ALL
SELECT term, scope, sum(tf)::DOUBLE FROM matched GROUP BY scope, term

-- name: postings_between
-- Which of some rows has which of some terms, and how often.
SELECT n, term, tf FROM postings JOIN (VALUES {terms}) AS asked(term, weight) USING (term)
WHERE n BETWEEN $first AND $last

-- name: lengths
-- How many terms conversations have.
SELECT scope, length FROM totals WHERE scope IN (SELECT unnest(?::INTEGER[]))

-- name: candidate
-- What is to be known of candidates.
n, scope, said_at, role, subject, kind = 'episodic', contains(body, '?'), importance, doclen

-- name: pool
-- Candidates: the best ones, and what was written next to them.
SELECT {candidate} FROM items WHERE {condition}

-- name: pool_place
-- All of some scopes, if it is little, and whether it may be seen.
SELECT {candidate}, {condition} FROM items WHERE {place} LIMIT $most

-- name: pool_few
-- All that may be seen, if it is little.
{pool} LIMIT $most

-- name: pool_beside
-- The best ones and all next to them.
{pool} AND n IN (SELECT best + beside FROM (SELECT unnest($best::BIGINT[]) AS best),
                 range(-$near, $near + 1) AS near(beside))

-- name: pool_between
-- Those and others, read faster where they stand together.
{pool} AND n BETWEEN $first AND $last

-- name: newest
-- What was said last, for a question without words.
SELECT n FROM items WHERE {condition} ORDER BY said_at DESC, n DESC LIMIT $limit
