-- name: run_project
-- The project of a run.
SELECT project FROM runs WHERE id = ?;

-- name: secret_key
-- The key of a project's secrets.
SELECT id, master, nonce, box FROM secret_keys WHERE project = ?;

-- name: secret_key_put
-- Makes a key that of a project's secrets.
INSERT INTO secret_keys (project, id, master, nonce, box, created_at)
VALUES (:project, :id, :master, :nonce, :box, :now)
ON CONFLICT (project) DO UPDATE SET id = excluded.id, master = excluded.master,
  nonce = excluded.nonce, box = excluded.box, created_at = excluded.created_at;

-- name: secret_version
-- The version of a secret, of one that was removed too.
SELECT version FROM secrets WHERE project = ? AND name = ?;

-- name: secret_get
-- A secret with the key that it was encrypted by; none when it was removed.
SELECT s.name, s.version, s.nonce, s.box, s.created_at, s.created_by,
       k.id AS key_id, k.master, k.nonce AS key_nonce, k.box AS key_box
  FROM secrets AS s JOIN secret_keys AS k ON k.project = s.project
 WHERE s.project = ? AND s.name = ? AND s.box IS NOT NULL;

-- name: secret_put
-- Writes a version of a secret over the one before.
INSERT INTO secrets (project, name, version, key_id, nonce, box, created_at, created_by)
VALUES (:project, :name, :version, :key_id, :nonce, :box, :now, :by)
ON CONFLICT (project, name) DO UPDATE SET version = excluded.version, key_id = excluded.key_id,
  nonce = excluded.nonce, box = excluded.box, created_at = excluded.created_at,
  created_by = excluded.created_by;

-- name: secret_drop
-- Removes a secret; its version stays, so that no later one has the same.
UPDATE secrets SET nonce = NULL, box = NULL WHERE project = ? AND name = ? AND box IS NOT NULL;

-- name: secret_seal
-- Writes a secret as another key encrypts it.
UPDATE secrets SET key_id = :key_id, nonce = :nonce, box = :box
 WHERE project = :project AND name = :name;

-- name: secrets_all
-- Every secret of a project, by name.
SELECT name, version, nonce, box, created_at, created_by FROM secrets
 WHERE project = ? AND box IS NOT NULL ORDER BY name;
