-- What a timeline reads. {condition} says which rows of items may be seen.

-- name: timeline
-- What may be seen, said before a moment (of the same moment, written before a row), newest first.
SELECT n FROM items WHERE (said_at < $at OR (said_at = $at AND n < $row)) AND {condition}
ORDER BY said_at DESC, n DESC LIMIT $limit

-- name: timeline_ever
-- The same of each memory that ever stood, by the version that stands, or stood last.
WITH ever AS (
    SELECT n, said_at FROM items WHERE {condition}
    QUALIFY row_number() OVER (
        PARTITION BY id ORDER BY recorded_to DESC, valid_from DESC, n DESC) = 1
)
SELECT n FROM ever WHERE said_at < $at OR (said_at = $at AND n < $row)
ORDER BY said_at DESC, n DESC LIMIT $limit
