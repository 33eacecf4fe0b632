-- Vectors of memories. {table} is emb_K of the model K, {dim} its dimension, {condition} says which
-- rows of items may be seen, {columns} and {far} are the words of sign bits b0, b1, ... and how many
-- bits differ.

-- name: model
-- The number and dimension of a model.
SELECT k, dim FROM models WHERE model = ?

-- name: add_model
INSERT INTO models VALUES ($k, $model, $dim, false, 0)

-- name: make_vectors
CREATE TABLE {table} (n BIGINT NOT NULL, v FLOAT[{dim}] NOT NULL, {columns})

-- name: put_vectors
-- Each argument is a column; {parts} unnests those of the sign bits.
INSERT INTO {table} SELECT unnest(?::BIGINT[]), unnest(?::FLOAT[][])::FLOAT[{dim}], {parts}

-- name: models
-- All models, with when they were used last.
SELECT k, model, is_current, used_at FROM models ORDER BY k

-- name: use_model
-- A model is used now, and current from now on.
UPDATE models
SET used_at = CASE WHEN model = $model THEN $now ELSE used_at END, is_current = (model = $model)

-- name: drop_model
DELETE FROM models WHERE k = ?

-- name: coverage
-- How many versions have a vector, and how many there are.
SELECT (SELECT count(*) FROM {table}), (SELECT count(*) FROM items)

-- name: pending
-- Versions that have no vector yet, the newest first: those are asked for most.
SELECT items.n, items.role, items.subject, items.predicate, items.body FROM items
WHERE NOT EXISTS (SELECT 1 FROM {table} done WHERE done.n = items.n)
ORDER BY items.n DESC LIMIT $limit

-- name: unembedded
-- The same, before the model's first vector.
SELECT n, role, subject, predicate, body FROM items ORDER BY n DESC LIMIT $limit

-- name: absent
-- Which of some versions exist, and have no vector.
SELECT n FROM items WHERE n IN (SELECT unnest($rows::BIGINT[]))
AND NOT EXISTS (SELECT 1 FROM {table} done WHERE done.n = items.n)

-- name: allowed_count
SELECT count(*) FROM items WHERE {condition}

-- name: exact_meanings
-- The best by cosine (vectors have length 1), in standard deviations above the mean; where there is
-- no deviation, as with one memory alone, 1 if it is near at all.
WITH near AS MATERIALIZED (
    SELECT n, array_inner_product(v, $v::FLOAT[{dim}])::DOUBLE AS sim
    FROM {table} JOIN items USING (n) WHERE {condition}
), usual AS (SELECT avg(sim) AS mean, stddev_pop(sim) AS deviation FROM near)
SELECT n, coalesce((sim - mean) / nullif(deviation, 0), sign(sim)) FROM near, usual
ORDER BY sim DESC, n DESC LIMIT $limit

-- name: near_between
-- The cosine of some rows.
SELECT n, array_inner_product(v, $v::FLOAT[{dim}])::DOUBLE FROM {table}
WHERE n BETWEEN $first AND $last

-- name: bit_meanings
-- The same, of those whose signs agree best; mean and deviation come from the signs of all. What may
-- not be seen is mostly little: leaving it out takes less than joining what may.
WITH bits AS MATERIALIZED (
    SELECT n, {far} AS far FROM {table}
    ANTI JOIN (SELECT n FROM items WHERE NOT ({condition})) AS hidden USING (n)
), usual AS (
    SELECT cos(pi() * avg(far) / {dim}) AS mean, pi() * stddev_pop(far) / {dim} AS deviation
    FROM bits
), best AS (SELECT n FROM bits ORDER BY far, n DESC LIMIT $limit)
SELECT n, (array_inner_product(v, $v::FLOAT[{dim}]) - mean) / nullif(deviation, 0)
FROM {table} JOIN best USING (n), usual

-- name: hidden
-- What may not be seen; mostly that is little.
SELECT n FROM items WHERE NOT ({condition})

-- name: meanings_of
-- The cosine of some rows, in standard deviations above the mean.
SELECT n, (array_inner_product(v, $v::FLOAT[{dim}]) - $mean::DOUBLE) / nullif($deviation::DOUBLE, 0)
FROM {table} WHERE n IN (SELECT unnest($rows::BIGINT[]))

