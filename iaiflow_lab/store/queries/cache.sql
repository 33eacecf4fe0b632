-- name: cache_get
-- The outputs of the wanted keys that have not expired.
SELECT key, outputs FROM cache
 WHERE project = ? AND key IN (SELECT value FROM json_each(?))
   AND (expires_at IS NULL OR expires_at > ?);

-- name: cache_put
-- Remembers outputs; the newest win.
INSERT INTO cache (project, key, outputs, created_at, expires_at) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (project, key) DO UPDATE SET
  outputs = excluded.outputs, created_at = excluded.created_at, expires_at = excluded.expires_at;

-- name: cache_expire
-- Forgets what nobody may use any more.
DELETE FROM cache WHERE expires_at <= ?;

-- name: cache_forget
-- Forgets some of the outputs that were remembered before a moment.
DELETE FROM cache WHERE project = :project AND key IN (
  SELECT key FROM cache WHERE project = :project AND created_at < :before LIMIT :most);
