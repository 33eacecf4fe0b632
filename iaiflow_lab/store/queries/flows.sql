-- name: version_known
-- Whether a version is kept.
SELECT 1 FROM flow_versions WHERE project = ? AND version = ?;

-- name: version_put
-- Keeps a definition under the hash of its meaning; the first one stays.
INSERT INTO flow_versions (project, version, definition, created_at) VALUES (?, ?, ?, ?)
ON CONFLICT (project, version) DO NOTHING;

-- name: version_get
-- One definition.
SELECT definition FROM flow_versions WHERE project = ? AND version = ?;

-- name: version_drop
-- Forgets a definition that nothing names: no run, no save, no flow and no schedule.
DELETE FROM flow_versions WHERE project = :project AND version = :version
  AND NOT EXISTS (SELECT 1 FROM runs WHERE project = :project AND version = :version)
  AND NOT EXISTS (SELECT 1 FROM flow_saves WHERE project = :project AND version = :version)
  AND NOT EXISTS (SELECT 1 FROM flows WHERE project = :project AND version = :version)
  AND NOT EXISTS (SELECT 1 FROM schedules WHERE project = :project AND version = :version);

-- name: flow_put
-- Notes a flow's present version.
INSERT INTO flows (project, path, name, version, saved_at) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (project, path) DO UPDATE SET
  name = excluded.name, version = excluded.version, saved_at = excluded.saved_at;

-- name: flows_all
-- The flows that were saved in a project.
SELECT path, name, version, saved_at FROM flows WHERE project = ? ORDER BY path;

-- name: save_last
-- The last save of a flow.
SELECT number, version, note, saved_at FROM flow_saves
 WHERE project = ? AND path = ? ORDER BY number DESC LIMIT 1;

-- name: save_put
-- Keeps one save.
INSERT INTO flow_saves (project, path, number, version, file, note, saved_at)
VALUES (?, ?, ?, ?, ?, ?, ?);

-- name: save_replace
-- Puts a later state into a save; its moment stays.
UPDATE flow_saves SET version = ?, file = ? WHERE project = ? AND path = ? AND number = ?;

-- name: saves_of
-- Every save of a flow, the newest first.
SELECT number, version, note, saved_at FROM flow_saves
 WHERE project = ? AND path = ? ORDER BY number DESC;

-- name: save_file
-- The text of one save.
SELECT file FROM flow_saves WHERE project = ? AND path = ? AND number = ?;
