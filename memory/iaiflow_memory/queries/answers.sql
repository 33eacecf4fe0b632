-- name: answers_get
-- What was answered under this key.
SELECT value FROM meta WHERE key = ?;

-- name: answers_put
INSERT INTO meta VALUES (?, ?);

-- name: answers_trim
-- Forget what was answered long ago: keys end with an id, which begins with its time.
DELETE FROM meta WHERE starts_with(key, ?) AND key < ?;
