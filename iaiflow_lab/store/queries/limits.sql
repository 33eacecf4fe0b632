-- name: limits_all
-- The concurrency limits in force.
SELECT kind, subject, value FROM limits ORDER BY kind, subject;

-- name: limits_clear
-- Forgets every limit.
DELETE FROM limits;

-- name: limit_put
-- Sets one limit.
INSERT INTO limits (kind, subject, value) VALUES (?, ?, ?);
